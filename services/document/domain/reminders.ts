// When a task reminds of its due date: on the morning of that day, and once more on the morning after it, as long as it is
// not completed. Days are calendar days of the workspace, as `2026-11-21`, so that they compare as texts.

import { TaskStatus } from "@docket/contracts/gen/docket/document/v1/task_pb.ts";

/** Which reminders of the present due date were told; the numbers stand in rows. */
export const reminded = { none: 0, due: 1, overdue: 2 } as const;

/** A task as far as reminders look at it, as rows write it. */
export interface Remindable {
  readonly status: TaskStatus;
  readonly due_date: string | null;
  readonly reminded: number;
}

/** The first day on which there is another reminder to tell; null: there is none. */
export function reminderDay({ status, due_date: dueDate, reminded: told }: Remindable): string | null {
  if (status === TaskStatus.COMPLETED || dueDate === null || told >= reminded.overdue) return null;
  return told === reminded.none ? dueDate : dayAfter(dueDate);
}

/** The columns that follow from a change of a task; another due date begins anew. */
export function reminderColumns(
  before: Remindable,
  change: Partial<Remindable>,
): { readonly reminded?: number; readonly reminder_day?: string | null } {
  const { status = before.status, due_date: dueDate = before.due_date } = change;
  const moved = dueDate !== before.due_date;
  const ended = (status === TaskStatus.COMPLETED) !== (before.status === TaskStatus.COMPLETED);
  if (!moved && !ended) return {};
  const told = moved ? reminded.none : before.reminded;
  const next = reminderDay({ status, due_date: dueDate, reminded: told });
  return moved ? { reminded: told, reminder_day: next } : { reminder_day: next };
}

/**
 * What is to be told on a day whose morning has come, and what has been told after it. Nothing, when the day is not there
 * yet. Whoever was not reminded in time hears only that it is overdue.
 */
export function reminderOn(task: Remindable, today: string): { overdue: boolean; reminded: number } | undefined {
  const day = reminderDay(task);
  if (day === null || day > today) return undefined;
  const overdue = task.due_date !== null && task.due_date < today;
  return { overdue, reminded: overdue ? reminded.overdue : reminded.due };
}

/** The latest day whose morning, a time such as `08:00`, has come in a time zone. An unknown zone counts as UTC. */
export function lastMorning(at: number, timeZone: string, morning: string): string {
  const [day = "", time = ""] = clockOf(timeZone).format(at).split(" ");
  return time >= morning ? day : dayBefore(day);
}

/** Where a day begins first. */
export const earliestZone = "Pacific/Kiritimati";

export function dayAfter(day: string): string {
  return shifted(day, 1);
}

function dayBefore(day: string): string {
  return shifted(day, -1);
}

function shifted(day: string, days: number): string {
  const date = new Date(`${day}T00:00:00Z`);
  date.setUTCDate(date.getUTCDate() + days);
  // The year after 9999 has five digits, which no text compares with; nothing is due then.
  return date.toISOString().slice(0, 10);
}

const clocks = new Map<string, Intl.DateTimeFormat>();

/** Writes `2026-11-21 08:00`. Kept: making one is slow, and there are only some hundred zones. */
function clockOf(timeZone: string): Intl.DateTimeFormat {
  const known = clocks.get(timeZone);
  if (known !== undefined) return known;
  let made: Intl.DateTimeFormat;
  try {
    made = new Intl.DateTimeFormat("sv-SE", { timeZone: timeZone || "UTC", dateStyle: "short", timeStyle: "short" });
  } catch {
    made = clockOf("UTC");
  }
  clocks.set(timeZone, made);
  return made;
}
