import type { Change } from "@docket/contracts/gen/docket/document/v1/change_pb.ts";
import { ChangeService } from "@docket/contracts/gen/docket/document/v1/change_service_pb.ts";
import { CommentService } from "@docket/contracts/gen/docket/document/v1/comment_service_pb.ts";
import { GrantLevel } from "@docket/contracts/gen/docket/document/v1/grant_pb.ts";
import { TaskService } from "@docket/contracts/gen/docket/document/v1/task_service_pb.ts";
import { describe, expect, it } from "@jest/globals";
import { kindsOf } from "./watcher.ts";
import { on, reasonOf, type Somebody, startWorld } from "./world.ts";

describe("ListActivity", () => {
  it("tells what happened to a document and to what hangs on it, the newest first, page by page", async () => {
    await using world = await startWorld();
    const [ann, guest] = [await world.person("member"), await world.person("guest")];
    const changes = world.client(ChangeService);
    const tasks = world.client(TaskService);
    const comments = world.client(CommentService);
    const folderId = await world.folder(ann, "Folder");
    const documentId = await world.document(ann, "Contract");
    await world.document(ann, "Other");
    await world.documents.moveDocument({ documentId, target: { case: "targetFolderId", value: folderId } }, ann.as);
    const { task } = await tasks.createTask({ place: on(documentId), title: "Read" }, ann.as);
    await comments.createComment({ subject: { case: "taskId", value: task?.id ?? "" }, body: "Hello" }, ann.as);
    const resource = on(documentId);
    const principal = { principal: { case: "personId" as const, value: guest.id } };
    await world.grants.setGrant({ resource, principal, level: GrantLevel.VIEWER }, ann.as);
    await world.documents.updateDocument({ documentId, title: "Agreement", updateMask: { paths: ["title"] } }, ann.as);
    const uploadId = world.blobs.upload(ann, world.workspaceId, "next.pdf", "next");
    await world.versions.createVersion({ documentId, uploadId }, ann.as);
    await world.folders.deleteFolder({ folderId }, ann.as);

    const list = async (who: Somebody) => {
      const seen: Change[] = [];
      let pageToken = "";
      do {
        const page = await changes.listActivity({ documentId, pageSize: 1, pageToken }, who.as);
        expect(page.changes.length).toBeLessThanOrEqual(1);
        seen.push(...page.changes);
        pageToken = page.nextPageToken;
      } while (pageToken !== "");
      return seen;
    };
    const all = await list(ann);
    const about = ["DOCUMENT_CREATED", "DOCUMENT_MOVED", "TASK_CREATED", "COMMENT_CREATED"];
    const later = ["DOCUMENT_UPDATED", "VERSION_CREATED", "TASK_UPDATED", "DOCUMENT_TRASHED"];
    expect(kindsOf(all).reverse()).toEqual([...about, "GRANT_SET", ...later]);
    expect(all.at(-1)).toMatchObject({ documentId, version: { number: 1 }, actor: { actor: { value: ann.id } } });
    expect(all[1]?.sequence).toBeGreaterThan(0n);

    // Who may not list grants is not told of them, nor of folders that are hidden.
    const theirs = await list(guest);
    expect(kindsOf(theirs).reverse()).toEqual([...about, ...later]);
    expect(theirs.every((change) => change.folderId === undefined)).toBe(true);
    expect(await reasonOf(changes.listActivity({ documentId }, (await world.person("guest")).as))).toBe("NOT_FOUND");
    const token = (await changes.listActivity({ documentId, pageSize: 1 }, ann.as)).nextPageToken;
    expect(await reasonOf(changes.listActivity({ documentId, pageToken: token }, guest.as))).toBe("PAGE_TOKEN_INVALID");
  });
});
