// Documents and what lists and searches find them by.
import type { Insertable, Selectable } from "kysely";
import { state } from "../domain/state.ts";
import { sortKey, termsOf } from "../domain/terms.ts";
import type { Query, Tables, Tx } from "./entities.ts";
import { chunks, refuseLost } from "./statements.ts";
import { countTags, tagList } from "./tags.ts";
import { followDocuments } from "./tasks.ts";

export type DocumentRow = Selectable<Tables["document"]>;

export async function readDocument(query: Query, id: string): Promise<DocumentRow | undefined> {
  return query
    .selectFrom("document")
    .selectAll()
    .where("id", "=", id)
    .where("state", "!=", state.purging)
    .executeTakeFirst();
}

/** The tags of a row. */
export function tagsOf(row: Pick<DocumentRow, "tags">): string[] {
  return JSON.parse(row.tags) as string[];
}

/** What a new document is made of. */
export interface NewDocument {
  readonly id: string;
  readonly workspaceId: string;
  readonly folderId: string;
  readonly title: string;
  readonly tags: readonly string[];
  readonly createdBy: string;
  readonly at: number;
  /** Of its version 1. */
  readonly size: number;
  readonly kind: number;
}

/** Adds a document that has its version 1. */
export async function insertDocument(tx: Tx, made: NewDocument): Promise<DocumentRow> {
  const row: DocumentRow = {
    workspace_id: made.workspaceId,
    id: made.id,
    folder_id: made.folderId,
    title: made.title,
    title_key: sortKey(made.title),
    tags: JSON.stringify(made.tags),
    state: state.live,
    trashed_with: null,
    trashed_at: null,
    revision: 1,
    last_number: 1,
    size: made.size,
    kind: made.kind,
    created_by: made.createdBy,
    created_at: made.at,
    updated_at: made.at,
  };
  await tx.insertInto("document").values(row).execute();
  await writeTerms(tx, row);
  await writeListings(tx, row);
  await countTags(tx, row.workspace_id, [row.id], 1);
  return row;
}

/** Changes columns of a document and its revision; the lists that repeat them follow. */
export async function updateDocument(
  tx: Tx,
  row: DocumentRow,
  values: Partial<Pick<DocumentRow, "folder_id" | "title" | "tags" | "last_number" | "updated_at" | "size" | "kind">>,
): Promise<DocumentRow> {
  const next: DocumentRow = {
    ...row,
    ...values,
    title_key: sortKey(values.title ?? row.title),
    revision: row.revision + 1,
  };
  const changed = await tx
    .updateTable("document")
    .set({ ...values, title_key: next.title_key, revision: next.revision })
    .where("workspace_id", "=", row.workspace_id)
    .where("id", "=", row.id)
    .where("revision", "=", row.revision)
    .executeTakeFirst();
  refuseLost(changed);
  const renamed = next.title !== row.title || next.tags !== row.tags;
  if (renamed) {
    await tx
      .deleteFrom("term")
      .where("workspace_id", "=", row.workspace_id)
      .where("document_id", "=", row.id)
      .execute();
    await writeTerms(tx, next);
    const retagged = next.tags !== row.tags;
    if (retagged) await countTags(tx, row.workspace_id, [row.id], -1);
    await writeListings(tx, next);
    if (retagged) await countTags(tx, row.workspace_id, [row.id], 1);
  } else if (next.updated_at !== row.updated_at) {
    await touchListings(tx, next);
  }
  if (next.folder_id !== row.folder_id) {
    await followDocuments(tx, row.workspace_id, [row.id], { folder_id: next.folder_id });
  }
  return next;
}

/** Gives documents of a workspace another place in the life of things, and their lists with them. */
export async function setDocumentState(
  tx: Tx,
  workspaceId: string,
  ids: readonly string[],
  values: { state: number; trashed_with: string | null; trashed_at: number | null },
): Promise<void> {
  await countTags(tx, workspaceId, ids, -1);
  for (const part of chunks(ids, 400)) {
    await tx
      .updateTable("document")
      .set((eb) => ({ ...values, revision: eb("revision", "+", 1) }))
      .where("workspace_id", "=", workspaceId)
      .where("id", "in", part)
      .execute();
    await tx
      .updateTable("listing")
      .set({ state: values.state })
      .where("workspace_id", "=", workspaceId)
      .where("document_id", "in", part)
      .execute();
  }
  if (values.state === state.live) await countTags(tx, workspaceId, ids, 1);
  await followDocuments(tx, workspaceId, ids, { listed: values.state === state.live ? 1 : 0 });
}

