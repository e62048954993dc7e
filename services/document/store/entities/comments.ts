// What people say on documents and tasks.
import { countColumn, defineEntity, idColumn, p, timeColumn } from "@docket/runtime/db/schema";

export const CommentEntity = defineEntity({
  name: "Comment",
  tableName: "comment",
  properties: {
    workspaceId: idColumn().primary(),
    id: idColumn().primary(),
    /** What it is on: `document:<id>` or `task:<id>`. */
    subject: p.string().length(50),
    /** The document that it, or its task, is on; empty: the task stands alone. */
    documentId: idColumn(),
    versionNumber: p.integer().nullable(),
    body: p.text(),
    revision: countColumn(),
    createdBy: p.string().length(50),
    createdAt: timeColumn(),
    /** Null: never changed. */
    updatedAt: timeColumn().nullable(),
  },
  uniques: [{ name: "comment_id", properties: ["id"] }],
  indexes: [
    { name: "comment_subject", properties: ["workspaceId", "subject", "id"] },
    { name: "comment_document", properties: ["workspaceId", "documentId"] },
  ],
});
