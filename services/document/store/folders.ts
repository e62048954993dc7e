// Folders and their closure.
import type { ExpressionBuilder, Insertable, Selectable } from "kysely";
import type { PrincipalKey } from "../domain/access.ts";
import { state } from "../domain/state.ts";
import type { Query, Tables, Tx } from "./entities.ts";
import { chunks, compareText, refuseLost } from "./statements.ts";

export type FolderRow = Selectable<Tables["folder"]>;

/** Where a page of folders goes on: after this name and id. */
export interface FolderKey {
  readonly nameKey: string;
  readonly id: string;
}

export async function readFolder(query: Query, id: string): Promise<FolderRow | undefined> {
  return query
    .selectFrom("folder")
    .selectAll()
    .where("id", "=", id)
    .where("state", "!=", state.purging)
    .executeTakeFirst();
}

/** The names of some folders. */
export async function folderNames(
  query: Query,
  workspaceId: string,
  ids: readonly string[],
): Promise<Map<string, string>> {
  if (ids.length === 0) return new Map();
  const rows = await query
    .selectFrom("folder")
    .select(["id", "name"])
    .where("workspace_id", "=", workspaceId)
    .where("id", "in", ids)
    .execute();
  return new Map(rows.map((row) => [row.id, row.name]));
}

/** A page of the folders in a folder, or in the root, that are in a state. */
export async function childFolders(
  query: Query,
  workspaceId: string,
  parentId: string,
  wanted: number,
  after: FolderKey | undefined,
  limit: number,
): Promise<FolderRow[]> {
  let page = query
    .selectFrom("folder")
    .selectAll()
    .where("workspace_id", "=", workspaceId)
    .where("parent_id", "=", parentId)
    .where("state", "=", wanted);
  if (after !== undefined) page = page.where("name_key", ">=", after.nameKey).where(later(after));
  return page.orderBy("name_key").orderBy("id").limit(limit).execute();
}

/** A page of the folders that were put into the trash by name. */
export async function trashedFolders(
  query: Query,
  workspaceId: string,
  after: FolderKey | undefined,
  limit: number,
): Promise<FolderRow[]> {
  let page = query
    .selectFrom("folder")
    .selectAll()
    .where("workspace_id", "=", workspaceId)
    .where("state", "=", state.trashed);
  if (after !== undefined) page = page.where("name_key", ">=", after.nameKey).where(later(after));
  return page.orderBy("name_key").orderBy("id").limit(limit).execute();
}

/**
 * A page of the folders that are granted to some principals by name, wherever they lie. Reads what is granted to them and
 * sorts that: its number does not grow with the workspace.
 */
export async function grantedFolders(
  query: Query,
  workspaceId: string,
  principals: readonly PrincipalKey[],
  wanted: number,
  after: FolderKey | undefined,
  limit: number,
): Promise<FolderRow[]> {
  if (principals.length === 0) return [];
  const granted = await query
    .selectFrom("access_grant")
    .select("resource_id")
    .distinct()
    .where("workspace_id", "=", workspaceId)
    .where("principal", "in", principals)
    .where("resource_kind", "=", "folder")
    .where("level", ">", 0)
    .execute();
  const found: FolderRow[] = [];
  for (const part of chunks(granted, 400)) {
    const ids = part.map((row) => row.resource_id);
    found.push(...(await query.selectFrom("folder").selectAll().where("id", "in", ids).execute()));
  }
  return found
    .filter((row) => row.state === wanted && (after === undefined || compareKeys(row, after) > 0))
    .sort((a, b) => compareKeys(a, { nameKey: b.name_key, id: b.id }))
    .slice(0, limit);
}

function compareKeys(row: FolderRow, key: FolderKey): number {
  return compareText(row.name_key, key.nameKey) || compareText(row.id, key.id);
}

/** Beyond the key; the statement bounds name_key as well, so that an index begins there. */
function later(after: FolderKey) {
  return (eb: ExpressionBuilder<Tables, "folder">) =>
    eb.or([eb("name_key", ">", after.nameKey), eb("id", ">", after.id)]);
}

