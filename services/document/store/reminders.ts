// Which tasks are to be told of next. Every statement reads a range of one index, however many tasks there are.
import { reminderDay, reminderOn } from "../domain/reminders.ts";
import type { Query, Tx } from "./entities.ts";
import type { TaskRow } from "./tasks.ts";

/** The tasks of one workspace that may be told of on one day. */
export interface ReminderGroup {
  readonly day: string;
  readonly workspaceId: string;
}

/** The first group after another, by day and workspace, up to a day; undefined: there is none. */
export async function nextGroup(
  query: Query,
  after: ReminderGroup | undefined,
  last: string,
): Promise<ReminderGroup | undefined> {
  const groups = query
    .selectFrom("task")
    .select(["reminder_day", "workspace_id"])
    .where("listed", "=", 1)
    .where("reminder_day", "is not", null)
    .orderBy("reminder_day")
    .orderBy("workspace_id")
    .limit(1);
  if (after !== undefined) {
    const sameDay = await groups
      .where("reminder_day", "=", after.day)
      .where("workspace_id", ">", after.workspaceId)
      .executeTakeFirst();
    if (sameDay !== undefined) return groupOf(sameDay);
  }
  const day = after?.day ?? "";
  const next = await groups.where("reminder_day", ">", day).where("reminder_day", "<=", last).executeTakeFirst();
  return next && groupOf(next);
}

function groupOf(row: { reminder_day: string | null; workspace_id: string }): ReminderGroup {
  return { day: row.reminder_day ?? "", workspaceId: row.workspace_id };
}

/** A task that has just been told of. */
export interface Told {
  readonly task: TaskRow;
  readonly overdue: boolean;
}

/**
 * Marks some tasks of a group as told of on a day, and answers with those; `rows` is how many were looked at, 0 when none
 * are left. Whoever else marks a task first has told of it.
 */
export async function markTold(
  tx: Tx,
  group: ReminderGroup,
  today: string,
  limit: number,
): Promise<{ rows: number; told: Told[] }> {
  const rows = await tx
    .selectFrom("task")
    .selectAll()
    .where("listed", "=", 1)
    .where("reminder_day", "=", group.day)
    .where("workspace_id", "=", group.workspaceId)
    .orderBy("id")
    .limit(limit)
    .execute();
  const told: Told[] = [];
  for (const task of rows) {
    const reminder = reminderOn(task, today);
    const after = { ...task, reminded: reminder?.reminded ?? task.reminded };
    // Neither revision nor time of change move: to its clients the task is what it was.
    const marked = await tx
      .updateTable("task")
      .set({ reminded: after.reminded, reminder_day: reminderDay(after) })
      .where("workspace_id", "=", task.workspace_id)
      .where("id", "=", task.id)
      .where("reminded", "=", task.reminded)
      .where("reminder_day", "=", group.day)
      .executeTakeFirst();
    if (reminder !== undefined && marked.numUpdatedRows === 1n) told.push({ task, overdue: reminder.overdue });
  }
  return { rows: rows.length, told };
}
