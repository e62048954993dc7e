// Tasks and comments as messages, and messages as rows write them.
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { DateSchema } from "@docket/contracts/gen/docket/document/v1/actor_pb.ts";
import { type Comment, CommentSchema } from "@docket/contracts/gen/docket/document/v1/comment_pb.ts";
import {
  type Assignee,
  AssigneeSchema,
  CompletionSchema,
  type Task,
  TaskPinSchema,
  TaskSchema,
} from "@docket/contracts/gen/docket/document/v1/task_pb.ts";
import { etagOf } from "../domain/revision.ts";
import type { Completion, Pin } from "../domain/task_rules.ts";
import type { CommentRow } from "../store/comments.ts";
import { type TaskRow, taskState } from "../store/tasks.ts";
import { actorMessage } from "./messages.ts";

export function taskMessage(row: TaskRow): Task {
  const { pin, completion, lastCompletion } = taskState(row);
  const { document_id: documentId } = row;
  return create(TaskSchema, {
    id: row.id,
    workspaceId: row.workspace_id,
    title: row.title,
    description: row.description,
    kind: row.kind,
    priority: row.priority,
    status: row.status,
    onNewVersion: row.on_new_version,
    stale: row.stale !== 0,
    createdBy: actorMessage(row.created_by),
    createTime: timestampFromMs(row.created_at),
    updateTime: timestampFromMs(row.updated_at),
    etag: etagOf(row.revision),
    ...(pin && { pin: pinMessage(documentId, pin) }),
    ...(row.assignee !== "" && { assignee: assigneeMessage(row.assignee) }),
    ...(row.due_date !== null && { dueDate: dateMessage(row.due_date) }),
    ...(completion && { completion: completionMessage(documentId, completion) }),
    ...(lastCompletion && { lastCompletion: completionMessage(documentId, lastCompletion) }),
  });
}

function pinMessage(documentId: string, pin: Pin) {
  return create(TaskPinSchema, { documentId, ...pin });
}

function completionMessage(documentId: string, { pin, outcome, note, by, at }: Completion) {
  return create(CompletionSchema, {
    outcome,
    note,
    completedBy: actorMessage(by),
    completeTime: timestampFromMs(at),
    ...(pin && { pin: pinMessage(documentId, pin) }),
  });
}

export function dateMessage(text: string) {
  const [year, month, day] = text.split("-").map(Number);
  return create(DateSchema, { year: year ?? 0, month: month ?? 0, day: day ?? 0 });
}

export function assigneeMessage(key: string): Assignee {
  const [kind, value = ""] = key.split(":");
  return create(AssigneeSchema, {
    assignee: kind === "group" ? { case: "groupId", value } : { case: "personId", value },
  });
}

/** An assignee as rows write it; empty: nobody. */
export function assigneeKey(message: Assignee | undefined): string {
  const assignee = message?.assignee;
  if (assignee?.case === undefined) return "";
  return `${assignee.case === "groupId" ? "group" : "person"}:${assignee.value.toLowerCase()}`;
}

export function commentMessage(row: CommentRow): Comment {
  const [kind, value = ""] = row.subject.split(":");
  const subject: MessageInitShape<typeof CommentSchema>["subject"] =
    kind === "task" ? { case: "taskId", value } : { case: "documentId", value };
  return create(CommentSchema, {
    id: row.id,
    workspaceId: row.workspace_id,
    subject,
    body: row.body,
    createdBy: actorMessage(row.created_by),
    createTime: timestampFromMs(row.created_at),
    etag: etagOf(row.revision),
    ...(row.version_number !== null && { versionNumber: row.version_number }),
    ...(row.updated_at !== null && { updateTime: timestampFromMs(row.updated_at) }),
  });
}