/** The ids and folders of the documents in some folders, in one state, or in any. */
export async function documentsIn(
  query: Query,
  workspaceId: string,
  folderIds: readonly string[],
  wanted?: number,
): Promise<{ id: string; folder_id: string }[]> {
  const found: { id: string; folder_id: string }[] = [];
  for (const part of chunks(folderIds, 400)) {
    let rows = query
      .selectFrom("document")
      .select(["id", "folder_id"])
      .where("workspace_id", "=", workspaceId)
      .where("folder_id", "in", part);
    if (wanted !== undefined) rows = rows.where("state", "=", wanted);
    found.push(...(await rows.execute()));
  }
  return found;
}

/** The ids and folders of the documents that went to the trash with a folder. */
export async function documentsTrashedWith(
  query: Query,
  workspaceId: string,
  folderId: string,
): Promise<{ id: string; folder_id: string }[]> {
  return query
    .selectFrom("document")
    .select(["id", "folder_id"])
    .where("workspace_id", "=", workspaceId)
    .where("trashed_with", "=", folderId)
    .execute();
}

/** Puts a document into the list of a principal that has a grant on it. */
export async function listFor(tx: Tx, row: DocumentRow, principal: string): Promise<void> {
  await unlistFor(tx, row.workspace_id, row.id, principal);
  await tx.insertInto("listing").values(listing(row, principal)).execute();
}

/** Takes a document out of the list of a principal. */
export async function unlistFor(tx: Tx, workspaceId: string, documentId: string, principal: string): Promise<void> {
  await tx
    .deleteFrom("listing")
    .where("workspace_id", "=", workspaceId)
    .where("document_id", "=", documentId)
    .where("list_key", "=", principal)
    .execute();
}

/** Takes documents, with all that belongs to them alone, out of every table but their versions. */
export async function removeDocuments(tx: Tx, workspaceId: string, ids: readonly string[]): Promise<void> {
  for (const part of chunks(ids, 400)) {
    await tx.deleteFrom("term").where("workspace_id", "=", workspaceId).where("document_id", "in", part).execute();
    await tx.deleteFrom("listing").where("workspace_id", "=", workspaceId).where("document_id", "in", part).execute();
    await tx
      .deleteFrom("access_grant")
      .where("workspace_id", "=", workspaceId)
      .where("resource_id", "in", part)
      .execute();
    await tx.deleteFrom("document").where("workspace_id", "=", workspaceId).where("id", "in", part).execute();
  }
}

async function writeTerms(tx: Tx, row: DocumentRow): Promise<void> {
  const terms = termsOf(row.title, tagsOf(row)).map((term) => ({
    workspace_id: row.workspace_id,
    term,
    document_id: row.id,
  }));
  for (const part of chunks(terms, 200)) await tx.insertInto("term").values(part).execute();
}

/** Writes the rows of tags anew; those of principals stay, with what they repeat brought up to date. */
async function writeListings(tx: Tx, row: DocumentRow): Promise<void> {
  await tx
    .deleteFrom("listing")
    .where("workspace_id", "=", row.workspace_id)
    .where("document_id", "=", row.id)
    .where("list_key", "like", "tag:%")
    .execute();
  await touchListings(tx, row);
  const rows = tagsOf(row).map((tag) => listing(row, tagList(tag)));
  if (rows.length > 0) await tx.insertInto("listing").values(rows).execute();
}

async function touchListings(tx: Tx, row: DocumentRow): Promise<void> {
  await tx
    .updateTable("listing")
    .set({ title_key: row.title_key, updated_at: row.updated_at, size: row.size, kind: row.kind })
    .where("workspace_id", "=", row.workspace_id)
    .where("document_id", "=", row.id)
    .execute();
}

function listing(row: DocumentRow, listKey: string): Insertable<Tables["listing"]> {
  return {
    workspace_id: row.workspace_id,
    list_key: listKey,
    document_id: row.id,
    state: row.state,
    title_key: row.title_key,
    updated_at: row.updated_at,
    size: row.size,
    kind: row.kind,
  };
}
