// Folders and the closure of who lies below whom. The root is no row: what has no folder has the empty folder id.
import { countColumn, defineEntity, idColumn, p, timeColumn } from "@docket/runtime/db/schema";

export const FolderEntity = defineEntity({
  name: "Folder",
  tableName: "folder",
  properties: {
    workspaceId: idColumn().primary(),
    id: idColumn().primary(),
    /** The folder above; empty: the root. */
    parentId: idColumn(),
    name: p.string().length(255),
    /** The name as it is sorted. */
    nameKey: p.string().length(255),
    /** See domain/state.ts. */
    state: p.smallint(),
    /** The folder with which it went to the trash; itself, when it was put there by name. */
    trashedWith: idColumn().nullable(),
    trashedAt: timeColumn().nullable(),
    revision: countColumn(),
    createdBy: p.string().length(50),
    createdAt: timeColumn(),
    updatedAt: timeColumn(),
  },
  uniques: [{ name: "folder_id", properties: ["id"] }],
  indexes: [
    { name: "folder_children", properties: ["workspaceId", "parentId", "state", "nameKey", "id"] },
    { name: "folder_by_name", properties: ["workspaceId", "state", "nameKey", "id"] },
    { name: "folder_trashed_with", properties: ["workspaceId", "trashedWith"] },
    { name: "folder_trashed_at", properties: ["state", "trashedAt", "id"] },
  ],
});

/** One row for each folder and each folder at or above it. */
export const FolderClosureEntity = defineEntity({
  name: "FolderClosure",
  tableName: "folder_closure",
  properties: {
    workspaceId: idColumn().primary(),
    descendantId: idColumn().primary(),
    ancestorId: idColumn().primary(),
    /** 0: the folder itself. */
    distance: p.smallint(),
  },
  indexes: [{ name: "folder_closure_below", properties: ["workspaceId", "ancestorId", "descendantId"] }],
});
