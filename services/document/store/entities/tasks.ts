// Tasks, on one version of a document or standing alone in a workspace.
import type {
  NewVersionRule,
  TaskKind,
  TaskPriority,
  TaskStatus,
} from "@docket/contracts/gen/docket/document/v1/task_pb.ts";
import { bytesColumn, countColumn, defineEntity, flagColumn, idColumn, p, timeColumn } from "@docket/runtime/db/schema";

export const TaskEntity = defineEntity({
  name: "Task",
  tableName: "task",
  properties: {
    workspaceId: idColumn().primary(),
    id: idColumn().primary(),
    /** Empty: it stands alone. */
    documentId: idColumn(),
    /** The folder that its document lies in, repeated here for lists; empty: the root, or it stands alone. */
    folderId: idColumn(),
    /** 0 while its document lies in the trash: then only the document's own list has it. */
    listed: flagColumn(),
    /** The version that it is about, with the digest of its contents; null when it stands alone. */
    versionId: idColumn().nullable(),
    versionNumber: p.integer().nullable(),
    digest: bytesColumn().nullable(),
    /** A newer version exists and the rule left the task with the old one. */
    stale: flagColumn(),
    title: p.string().length(255),
    description: p.text(),
    kind: p.smallint().$type<TaskKind>(),
    priority: p.smallint().$type<TaskPriority>(),
    status: p.smallint().$type<TaskStatus>(),
    onNewVersion: p.smallint().$type<NewVersionRule>(),
    /** `person:<id>`, `group:<id>`, or empty: nobody yet. */
    assignee: p.string().length(50),
    /** A calendar date in the workspace's zone, as `2026-11-21`. */
    dueDate: p.string().length(10).nullable(),
    /** Which reminders of the due date were told; see domain/reminders.ts. */
    reminded: p.smallint().default(0),
    /** The first day on which there may be another one to tell; null: there is none. */
    reminderDay: p.string().length(10).nullable(),
    /** The present completion and the one that was taken off last, each with what it was made against; JSON, null for none. */
    completion: p.text().nullable(),
    lastCompletion: p.text().nullable(),
    revision: countColumn(),
    createdBy: p.string().length(50),
    createdAt: timeColumn(),
    updatedAt: timeColumn(),
  },
  uniques: [{ name: "task_id", properties: ["id"] }],
  indexes: [
    { name: "task_listed", properties: ["workspaceId", "listed", "status", "id"] },
    { name: "task_folder", properties: ["workspaceId", "folderId", "listed", "status", "id"] },
    { name: "task_document", properties: ["workspaceId", "documentId", "status", "id"] },
    { name: "task_reminder", properties: ["listed", "reminderDay", "workspaceId", "id"] },
    { name: "task_assignee", properties: ["workspaceId", "assignee", "listed", "status", "id"] },
  ],
});
