import { CommentService } from "@docket/contracts/gen/docket/document/v1/comment_service_pb.ts";
import type { GrantLevel } from "@docket/contracts/gen/docket/document/v1/grant_pb.ts";
import { TaskService } from "@docket/contracts/gen/docket/document/v1/task_service_pb.ts";
import { newId } from "@docket/runtime/ids";
import { describe, expect, it } from "@jest/globals";
import { on, reasonOf, type Somebody, startWorld } from "./world.ts";

const onTask = (taskId: string) => ({ case: "taskId" as const, value: taskId });

/** A world with its CommentService, a member, and a document of theirs. */
async function startComments() {
  const world = await startWorld();
  const comments = world.client(CommentService);
  const ann = await world.person("member");
  const documentId = await world.document(ann, "Contract");
  return {
    world,
    comments,
    ann,
    documentId,
    async say(
      who: Somebody,
      body: string,
      subject: ReturnType<typeof on> | ReturnType<typeof onTask> = on(documentId),
    ) {
      const { comment } = await comments.createComment({ subject, body }, who.as);
      if (comment === undefined) throw new Error("no comment");
      return comment;
    },
    /** A guest with a grant of this level on the document. */
    async guest(level: GrantLevel) {
      const somebody = await world.person("guest");
      const principal = { principal: { case: "personId" as const, value: somebody.id } };
      await world.grants.setGrant({ resource: on(documentId), principal, level }, ann.as);
      return somebody;
    },
    [Symbol.asyncDispose]: () => world[Symbol.asyncDispose](),
  };
}

describe("CommentService", () => {
  it("lists what was said on a document in pages, the earliest first, with the version that was the newest", async () => {
    await using it = await startComments();
    await it.say(it.ann, "one");
    const uploadId = it.world.blobs.upload(it.ann, it.world.workspaceId, "next.pdf", "next");
    await it.world.versions.createVersion({ documentId: it.documentId, uploadId }, it.ann.as);
    await it.say(it.ann, "two");
    await it.say(it.ann, "three");
    const first = await it.comments.listComments({ subject: on(it.documentId), pageSize: 2 }, it.ann.as);
    expect(first.comments.map(({ body, versionNumber }) => [body, versionNumber])).toEqual([
      ["one", 1],
      ["two", 2],
    ]);
    const rest = { subject: on(it.documentId), pageSize: 2, pageToken: first.nextPageToken };
    const second = await it.comments.listComments(rest, it.ann.as);
    expect(second.comments.map(({ body }) => body)).toEqual(["three"]);
    expect(second.nextPageToken).toBe("");
    expect(await reasonOf(it.comments.listComments({ ...rest, pageToken: "x" }, it.ann.as))).toBe("PAGE_TOKEN_INVALID");
  });

  it("lets commenters speak, viewers listen, and hides everything from strangers", async () => {
    await using it = await startComments();
    const [viewer, commenter, stranger] = [await it.guest(1), await it.guest(2), await it.world.person()];
    const comment = await it.say(commenter, "Hello");
    const list = { subject: on(it.documentId) };
    expect((await it.comments.listComments(list, viewer.as)).comments).toEqual([comment]);
    const say = { subject: on(it.documentId), body: "x" };
    expect(await reasonOf(it.comments.createComment(say, viewer.as))).toBe("PERMISSION_DENIED");
    expect(await reasonOf(it.comments.createComment(say, stranger.as))).toBe("NOT_FOUND");
    expect(await reasonOf(it.comments.listComments(list, stranger.as))).toBe("NOT_FOUND");
    expect(await reasonOf(it.comments.deleteComment({ commentId: comment.id }, stranger.as))).toBe("NOT_FOUND");
  });

  it("lets only its author change a comment, and its author or an owner remove it", async () => {
    await using it = await startComments();
    const [commenter, editor] = [await it.guest(2), await it.guest(3)];
    const first = await it.say(commenter, "Hello");
    const change = { commentId: first.id, body: "Good day", updateMask: { paths: ["body"] }, etag: first.etag };
    expect(await reasonOf(it.comments.updateComment(change, editor.as))).toBe("NOT_AUTHOR");
    const { comment } = await it.comments.updateComment(change, commenter.as);
    expect(comment).toMatchObject({ body: "Good day", createdBy: { actor: { value: commenter.id } } });
    expect(comment?.updateTime).toBeDefined();
    expect(await reasonOf(it.comments.updateComment({ ...change, body: "x" }, commenter.as))).toBe("ETAG_MISMATCH");
    expect(await reasonOf(it.comments.deleteComment({ commentId: first.id }, editor.as))).toBe("NOT_AUTHOR");
    // Who made the document owns it.
    expect(await reasonOf(it.comments.deleteComment({ commentId: first.id }, it.ann.as))).toBe("OK");
    const second = await it.say(commenter, "Again");
    expect(await reasonOf(it.comments.deleteComment({ commentId: second.id }, commenter.as))).toBe("OK");
    expect((await it.comments.listComments({ subject: on(it.documentId) }, it.ann.as)).comments).toEqual([]);
  });

  it("keeps what is said on a task with the task, also where the assignee is only a viewer of the document", async () => {
    await using it = await startComments();
    const tasks = it.world.client(TaskService);
    const viewer = await it.guest(1);
    const assignee = { assignee: { case: "personId" as const, value: viewer.id } };
    const { task } = await tasks.createTask({ place: on(it.documentId), title: "Read", assignee }, it.ann.as);
    const comment = await it.say(viewer, "Done soon", onTask(task?.id ?? ""));
    expect(comment).toMatchObject({ subject: onTask(task?.id ?? ""), versionNumber: 1 });
    const { task: alone } = await tasks.createTask(
      { place: { case: "workspaceId", value: it.world.workspaceId }, title: "Call" },
      it.ann.as,
    );
    expect((await it.say(it.ann, "Hello", onTask(alone?.id ?? ""))).versionNumber).toBeUndefined();
    expect((await it.comments.listComments({ subject: on(it.documentId) }, it.ann.as)).comments).toEqual([]);
  });

  it("says nothing new in the trash, and nothing that is empty or holds control characters", async () => {
    await using it = await startComments();
    const { comments, ann, documentId } = it;
    const said = await it.say(ann, "Hello");
    for (const body of ["", "a\u0000b", "a\u202eb", "x".repeat(10_001)]) {
      expect(await reasonOf(comments.createComment({ subject: on(documentId), body }, ann.as))).toBe(
        "INVALID_ARGUMENT",
      );
    }
    await it.world.documents.deleteDocument({ documentId }, ann.as);
    expect(await reasonOf(comments.createComment({ subject: on(documentId), body: "x" }, ann.as))).toBe("TRASHED");
    const change = { commentId: said.id, body: "x", updateMask: { paths: ["body"] } };
    expect(await reasonOf(comments.updateComment(change, ann.as))).toBe("TRASHED");
  });

  it("gives the first answer to a repeated request_id, and refuses it for another request", async () => {
    await using it = await startComments();
    const request = { subject: on(it.documentId), body: "Once", requestId: newId() };
    const first = await it.comments.createComment(request, it.ann.as);
    expect(await it.comments.createComment(request, it.ann.as)).toEqual(first);
    expect(await reasonOf(it.comments.createComment({ ...request, body: "Twice" }, it.ann.as))).toBe(
      "REQUEST_ID_REUSED",
    );
  });
});
