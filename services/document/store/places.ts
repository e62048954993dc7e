// Where things lie, and which grants reach there: what domain/access.ts decides from.
import type { GrantFact, Level, PrincipalKey } from "../domain/access.ts";
import { state } from "../domain/state.ts";
import type { Query } from "./entities.ts";

/** A folder or document in its workspace. */
export interface Located {
  readonly workspaceId: string;
  readonly kind: "folder" | "document";
  readonly id: string;
  /** The folders from the nearest to the uppermost; a folder is the first of its own. */
  readonly folderIds: readonly string[];
  readonly state: number;
}

/** Where a folder lies; undefined when there is none, or it is being purged. */
export async function locateFolder(query: Query, id: string): Promise<Located | undefined> {
  const row = await query
    .selectFrom("folder")
    .select(["workspace_id", "state"])
    .where("id", "=", id)
    .where("state", "!=", state.purging)
    .executeTakeFirst();
  if (row === undefined) return undefined;
  const folderIds = await ancestorsOf(query, row.workspace_id, id);
  return { workspaceId: row.workspace_id, kind: "folder", id, folderIds, state: row.state };
}

/** Where a document lies; undefined when there is none, or it is being purged. */
export async function locateDocument(query: Query, id: string): Promise<Located | undefined> {
  const row = await query
    .selectFrom("document")
    .select(["workspace_id", "folder_id", "state"])
    .where("id", "=", id)
    .where("state", "!=", state.purging)
    .executeTakeFirst();
  if (row === undefined) return undefined;
  const folderIds = await ancestorsOf(query, row.workspace_id, row.folder_id);
  return { workspaceId: row.workspace_id, kind: "document", id, folderIds, state: row.state };
}

/** A folder and those above it, the nearest first; none for the root. */
export async function ancestorsOf(query: Query, workspaceId: string, folderId: string): Promise<string[]> {
  if (folderId === "") return [];
  const rows = await query
    .selectFrom("folder_closure")
    .select("ancestor_id")
    .where("workspace_id", "=", workspaceId)
    .where("descendant_id", "=", folderId)
    .orderBy("distance")
    .execute();
  return rows.map((row) => row.ancestor_id);
}

/** The grants on some resources for some principals. */
export async function grantsReaching(
  query: Query,
  workspaceId: string,
  resourceIds: readonly string[],
  principals: readonly PrincipalKey[],
): Promise<GrantFact[]> {
  if (principals.length === 0) return [];
  const rows = await query
    .selectFrom("access_grant")
    .select(["resource_id", "principal", "level"])
    .where("workspace_id", "=", workspaceId)
    .where("resource_id", "in", resourceIds)
    .where("principal", "in", principals)
    .execute();
  return rows.map((row) => ({ resourceId: row.resource_id, principal: row.principal, level: row.level as Level }));
}

/** The folders that some principals may see through grants on folders: those granted, and all below them. */
export async function foldersVisibleTo(
  query: Query,
  workspaceId: string,
  principals: readonly PrincipalKey[],
): Promise<string[]> {
  if (principals.length === 0) return [];
  const rows = await query
    .selectFrom("access_grant as g")
    .innerJoin("folder_closure as c", (join) =>
      join.onRef("c.workspace_id", "=", "g.workspace_id").onRef("c.ancestor_id", "=", "g.resource_id"),
    )
    .select("c.descendant_id")
    .distinct()
    .where("g.workspace_id", "=", workspaceId)
    .where("g.principal", "in", principals)
    .where("g.resource_kind", "=", "folder")
    .where("g.level", ">", 0)
    .execute();
  return rows.map((row) => row.descendant_id);
}
