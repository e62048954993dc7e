// Operations.
import type { Insertable, Selectable } from "kysely";
import { OperationState } from "@docket/contracts/gen/docket/document/v1/operation_pb.ts";
import type { Query, Tables, Tx } from "./entities.ts";
import { chunks } from "./statements.ts";

export type OperationRow = Selectable<Tables["operation"]>;

export async function readOperation(query: Query, id: string): Promise<OperationRow | undefined> {
  return query.selectFrom("operation").selectAll().where("id", "=", id).executeTakeFirst();
}

/** The unfinished operation of a kind on a target, if there is one. */
export async function activeOperation(
  query: Query,
  workspaceId: string,
  targetId: string,
  kind: number,
): Promise<OperationRow | undefined> {
  return query
    .selectFrom("operation")
    .selectAll()
    .where("workspace_id", "=", workspaceId)
    .where("target_id", "=", targetId)
    .where("kind", "=", kind)
    .where("state", "in", [OperationState.PENDING, OperationState.RUNNING])
    .executeTakeFirst();
}

/** Adds an operation that waits to begin. */
export async function insertOperation(
  tx: Tx,
  made: Pick<OperationRow, "workspace_id" | "id" | "kind" | "target_kind" | "target_id" | "created_by" | "created_at">,
): Promise<OperationRow> {
  const row: OperationRow = {
    ...made,
    state: OperationState.PENDING,
    done_count: 0,
    total_count: 0,
    error: null,
    updated_at: made.created_at,
  };
  await tx.insertInto("operation").values(row).execute();
  return row;
}

/** Moves an operation on. */
export async function updateOperation(
  tx: Query,
  row: Pick<OperationRow, "workspace_id" | "id">,
  values: Partial<Insertable<Tables["operation"]>>,
): Promise<void> {
  await tx
    .updateTable("operation")
    .set(values)
    .where("workspace_id", "=", row.workspace_id)
    .where("id", "=", row.id)
    .execute();
}

/** Ends operations that have not ended with an error. */
export async function failOperations(
  query: Query,
  ids: readonly string[],
  error: Uint8Array,
  at: number,
): Promise<void> {
  for (const part of chunks(ids, 400)) {
    await query
      .updateTable("operation")
      .set({ state: OperationState.FAILED, error, updated_at: at })
      .where("id", "in", part)
      .where("state", "in", [OperationState.PENDING, OperationState.RUNNING])
      .execute();
  }
}

/** Forgets operations that ended before a time; answers how many. */
export async function forgetOperations(query: Query, before: number): Promise<number> {
  const ended = [OperationState.SUCCEEDED, OperationState.FAILED, OperationState.CANCELLED];
  const result = await query
    .deleteFrom("operation")
    .where("state", "in", ended)
    .where("updated_at", "<", before)
    .executeTakeFirst();
  return Number(result.numDeletedRows);
}

/** The operations of a workspace, of one maker or of all; to be paged by id. */
export function operationsIn(query: Query, workspaceId: string, createdBy: string | undefined) {
  const all = query.selectFrom("operation").selectAll().where("workspace_id", "=", workspaceId);
  return createdBy === undefined ? all : all.where("created_by", "=", createdBy);
}

/** Cancels an operation that has not begun; false: it has, meanwhile. */
export async function cancelOperation(
  tx: Tx,
  row: Pick<OperationRow, "workspace_id" | "id">,
  at: number,
): Promise<boolean> {
  const changed = await tx
    .updateTable("operation")
    .set({ state: OperationState.CANCELLED, updated_at: at })
    .where("workspace_id", "=", row.workspace_id)
    .where("id", "=", row.id)
    .where("state", "=", OperationState.PENDING)
    .executeTakeFirst();
  return changed.numUpdatedRows > 0n;
}
