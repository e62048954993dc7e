// Grants.
import type { Selectable } from "kysely";
import type { Query, Tables, Tx } from "./entities.ts";

export type GrantRow = Selectable<Tables["access_grant"]>;

export async function readGrant(
  query: Query,
  workspaceId: string,
  resourceId: string,
  principal: string,
): Promise<GrantRow | undefined> {
  return query
    .selectFrom("access_grant")
    .selectAll()
    .where("workspace_id", "=", workspaceId)
    .where("resource_id", "=", resourceId)
    .where("principal", "=", principal)
    .executeTakeFirst();
}

/** A page of the grants on a resource, by principal. */
export async function listGrants(
  query: Query,
  workspaceId: string,
  resourceId: string,
  after: string | undefined,
  limit: number,
): Promise<GrantRow[]> {
  let page = query
    .selectFrom("access_grant")
    .selectAll()
    .where("workspace_id", "=", workspaceId)
    .where("resource_id", "=", resourceId);
  if (after !== undefined) page = page.where("principal", ">", after);
  return page.orderBy("principal").limit(limit).execute();
}

export async function countGrants(query: Query, workspaceId: string, resourceId: string): Promise<number> {
  const row = await query
    .selectFrom("access_grant")
    .select((eb) => eb.fn.countAll().as("n"))
    .where("workspace_id", "=", workspaceId)
    .where("resource_id", "=", resourceId)
    .executeTakeFirst();
  return Number(row?.n ?? 0);
}

/** Makes a grant, or changes its level. */
export async function putGrant(tx: Tx, row: GrantRow): Promise<void> {
  const changed = await tx
    .updateTable("access_grant")
    .set({ level: row.level, created_by: row.created_by, updated_at: row.updated_at })
    .where("workspace_id", "=", row.workspace_id)
    .where("resource_id", "=", row.resource_id)
    .where("principal", "=", row.principal)
    .executeTakeFirst();
  if (changed.numUpdatedRows === 0n) await tx.insertInto("access_grant").values(row).execute();
}

export async function removeGrant(tx: Tx, workspaceId: string, resourceId: string, principal: string): Promise<void> {
  await tx
    .deleteFrom("access_grant")
    .where("workspace_id", "=", workspaceId)
    .where("resource_id", "=", resourceId)
    .where("principal", "=", principal)
    .execute();
}

/** Removes every grant to a principal in a workspace: it has left, or is gone. */
export async function removeGrantsTo(tx: Tx, workspaceId: string, principal: string): Promise<void> {
  await tx
    .deleteFrom("access_grant")
    .where("workspace_id", "=", workspaceId)
    .where("principal", "=", principal)
    .execute();
  await tx.deleteFrom("listing").where("workspace_id", "=", workspaceId).where("list_key", "=", principal).execute();
}
