// Wishes to have documents and folders as one file. They are forgotten after an hour.
import { defineEntity, idColumn, jsonColumn, p, timeColumn } from "@docket/runtime/db/schema";

export const ArchiveEntity = defineEntity({
  name: "Archive",
  tableName: "archive",
  properties: {
    workspaceId: idColumn().primary(),
    id: idColumn().primary(),
    /** Empty: after what it is of. */
    name: p.string().length(100),
    /** Lists of ids. */
    documentIds: jsonColumn(),
    folderIds: jsonColumn(),
    createdBy: p.string().length(50),
    createdAt: timeColumn(),
    expiresAt: timeColumn(),
  },
  uniques: [{ name: "archive_id", properties: ["id"] }],
  indexes: [{ name: "archive_expires_at", properties: ["expiresAt"] }],
});
