// What people say on documents and tasks.

import type { Comment } from "@docket/contracts/gen/docket/document/v1/comment_pb.ts";
import { CommentService } from "@docket/contracts/gen/docket/document/v1/comment_service_pb.ts";

/** What a comment is on. */
export type CommentSubject = { readonly documentId: string } | { readonly taskId: string };

/** Some comments, the earliest first, and how to go on; an empty token when there are no more. */
export interface CommentPage {
  readonly comments: Comment[];
  readonly nextPageToken: string;
}

export function useComments() {
  const client = useClient(CommentService);
  return {
    async list(subject: CommentSubject, pageToken = "", pageSize = 100): Promise<CommentPage> {
      const { comments, nextPageToken } = await client.listComments({
        subject: subjectOf(subject),
        pageToken,
        pageSize,
      });
      return { comments, nextPageToken };
    },
    /** Says something. The same `requestId` again says it only once. */
    async create(subject: CommentSubject, body: string, requestId = newId()): Promise<Comment> {
      return there((await client.createComment({ subject: subjectOf(subject), body, requestId })).comment);
    },
    /** Changes what one said oneself, unless it was changed elsewhere since `comment` was read. */
    async update(comment: Comment, body: string): Promise<Comment> {
      const { id: commentId, etag } = comment;
      return there((await client.updateComment({ commentId, body, updateMask: { paths: ["body"] }, etag })).comment);
    },
    async remove(commentId: string): Promise<void> {
      await client.deleteComment({ commentId });
    },
  };
}

function subjectOf(subject: CommentSubject) {
  return "documentId" in subject
    ? ({ case: "documentId", value: subject.documentId } as const)
    : ({ case: "taskId", value: subject.taskId } as const);
}
