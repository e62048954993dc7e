// Tasks in words.

import type { Date as CalendarDate } from "@docket/contracts/gen/docket/document/v1/actor_pb.ts";

import {
  NewVersionRule,
  type Task,
  TaskOutcome,
  TaskPriority,
  TaskStatus,
} from "@docket/contracts/gen/docket/document/v1/task_pb.ts";

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

/** A calendar date as inputs take it, for example "2026-11-21"; empty for none. */
export function isoOf(date: CalendarDate | undefined): string {
  if (date === undefined) return "";
  const digits = (value: number, length: number) => String(value).padStart(length, "0");
  return `${digits(date.year, 4)}-${digits(date.month, 2)}-${digits(date.day, 2)}`;
}

/** A calendar date from an input; undefined for none. */
export function dateOf(text: string): CalendarDate | undefined {
  const [, year, month, day] = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text) ?? [];
  if (year === undefined) return undefined;
  return { $typeName: "docket.document.v1.Date", year: Number(year), month: Number(month), day: Number(day) };
}
