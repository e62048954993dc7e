// Tasks in words.

import { type Task, TaskOutcome, TaskPriority, TaskStatus, NewVersionRule } from "@docket/contracts/gen/docket/document/v1/task_pb.ts";

/** How far a task is, or how it was decided. */
export function taskStateKey({ status, completion }: Pick<Task, "status" | "completion">) {
  if (completion?.outcome === TaskOutcome.APPROVED) return "task.state.approved";
  if (completion?.outcome === TaskOutcome.REJECTED) return "task.state.rejected";
  if (status === TaskStatus.COMPLETED) return "task.state.completed";
  return status === TaskStatus.IN_PROGRESS ? "task.state.inProgress" : "task.state.open";
}

/** The priorities, the lowest first. */
export const priorities = [
  { value: TaskPriority.LOW, key: "task.priority.low" },
  { value: TaskPriority.NORMAL, key: "task.priority.normal" },
  { value: TaskPriority.HIGH, key: "task.priority.high" },
  { value: TaskPriority.URGENT, key: "task.priority.urgent" },
] as const;

/** What happens to a task when its document gets a new version. */
export const versionRules = [
  { value: NewVersionRule.GO_STALE, key: "task.rule.goStale", hint: "task.ruleHint.goStale" },
  { value: NewVersionRule.CARRY_OVER, key: "task.rule.carryOver", hint: "task.ruleHint.carryOver" },
  { value: NewVersionRule.REOPEN, key: "task.rule.reopen", hint: "task.ruleHint.reopen" },
] as const;
