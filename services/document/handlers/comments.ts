// CommentService.
import { create } from "@bufbuild/protobuf";
import type { HandlerContext, ServiceImpl } from "@connectrpc/connect";
import { ChangeKind } from "@docket/contracts/gen/docket/document/v1/change_pb.ts";
import {
  CommentService,
  CreateCommentResponseSchema,
} from "@docket/contracts/gen/docket/document/v1/comment_service_pb.ts";
import { Reason } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import { Permission, ResourceKind } from "@docket/contracts/gen/docket/policy/v1/policy_pb.ts";
import { callOf, subjectOf } from "@docket/runtime/call";
import { openPage, selectPage } from "@docket/runtime/db/page";
import { idempotent } from "@docket/runtime/db/request_record";
import { AppError, notFound } from "@docket/runtime/errors";
import { newId } from "@docket/runtime/ids";
import { checkEtag, etagOf } from "../domain/revision.ts";
import { type ChangeFacts, recordChanges } from "../store/changes.ts";
import {
  type CommentRow,
  commentsOn,
  insertComment,
  readComment,
  removeComment,
  updateComment,
} from "../store/comments.ts";
import type { DocumentRow } from "../store/documents.ts";
import type { Query } from "../store/entities.ts";
import { actorOf, type Deps, documentOf, liveDocument } from "./deps.ts";
import { commentMessage } from "./task_messages.ts";
import { taskOf } from "./tasks.ts";

/** What a comment may be on. */
type CommentSubject =
  | { readonly case: "documentId" | "taskId"; readonly value: string }
  | { readonly case: undefined; readonly value?: undefined };

export function commentHandlers(deps: Deps): ServiceImpl<typeof CommentService> {
  const { db, authorizer, clock } = deps;

  return {
    async createComment(request, context) {
      const actor = actorOf(context);
      const { workspaceId: lock } = await placeOf(db.query, request.subject);
      const replay = {
        subject: subjectOf(context),
        method: CommentService.method.createComment,
        requestId: request.requestId,
        request,
        now: clock,
        lock,
      };
      return idempotent(db, replay, async (tx) => {
        const place = await placeOf(tx, request.subject);
        const document = place.documentId === "" ? undefined : await liveDocument(tx, place.documentId);
        const at = clock().getTime();
        const row: CommentRow = {
          id: newId(),
          workspace_id: place.workspaceId,
          subject: place.subject,
          document_id: place.documentId,
          version_number: document?.last_number ?? null,
          body: request.body,
          revision: 1,
          created_by: actor,
          created_at: at,
          updated_at: null,
        };
        await insertComment(tx, row);
        await recordChanges(tx, row.workspace_id, at, actor, [commentFacts(row, document, ChangeKind.COMMENT_CREATED)]);
        return create(CreateCommentResponseSchema, { comment: commentMessage(row) });
      });
    },

    async listComments(request) {
      const place = await placeOf(db.query, request.subject);
      const page = openPage(request, { subject: place.subject });
      const { rows, nextPageToken } = await selectPage(commentsOn(db.query, place.workspaceId, place.subject), page, [
        "id",
      ]);
      return { comments: rows.map(commentMessage), nextPageToken };
    },

    async updateComment(request, context) {
      const actor = actorOf(context);
      const { workspace_id: lock } = await commentOf(db.query, request.commentId);
      return db.transaction(
        async (tx) => {
          const row = await commentOf(tx, request.commentId);
          if (row.created_by !== actor) throw notAuthor();
          const document = row.document_id === "" ? undefined : await liveDocument(tx, row.document_id);
          checkEtag(request.etag, row.revision);
          if (row.body === request.body || !request.updateMask?.paths.includes("body")) {
            return { comment: commentMessage(row) };
          }
          const at = clock().getTime();
          const next = await updateComment(tx, row, request.body, at);
          await recordChanges(tx, row.workspace_id, at, actor, [
            commentFacts(next, document, ChangeKind.COMMENT_UPDATED),
          ]);
          return { comment: commentMessage(next) };
        },
        { lock },
      );
    },

    async deleteComment(request, context) {
      const actor = actorOf(context);
      const found = await commentOf(db.query, request.commentId);
      if (found.created_by !== actor && !(await owns(context, found))) throw notAuthor();
      const lock = found.workspace_id;
      return db.transaction(
        async (tx) => {
          const row = await commentOf(tx, request.commentId);
          const document = row.document_id === "" ? undefined : await documentOf(tx, row.document_id);
          await removeComment(tx, row);
          const { etag: _, ...facts } = commentFacts(row, document, ChangeKind.COMMENT_DELETED);
          await recordChanges(tx, row.workspace_id, clock().getTime(), actor, [facts]);
          return {};
        },
        { lock },
      );
    },
  };

  /** Whether the caller owns what a comment is on. */
  async function owns(context: HandlerContext, row: CommentRow): Promise<boolean> {
    const [kind, id = ""] = row.subject.split(":");
    const scope = {
      kind: kind === "task" ? ResourceKind.TASK : ResourceKind.DOCUMENT,
      id,
      permission: Permission.DOCUMENT_OWN,
      field: "comment_id",
    };
    return (await authorizer.check(subjectOf(context), scope, callOf(context))).allowed;
  }
}

/** Where a comment is. Throws NOT_FOUND. */
async function placeOf(query: Query, on: CommentSubject) {
  if (on.case === "taskId") {
    const task = await taskOf(query, on.value);
    return { workspaceId: task.workspace_id, subject: `task:${task.id}`, documentId: task.document_id };
  }
  const document = await documentOf(query, on.value ?? "");
  return { workspaceId: document.workspace_id, subject: `document:${document.id}`, documentId: document.id };
}

async function commentOf(query: Query, id: string): Promise<CommentRow> {
  const row = await readComment(query, id);
  if (row === undefined) throw notFound("comment", id);
  return row;
}

/** What every change of a comment tells. */
function commentFacts(row: CommentRow, document: DocumentRow | undefined, kind: ChangeKind): ChangeFacts {
  const [on, id = ""] = row.subject.split(":");
  return {
    kind,
    commentId: row.id,
    etag: etagOf(row.revision),
    ...(document && { documentId: document.id }),
    ...(document && document.folder_id !== "" && { folderId: document.folder_id }),
    ...(on === "task" && { taskId: id }),
  };
}

function notAuthor(): AppError {
  return new AppError(Reason.NOT_AUTHOR, { message: "Only its author may do this to a comment." });
}