export async function insertFolder(
  tx: Tx,
  row: Insertable<Tables["folder"]>,
  ancestorIds: readonly string[],
): Promise<void> {
  await tx.insertInto("folder").values(row).execute();
  const closure = [row.id, ...ancestorIds].map((ancestorId, distance) => ({
    workspace_id: row.workspace_id,
    descendant_id: row.id,
    ancestor_id: ancestorId,
    distance,
  }));
  await tx.insertInto("folder_closure").values(closure).execute();
}

/** How many levels lie in a folder, itself among them. */
export async function heightOf(query: Query, workspaceId: string, folderId: string): Promise<number> {
  const row = await query
    .selectFrom("folder_closure")
    .select((eb) => eb.fn.max("distance").as("deepest"))
    .where("workspace_id", "=", workspaceId)
    .where("ancestor_id", "=", folderId)
    .executeTakeFirst();
  return Number(row?.deepest ?? 0) + 1;
}

/** Hangs a folder, with all below it, under other ancestors than before (the nearest first). */
export async function relinkFolder(
  tx: Tx,
  workspaceId: string,
  folderId: string,
  before: readonly string[],
  now: readonly string[],
): Promise<void> {
  const below = await tx
    .selectFrom("folder_closure")
    .select(["descendant_id", "distance"])
    .where("workspace_id", "=", workspaceId)
    .where("ancestor_id", "=", folderId)
    .execute();
  if (before.length > 0) {
    for (const part of chunks(below, 400)) {
      await tx
        .deleteFrom("folder_closure")
        .where("workspace_id", "=", workspaceId)
        .where(
          "descendant_id",
          "in",
          part.map((row) => row.descendant_id),
        )
        .where("ancestor_id", "in", before)
        .execute();
    }
  }
  const rows = below.flatMap((row) =>
    now.map((ancestorId, up) => ({
      workspace_id: workspaceId,
      descendant_id: row.descendant_id,
      ancestor_id: ancestorId,
      distance: row.distance + up + 1,
    })),
  );
  for (const part of chunks(rows, 200)) await tx.insertInto("folder_closure").values(part).execute();
}

/** Changes columns of a folder and its revision. */
export async function updateFolder(
  tx: Tx,
  row: Pick<FolderRow, "workspace_id" | "id" | "revision">,
  values: Partial<Insertable<Tables["folder"]>>,
): Promise<void> {
  const changed = await tx
    .updateTable("folder")
    .set({ ...values, revision: row.revision + 1 })
    .where("workspace_id", "=", row.workspace_id)
    .where("id", "=", row.id)
    .where("revision", "=", row.revision)
    .executeTakeFirst();
  refuseLost(changed);
}

/** A folder and all below it, in any state. */
export async function subtreeOf(query: Query, workspaceId: string, folderId: string): Promise<string[]> {
  const rows = await query
    .selectFrom("folder_closure")
    .select("descendant_id")
    .where("workspace_id", "=", workspaceId)
    .where("ancestor_id", "=", folderId)
    .execute();
  return rows.map((row) => row.descendant_id);
}

/** Gives folders another place in the life of things. */
export async function setFolderState(
  tx: Tx,
  workspaceId: string,
  ids: readonly string[],
  values: Pick<FolderRow, "state" | "trashed_with" | "trashed_at">,
): Promise<void> {
  for (const part of chunks(ids, 400)) {
    await tx
      .updateTable("folder")
      .set((eb) => ({ ...values, revision: eb("revision", "+", 1) }))
      .where("workspace_id", "=", workspaceId)
      .where("id", "in", part)
      .execute();
  }
}

/** Takes folders out of every table. */
export async function removeFolders(tx: Tx, workspaceId: string, ids: readonly string[]): Promise<void> {
  for (const part of chunks(ids, 400)) {
    await tx
      .deleteFrom("access_grant")
      .where("workspace_id", "=", workspaceId)
      .where("resource_id", "in", part)
      .execute();
    await tx
      .deleteFrom("folder_closure")
      .where("workspace_id", "=", workspaceId)
      .where("descendant_id", "in", part)
      .execute();
    await tx.deleteFrom("folder").where("workspace_id", "=", workspaceId).where("id", "in", part).execute();
  }
}
