// Wishes to have documents and folders as one file.
import type { Selectable } from "kysely";
import type { Query, Tables, Tx } from "./entities.ts";

type ArchiveRow = Selectable<Tables["archive"]>;

/** What somebody wishes to have. */
export interface Archive {
  readonly id: string;
  readonly workspaceId: string;
  /** Empty: after what it is of. */
  readonly name: string;
  readonly documentIds: readonly string[];
  readonly folderIds: readonly string[];
  readonly createdBy: string;
  readonly createdAt: number;
  readonly expiresAt: number;
}

export async function insertArchive(tx: Tx, archive: Archive): Promise<void> {
  const row: ArchiveRow = {
    workspace_id: archive.workspaceId,
    id: archive.id,
    name: archive.name,
    document_ids: JSON.stringify(archive.documentIds),
    folder_ids: JSON.stringify(archive.folderIds),
    created_by: archive.createdBy,
    created_at: archive.createdAt,
    expires_at: archive.expiresAt,
  };
  await tx.insertInto("archive").values(row).execute();
}

export async function readArchive(query: Query, id: string): Promise<Archive | undefined> {
  const row = await query.selectFrom("archive").selectAll().where("id", "=", id).executeTakeFirst();
  return (
    row && {
      id: row.id,
      workspaceId: row.workspace_id,
      name: row.name,
      documentIds: JSON.parse(row.document_ids) as string[],
      folderIds: JSON.parse(row.folder_ids) as string[],
      createdBy: row.created_by,
      createdAt: row.created_at,
      expiresAt: row.expires_at,
    }
  );
}

/** Forgets archives that ended before a time. */
export async function forgetArchives(query: Query, before: number): Promise<void> {
  await query.deleteFrom("archive").where("expires_at", "<", before).execute();
}
