// Tasks.
import type { Selectable } from "kysely";
import { reminded, reminderColumns, reminderDay } from "../domain/reminders.ts";
import type { Completion, Pin, TaskState } from "../domain/task_rules.ts";
import type { Query, Tables, Tx } from "./entities.ts";
import { chunks, refuseLost } from "./statements.ts";

export type TaskRow = Selectable<Tables["task"]>;

export async function readTask(query: Query, id: string): Promise<TaskRow | undefined> {
  return query.selectFrom("task").selectAll().where("id", "=", id).executeTakeFirst();
}

/** Adds a task, which has reminded of nothing yet. */
export async function insertTask(tx: Tx, made: Omit<TaskRow, "reminded" | "reminder_day">): Promise<TaskRow> {
  const fresh = { ...made, reminded: reminded.none };
  const row: TaskRow = { ...fresh, reminder_day: reminderDay(fresh) };
  await tx.insertInto("task").values(row).execute();
  return row;
}

/** Changes columns of a task and its revision, and when it reminds next. Throws CONFLICT when another transaction changed it first. */
export async function updateTask(tx: Tx, row: TaskRow, change: Partial<TaskRow>, at: number): Promise<TaskRow> {
  const values = { ...change, ...reminderColumns(row, change) };
  const next: TaskRow = { ...row, ...values, revision: row.revision + 1, updated_at: at };
  const changed = await tx
    .updateTable("task")
    .set({ ...values, revision: next.revision, updated_at: at })
    .where("workspace_id", "=", row.workspace_id)
    .where("id", "=", row.id)
    .where("revision", "=", row.revision)
    .executeTakeFirst();
  refuseLost(changed);
  return next;
}

/** Removes a task with its comments. */
export async function removeTask(tx: Tx, row: Pick<TaskRow, "workspace_id" | "id">): Promise<void> {
  await tx
    .deleteFrom("comment")
    .where("workspace_id", "=", row.workspace_id)
    .where("subject", "=", `task:${row.id}`)
    .execute();
  await tx.deleteFrom("task").where("workspace_id", "=", row.workspace_id).where("id", "=", row.id).execute();
}

/** All tasks of a document, in the order in which they were made; domain/task_rules.ts bounds their number. */
export async function tasksOfDocument(query: Query, workspaceId: string, documentId: string): Promise<TaskRow[]> {
  return query
    .selectFrom("task")
    .selectAll()
    .where("workspace_id", "=", workspaceId)
    .where("document_id", "=", documentId)
    .orderBy("id")
    .execute();
}

export async function countTasksOfDocument(query: Query, workspaceId: string, documentId: string): Promise<number> {
  const row = await query
    .selectFrom("task")
    .select((eb) => eb.fn.countAll().as("n"))
    .where("workspace_id", "=", workspaceId)
    .where("document_id", "=", documentId)
    .executeTakeFirst();
  return Number(row?.n ?? 0);
}

/** Repeats in tasks where their documents lie, for lists: the folder, and whether they are out of the trash. */
export async function followDocuments(
  tx: Tx,
  workspaceId: string,
  documentIds: readonly string[],
  values: { readonly folder_id?: string; readonly listed?: 0 | 1 },
): Promise<void> {
  for (const part of chunks(documentIds, 400)) {
    await tx
      .updateTable("task")
      .set(values)
      .where("workspace_id", "=", workspaceId)
      .where("document_id", "in", part)
      .execute();
  }
}

/** Removes the tasks and comments of some documents. */
export async function removeTasksOfDocuments(
  tx: Tx,
  workspaceId: string,
  documentIds: readonly string[],
): Promise<void> {
  for (const part of chunks(documentIds, 400)) {
    for (const table of ["comment", "task"] as const) {
      await tx.deleteFrom(table).where("workspace_id", "=", workspaceId).where("document_id", "in", part).execute();
    }
  }
}

/** A row as the rules look at it. */
export function taskState(row: TaskRow): TaskState {
  const pin = pinOf(row);
  const completion = completionFrom(row.completion);
  const lastCompletion = completionFrom(row.last_completion);
  return {
    kind: row.kind,
    status: row.status,
    rule: row.on_new_version,
    stale: row.stale !== 0,
    ...(pin && { pin }),
    ...(completion && { completion }),
    ...(lastCompletion && { lastCompletion }),
  };
}

/** The columns that the rules may change. */
export function stateColumns(task: TaskState) {
  return {
    status: task.status,
    stale: task.stale ? 1 : 0,
    version_id: task.pin?.versionId ?? null,
    version_number: task.pin?.versionNumber ?? null,
    digest: task.pin?.digest ?? null,
    completion: completionText(task.completion),
    last_completion: completionText(task.lastCompletion),
  };
}

function pinOf(row: TaskRow): Pin | undefined {
  const { version_id: versionId, version_number: versionNumber, digest } = row;
  if (versionId === null || versionNumber === null || digest === null) return undefined;
  return { versionId, versionNumber, digest };
}

function completionText(completion: Completion | undefined): string | null {
  if (completion === undefined) return null;
  const { pin, ...rest } = completion;
  return JSON.stringify({ ...rest, ...(pin && { pin: { ...pin, digest: Buffer.from(pin.digest).toString("hex") } }) });
}

function completionFrom(text: string | null): Completion | undefined {
  if (text === null) return undefined;
  const { pin, ...rest } = JSON.parse(text) as Omit<Completion, "pin"> & {
    pin?: Omit<Pin, "digest"> & { digest: string };
  };
  return { ...rest, ...(pin && { pin: { ...pin, digest: new Uint8Array(Buffer.from(pin.digest, "hex")) } }) };
}
