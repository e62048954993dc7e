// The versions of documents as thinning looks at them.
import type { Aged } from "../domain/thinning.ts";
import type { Query, Tx } from "./entities.ts";

/** A document in its workspace. */
export interface DocumentPlace {
  readonly workspace_id: string;
  readonly id: string;
  readonly folder_id: string;
}

/** Documents with more than one version, in the order of their key, after one of them. */
export async function documentsWithVersions(
  query: Query,
  after: DocumentPlace | undefined,
  limit: number,
): Promise<DocumentPlace[]> {
  const documents = query
    .selectFrom("document")
    .select(["workspace_id", "id", "folder_id"])
    .where("last_number", ">", 1)
    .orderBy("workspace_id")
    .orderBy("id")
    .limit(limit);
  if (after === undefined) return documents.execute();
  const rest = await documents.where("workspace_id", "=", after.workspace_id).where("id", ">", after.id).execute();
  if (rest.length === limit) return rest;
  const others = await documents.where("workspace_id", ">", after.workspace_id).execute();
  return [...rest, ...others].slice(0, limit);
}

/** Which of some documents of one workspace have at least two versions that were made before a time. */
export async function withOldVersions(
  query: Query,
  workspaceId: string,
  documentIds: readonly string[],
  before: number,
): Promise<Set<string>> {
  const rows = await query
    .selectFrom("version")
    .select("document_id")
    .where("workspace_id", "=", workspaceId)
    .where("document_id", "in", documentIds)
    .where("created_at", "<", before)
    .groupBy("document_id")
    .having((eb) => eb.fn.countAll(), ">", 1)
    .execute();
  return new Set(rows.map((row) => row.document_id));
}

/** All versions of a document; those with a label or comments, and those that tasks speak of, are held. */
export async function agedVersions(tx: Tx, { workspace_id, id }: DocumentPlace): Promise<(Aged & VersionFacts)[]> {
  const versions = await tx
    .selectFrom("version")
    .select(["id", "number", "label", "digest", "size", "created_at"])
    .where("workspace_id", "=", workspace_id)
    .where("document_id", "=", id)
    .execute();
  const tasks = await tx
    .selectFrom("task")
    .select(["version_id", "completion", "last_completion"])
    .where("workspace_id", "=", workspace_id)
    .where("document_id", "=", id)
    .execute();
  const comments = await tx
    .selectFrom("comment")
    .select("version_number")
    .distinct()
    .where("workspace_id", "=", workspace_id)
    .where("document_id", "=", id)
    .execute();
  const commented = new Set(comments.map((row) => row.version_number));
  const tasked = new Set(tasks.flatMap((row) => [row.version_id, pinned(row.completion), pinned(row.last_completion)]));
  return versions.map(({ label, created_at: createdAt, ...version }) => ({
    ...version,
    createdAt,
    held: label !== "" || tasked.has(version.id) || commented.has(version.number),
  }));
}

/** What is told of a version that goes. */
export interface VersionFacts {
  readonly digest: Uint8Array;
  readonly size: number;
}

/** The id of the version that a completion was made against. */
function pinned(completion: string | null): string | undefined {
  if (completion === null) return undefined;
  return (JSON.parse(completion) as { pin?: { versionId?: string } }).pin?.versionId;
}

/** Removes some versions of a document. */
export async function removeSomeVersions(
  tx: Tx,
  { workspace_id, id }: DocumentPlace,
  numbers: readonly number[],
): Promise<void> {
  await tx
    .deleteFrom("version")
    .where("workspace_id", "=", workspace_id)
    .where("document_id", "=", id)
    .where("number", "in", numbers)
    .execute();
}
