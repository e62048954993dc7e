// The rules of tasks: what happens to one when its document gets a new version, and what may be done in which status.
// A decision is always kept together with the version and digest that it was made on, so that it can never be shown as
// one about another version.

import { NewVersionRule, TaskKind, TaskOutcome, TaskStatus } from "@docket/contracts/gen/docket/document/v1/task_pb.ts";
import { Reason } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import { AppError, invalidArgument } from "@docket/runtime/errors";

/** How many tasks a document may have: every new version looks at all of them in its transaction. */
export const mostTasksOfDocument = 1000;

/** A version as a task speaks of it. */
export interface Pin {
  readonly versionId: string;
  readonly versionNumber: number;
  readonly digest: Uint8Array;
}

/** One completion, with what it was made against. */
export interface Completion {
  /** Absent when the task stands alone. */
  readonly pin?: Pin;
  readonly outcome: TaskOutcome;
  readonly note: string;
  /** Who, as rows write it. */
  readonly by: string;
  /** When, in milliseconds since 1970. */
  readonly at: number;
}

/** A task as far as rules look at it. */
export interface TaskState {
  readonly kind: TaskKind;
  readonly status: TaskStatus;
  /** Absent when the task stands alone. */
  readonly pin?: Pin;
  readonly rule: NewVersionRule;
  readonly stale: boolean;
  readonly completion?: Completion;
  readonly lastCompletion?: Completion;
}

/** What a rule did to a task. */
export interface Moved {
  readonly task: TaskState;
  /** It was completed and is open again. */
  readonly reopened: boolean;
}

/** Applies a task's rule to a new version of its document. Undefined: it stays exactly as it is. */
export function onNewVersion(task: TaskState, version: Pin): Moved | undefined {
  if (task.pin === undefined || task.pin.versionNumber >= version.versionNumber) return undefined;
  const completed = task.status === TaskStatus.COMPLETED;
  if (task.rule === NewVersionRule.REOPEN) {
    if (completed) return { task: opened({ ...task, pin: version, stale: false }), reopened: true };
    return { task: { ...task, pin: version, stale: false }, reopened: false };
  }
  if (task.rule === NewVersionRule.CARRY_OVER && !completed) {
    return { task: { ...task, pin: version, stale: false }, reopened: false };
  }
  return task.stale ? undefined : { task: { ...task, stale: true }, reopened: false };
}

/** What somebody says who completes a task. */
export interface CompletionRequest {
  readonly outcome: TaskOutcome;
  readonly note: string;
  /** The digest of what was looked at. */
  readonly digest?: Uint8Array;
  readonly by: string;
  readonly at: number;
}

/**
 * Completes a task against the version that it is pinned to. Undefined: it is completed in this way already.
 * Throws INVALID_ARGUMENT, TASK_PIN_MISMATCH or TASK_STATUS.
 */
export function complete(task: TaskState, { outcome, note, digest, by, at }: CompletionRequest): TaskState | undefined {
  checkOutcome(task, outcome, digest);
  if (digest !== undefined && (task.pin === undefined || !sameBytes(digest, task.pin.digest)))
    throw pinMismatch(task.pin);
  if (task.status === TaskStatus.COMPLETED) {
    if (task.completion?.outcome === outcome) return undefined;
    throw new AppError(Reason.TASK_STATUS, {
      metadata: { status: "COMPLETED" },
      message: "The task is completed with another outcome. Reopen it first.",
    });
  }
  const completion: Completion = { outcome, note, by, at, ...(task.pin && { pin: task.pin }) };
  return { ...task, status: TaskStatus.COMPLETED, completion };
}

function checkOutcome(task: TaskState, outcome: TaskOutcome, digest: Uint8Array | undefined): void {
  const approval = task.kind === TaskKind.APPROVAL;
  if (approval && outcome === TaskOutcome.UNSPECIFIED)
    throw wrong("outcome", "an approval is completed with a decision");
  if (approval && digest === undefined) throw wrong("digest", "an approval names the digest of what was looked at");
  if (!approval && outcome !== TaskOutcome.UNSPECIFIED) throw wrong("outcome", "only approvals have an outcome");
}

/** Opens a task again, pinned to another version if one is given. Undefined: it is open and pinned there already. */
export function reopen(task: TaskState, newest: Pin | undefined): TaskState | undefined {
  const moves = newest !== undefined && task.pin !== undefined && newest.versionNumber > task.pin.versionNumber;
  const moved = moves ? { ...task, pin: newest, stale: false } : task;
  if (task.status === TaskStatus.COMPLETED) return opened(moved);
  return moves ? moved : undefined;
}

/** Sets the status of a task that is not completed. Throws TASK_STATUS for one that is. */
export function setStatus(task: TaskState, status: TaskStatus): TaskState {
  if (task.status !== TaskStatus.COMPLETED) return { ...task, status };
  throw new AppError(Reason.TASK_STATUS, {
    metadata: { status: "COMPLETED" },
    message: "The task is completed. Reopen it first.",
  });
}

/** The pin of a new task. Throws TASK_PIN_MISMATCH when the version has not the digest that its maker looked at. */
export function pinTo(version: Pin, digest: Uint8Array | undefined): Pin {
  if (digest !== undefined && !sameBytes(digest, version.digest)) throw pinMismatch(version);
  return version;
}

/** Takes the completion off and keeps it as the last one. */
function opened(task: TaskState): TaskState {
  const { completion, ...rest } = task;
  return { ...rest, status: TaskStatus.OPEN, ...(completion && { lastCompletion: completion }) };
}

function pinMismatch(pin: Pin | undefined): AppError {
  return new AppError(Reason.TASK_PIN_MISMATCH, {
    metadata: { version_number: String(pin?.versionNumber ?? 0) },
    message: "The digest is not that of the version which the task is about.",
  });
}

function wrong(field: string, description: string): AppError {
  return invalidArgument([{ field, rule: `task.${field}`, description }]);
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, at) => byte === b[at]);
}

/** A calendar date as rows write it, `2026-11-21`. Throws INVALID_ARGUMENT for a day that the month does not have. */
export function dateText({ year, month, day }: { year: number; month: number; day: number }): string {
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  const exists = date.getUTCFullYear() === year && date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
  if (!exists) throw wrong("due_date", "the month has no such day");
  return [String(year).padStart(4, "0"), String(month).padStart(2, "0"), String(day).padStart(2, "0")].join("-");
}
