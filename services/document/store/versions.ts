// Versions of documents.
import { Reason } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import { isUniqueViolation } from "@docket/runtime/db/database";
import { AppError } from "@docket/runtime/errors";
import type { Insertable, Selectable } from "kysely";
import type { Query, Tables, Tx } from "./entities.ts";
import { chunks, refuseLost } from "./statements.ts";

export type VersionRow = Selectable<Tables["version"]>;

/** One version by its number; 0: the newest. */
export async function readVersion(
  query: Query,
  workspaceId: string,
  documentId: string,
  number: number,
): Promise<VersionRow | undefined> {
  let found = query
    .selectFrom("version")
    .selectAll()
    .where("workspace_id", "=", workspaceId)
    .where("document_id", "=", documentId);
  if (number > 0) found = found.where("number", "=", number);
  return found.orderBy("number", "desc").limit(1).executeTakeFirst();
}

/** A page of a document's versions, the newest first, below a number. */
export async function listVersions(
  query: Query,
  workspaceId: string,
  documentId: string,
  below: number | undefined,
  limit: number,
): Promise<VersionRow[]> {
  let page = query
    .selectFrom("version")
    .selectAll()
    .where("workspace_id", "=", workspaceId)
    .where("document_id", "=", documentId);
  if (below !== undefined) page = page.where("number", "<", below);
  return page.orderBy("number", "desc").limit(limit).execute();
}

/** The newest version of each of some documents, by document. */
export async function newestVersions(
  query: Query,
  workspaceId: string,
  documentIds: readonly string[],
): Promise<Map<string, VersionRow>> {
  if (documentIds.length === 0) return new Map();
  const rows = await query
    .selectFrom("document as d")
    .innerJoin("version as v", (join) =>
      join
        .onRef("v.workspace_id", "=", "d.workspace_id")
        .onRef("v.document_id", "=", "d.id")
        .onRef("v.number", "=", "d.last_number"),
    )
    .selectAll("v")
    .where("d.workspace_id", "=", workspaceId)
    .where("d.id", "in", documentIds)
    .execute();
  return new Map(rows.map((row) => [row.document_id, row]));
}

/** Which of some version ids exist. */
export async function existingVersions(query: Query, ids: readonly string[]): Promise<Set<string>> {
  if (ids.length === 0) return new Set();
  const rows = await query.selectFrom("version").select("id").where("id", "in", ids).execute();
  return new Set(rows.map((row) => row.id));
}

export async function insertVersion(tx: Tx, row: Insertable<Tables["version"]>): Promise<void> {
  try {
    await tx.insertInto("version").values(row).execute();
  } catch (error) {
    // Of calls that race for an upload the first one has it.
    throw isUniqueViolation(error) ? new AppError(Reason.UPLOAD_CONSUMED, { cause: error }) : error;
  }
}

/** Changes label or note. */
export async function updateVersion(
  tx: Tx,
  row: VersionRow,
  values: Partial<Pick<VersionRow, "label" | "note">>,
): Promise<VersionRow> {
  const next = { ...row, ...values, revision: row.revision + 1 };
  const changed = await tx
    .updateTable("version")
    .set({ ...values, revision: next.revision })
    .where("workspace_id", "=", row.workspace_id)
    .where("document_id", "=", row.document_id)
    .where("number", "=", row.number)
    .where("revision", "=", row.revision)
    .executeTakeFirst();
  refuseLost(changed);
  return next;
}

/** Removes all versions of some documents, and says which they were. */
export async function removeVersions(tx: Tx, workspaceId: string, documentIds: readonly string[]): Promise<string[]> {
  const removed: string[] = [];
  for (const part of chunks(documentIds, 400)) {
    const rows = await tx
      .selectFrom("version")
      .select("id")
      .where("workspace_id", "=", workspaceId)
      .where("document_id", "in", part)
      .execute();
    removed.push(...rows.map((row) => row.id));
    await tx.deleteFrom("version").where("workspace_id", "=", workspaceId).where("document_id", "in", part).execute();
  }
  return removed;
}
