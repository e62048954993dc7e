// The trash: what goes there with a folder, comes back with it.
import { ChangeKind } from "@docket/contracts/gen/docket/document/v1/change_pb.ts";
import { etagOf } from "../domain/revision.ts";
import { state } from "../domain/state.ts";
import { recordChanges } from "./changes.ts";
import { type DocumentRow, documentsIn, documentsTrashedWith, setDocumentState } from "./documents.ts";
import type { Query, Tx } from "./entities.ts";
import { type FolderRow, setFolderState, subtreeOf } from "./folders.ts";
import { chunks } from "./statements.ts";

/** Puts a document into the trash by name. */
export async function trashDocument(tx: Tx, row: DocumentRow, actor: string, at: number): Promise<void> {
  const values = { state: state.trashed, trashed_with: row.id, trashed_at: at };
  await setDocumentState(tx, row.workspace_id, [row.id], values);
  await recordChanges(tx, row.workspace_id, at, actor, [
    { ...placed(row), kind: ChangeKind.DOCUMENT_TRASHED, etag: etagOf(row.revision + 1) },
  ]);
}

/** Takes a document back. */
export async function undeleteDocument(tx: Tx, row: DocumentRow, actor: string, at: number): Promise<void> {
  await setDocumentState(tx, row.workspace_id, [row.id], { state: state.live, trashed_with: null, trashed_at: null });
  await recordChanges(tx, row.workspace_id, at, actor, [
    { ...placed(row), kind: ChangeKind.DOCUMENT_UNDELETED, etag: etagOf(row.revision + 1) },
  ]);
}

/** Puts a folder into the trash, with everything in it that is not there by name already. */
export async function trashFolder(tx: Tx, row: FolderRow, actor: string, at: number): Promise<void> {
  const { workspace_id: workspaceId } = row;
  const subtree = await subtreeOf(tx, workspaceId, row.id);
  const documents = await documentsIn(tx, workspaceId, subtree, state.live);
  const within = { state: state.trashedWithin, trashed_with: row.id, trashed_at: at };
  for (const part of chunks(subtree, 400)) {
    await tx
      .updateTable("folder")
      .set((eb) => ({ ...within, revision: eb("revision", "+", 1) }))
      .where("workspace_id", "=", workspaceId)
      .where("id", "in", part)
      .where("id", "!=", row.id)
      .where("state", "=", state.live)
      .execute();
  }
  await setFolderState(tx, workspaceId, [row.id], { state: state.trashed, trashed_with: row.id, trashed_at: at });
  await setDocumentState(
    tx,
    workspaceId,
    documents.map(({ id }) => id),
    within,
  );
  await recordChanges(tx, workspaceId, at, actor, [
    { kind: ChangeKind.FOLDER_TRASHED, folderId: row.id, etag: etagOf(row.revision + 1) },
    ...documents.map((document) => ({ ...placed(document), kind: ChangeKind.DOCUMENT_TRASHED })),
  ]);
}

/** Takes a folder back, with what went with it. */
export async function undeleteFolder(tx: Tx, row: FolderRow, actor: string, at: number): Promise<void> {
  const { workspace_id: workspaceId } = row;
  const back = { state: state.live, trashed_with: null, trashed_at: null };
  const documents = await documentsTrashedWith(tx, workspaceId, row.id);
  await tx
    .updateTable("folder")
    .set((eb) => ({ ...back, revision: eb("revision", "+", 1) }))
    .where("workspace_id", "=", workspaceId)
    .where("trashed_with", "=", row.id)
    .execute();
  await setDocumentState(
    tx,
    workspaceId,
    documents.map(({ id }) => id),
    back,
  );
  await recordChanges(tx, workspaceId, at, actor, [
    { kind: ChangeKind.FOLDER_UNDELETED, folderId: row.id, etag: etagOf(row.revision + 1) },
    ...documents.map((document) => ({ ...placed(document), kind: ChangeKind.DOCUMENT_UNDELETED })),
  ]);
}

/** What was put into the trash by name before a time, the longest there first. */
export async function trashedBefore(
  query: Query,
  table: "document" | "folder",
  before: number,
  limit: number,
): Promise<{ workspace_id: string; id: string }[]> {
  return query
    .selectFrom(table)
    .select(["workspace_id", "id"])
    .where("state", "=", state.trashed)
    .where("trashed_at", "<", before)
    .orderBy("trashed_at")
    .orderBy("id")
    .limit(limit)
    .execute();
}

/** Whether something still lies in the trash as above. */
export async function isTrashedBefore(
  tx: Tx,
  table: "document" | "folder",
  row: { readonly workspace_id: string; readonly id: string },
  before: number,
): Promise<boolean> {
  const found = await tx
    .selectFrom(table)
    .select("id")
    .where("workspace_id", "=", row.workspace_id)
    .where("id", "=", row.id)
    .where("state", "=", state.trashed)
    .where("trashed_at", "<", before)
    .executeTakeFirst();
  return found !== undefined;
}

/** What every change of a document tells of its place. */
export function placed(row: { readonly id: string; readonly folder_id: string }): {
  documentId: string;
  folderId?: string;
} {
  return { documentId: row.id, ...(row.folder_id === "" ? {} : { folderId: row.folder_id }) };
}
