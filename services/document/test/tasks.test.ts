import { createHash } from "node:crypto";
import { CommentService } from "@docket/contracts/gen/docket/document/v1/comment_service_pb.ts";
import type { GrantLevel } from "@docket/contracts/gen/docket/document/v1/grant_pb.ts";
import {
  NewVersionRule,
  TaskKind,
  TaskOutcome,
  TaskPriority,
  TaskStatus,
} from "@docket/contracts/gen/docket/document/v1/task_pb.ts";
import { newId } from "@docket/runtime/ids";
import { temporaryFolder } from "@docket/runtime/testing/temporary_folder";
import { describe, expect, it } from "@jest/globals";
import { insertTask, readTask, tasksOfDocument } from "../store/tasks.ts";
import { openBeside } from "./beside.ts";
import { alone, startTasks, titles, toGroup, toPerson } from "./task_world.ts";
import { metadataOf, on, reasonOf, type Somebody, type World } from "./world.ts";

const digestOf = (content: string) => new Uint8Array(createHash("sha256").update(content).digest());

async function newVersion(world: World, who: Somebody, documentId: string, content: string): Promise<void> {
  const uploadId = world.blobs.upload(who, world.workspaceId, "next.pdf", content);
  await world.versions.createVersion({ documentId, uploadId }, who.as);
}

describe("a task on a document", () => {
  it("is pinned to a version and its digest", async () => {
    await using it = await startTasks();
    const documentId = await it.world.document(it.ann, "Contract", { content: "one" });
    const task = await it.create(it.ann, {
      place: on(documentId),
      digest: digestOf("one"),
      assignee: toPerson(it.ann),
      dueDate: { year: 2026, month: 12, day: 24 },
    });
    expect(task).toMatchObject({
      pin: { documentId, versionNumber: 1, digest: digestOf("one") },
      kind: TaskKind.TODO,
      status: TaskStatus.OPEN,
      priority: TaskPriority.NORMAL,
      onNewVersion: NewVersionRule.GO_STALE,
      dueDate: { year: 2026, month: 12, day: 24 },
      assignee: toPerson(it.ann),
      stale: false,
    });
    expect(await it.get(it.ann, task.id)).toEqual(task);
    const other = it.tasks.createTask({ place: on(documentId), title: "x", digest: digestOf("two") }, it.ann.as);
    expect(await metadataOf(other)).toEqual({ version_number: "1" });
    const missing = it.tasks.createTask({ place: on(documentId), title: "x", versionNumber: 9 }, it.ann.as);
    expect(await reasonOf(missing)).toBe("NOT_FOUND");
  });

  it("stays with its version and says that it is stale, when its rule is to go stale", async () => {
    await using it = await startTasks();
    const documentId = await it.world.document(it.ann, "Contract", { content: "one" });
    const task = await it.create(it.ann, { place: on(documentId) });
    await newVersion(it.world, it.ann, documentId, "two");
    expect(await it.get(it.ann, task.id)).toMatchObject({
      stale: true,
      pin: { versionNumber: 1, digest: digestOf("one") },
    });
    const { task: done } = await it.tasks.completeTask({ taskId: task.id }, it.ann.as);
    expect(done).toMatchObject({
      stale: true,
      status: TaskStatus.COMPLETED,
      completion: { pin: { versionNumber: 1 } },
    });
  });

  it("moves on to the new version while it is open, when its rule is to be carried over", async () => {
    await using it = await startTasks();
    const documentId = await it.world.document(it.ann, "Contract", { content: "one" });
    const rule = { onNewVersion: NewVersionRule.CARRY_OVER };
    const open = await it.create(it.ann, { place: on(documentId), ...rule });
    const done = await it.create(it.ann, { place: on(documentId), ...rule });
    await it.tasks.completeTask({ taskId: done.id }, it.ann.as);
    await newVersion(it.world, it.ann, documentId, "two");
    expect(await it.get(it.ann, open.id)).toMatchObject({
      stale: false,
      pin: { versionNumber: 2, digest: digestOf("two") },
    });
    expect(await it.get(it.ann, done.id)).toMatchObject({
      stale: true,
      pin: { versionNumber: 1 },
      completion: { pin: { versionNumber: 1, digest: digestOf("one") } },
    });
  });

  it("opens again on the new version, when its rule is to be reopened; the approval stays one of the old version", async () => {
    await using it = await startTasks();
    const documentId = await it.world.document(it.ann, "Contract", { content: "one" });
    const task = await it.create(it.ann, {
      place: on(documentId),
      kind: TaskKind.APPROVAL,
      onNewVersion: NewVersionRule.REOPEN,
    });
    const approve = { taskId: task.id, outcome: TaskOutcome.APPROVED, digest: digestOf("one") };
    await it.tasks.completeTask(approve, it.ann.as);
    await newVersion(it.world, it.ann, documentId, "two");
    const after = await it.get(it.ann, task.id);
    expect(after).toMatchObject({
      status: TaskStatus.OPEN,
      pin: { versionNumber: 2 },
      lastCompletion: { outcome: TaskOutcome.APPROVED, pin: { versionNumber: 1, digest: digestOf("one") } },
    });
    expect(after.completion).toBeUndefined();
    expect(await reasonOf(it.tasks.completeTask(approve, it.ann.as))).toBe("TASK_PIN_MISMATCH");
  });

  it("is completed by its assignee and by commenters, changed by editors only, and hidden from strangers", async () => {
    await using it = await startTasks();
    const { world, tasks, ann } = it;
    const [viewer, commenter] = [await world.person("guest"), await world.person("guest")];
    const stranger = await world.person();
    const documentId = await world.document(ann, "Contract");
    const grant = (who: Somebody, level: GrantLevel) =>
      world.grants.setGrant(
        { resource: on(documentId), principal: { principal: { case: "personId", value: who.id } }, level },
        ann.as,
      );
    await grant(viewer, 1);
    await grant(commenter, 2);
    const mine = await it.create(ann, { place: on(documentId), assignee: toPerson(viewer) });
    const others = await it.create(ann, { place: on(documentId) });
    expect(await reasonOf(tasks.completeTask({ taskId: mine.id }, viewer.as))).toBe("OK");
    expect(await reasonOf(tasks.reopenTask({ taskId: mine.id }, viewer.as))).toBe("OK");
    expect(await reasonOf(tasks.completeTask({ taskId: others.id }, viewer.as))).toBe("PERMISSION_DENIED");
    expect(await reasonOf(tasks.completeTask({ taskId: others.id }, commenter.as))).toBe("OK");
    const rename = { taskId: others.id, title: "x", updateMask: { paths: ["title"] } };
    expect(await reasonOf(tasks.updateTask(rename, commenter.as))).toBe("PERMISSION_DENIED");
    expect(await reasonOf(tasks.updateTask(rename, ann.as))).toBe("OK");
    expect(await reasonOf(tasks.createTask({ place: on(documentId), title: "x" }, commenter.as))).toBe(
      "PERMISSION_DENIED",
    );
    for (const call of [
      tasks.getTask({ taskId: mine.id }, stranger.as),
      tasks.completeTask({ taskId: mine.id }, stranger.as),
      tasks.updateTask({ ...rename, taskId: mine.id }, stranger.as),
      tasks.deleteTask({ taskId: mine.id }, stranger.as),
      tasks.listTasks({ place: on(documentId) }, stranger.as),
      tasks.listTasks({ place: alone(world.workspaceId) }, stranger.as),
    ]) {
      expect(await reasonOf(call)).toBe("NOT_FOUND");
    }
  });

  it("cannot be changed while its document lies in the trash, and is in no list but the document's", async () => {
    await using it = await startTasks();
    const { world, tasks, ann } = it;
    const documentId = await world.document(ann, "Contract");
    const task = await it.create(ann, { place: on(documentId), assignee: toPerson(ann) });
    await world.documents.deleteDocument({ documentId }, ann.as);
    expect(await reasonOf(tasks.completeTask({ taskId: task.id }, ann.as))).toBe("TRASHED");
    expect(await reasonOf(tasks.createTask({ place: on(documentId), title: "x" }, ann.as))).toBe("TRASHED");
    expect(await titles(tasks.listTasks({ assignedToMe: true }, ann.as))).toEqual([]);
    expect(await titles(tasks.listTasks({ place: alone(world.workspaceId) }, ann.as))).toEqual([]);
    expect(await titles(tasks.listTasks({ place: on(documentId) }, ann.as))).toEqual(["Look"]);
    await world.documents.undeleteDocument({ documentId }, ann.as);
    expect(await titles(tasks.listTasks({ assignedToMe: true }, ann.as))).toEqual(["Look"]);
  });
});

describe("a task that stands alone", () => {
  it("is for those who may make tasks, and for its assignee", async () => {
    await using it = await startTasks();
    const { world, tasks, ann } = it;
    const [bob, guest, other] = [
      await world.person("member"),
      await world.person("guest"),
      await world.person("guest"),
    ];
    const task = await it.create(ann, { place: alone(world.workspaceId), assignee: toPerson(guest) });
    expect(task.pin).toBeUndefined();
    expect(await reasonOf(tasks.getTask({ taskId: task.id }, bob.as))).toBe("OK");
    expect(await reasonOf(tasks.completeTask({ taskId: task.id }, guest.as))).toBe("OK");
    expect(await reasonOf(tasks.getTask({ taskId: task.id }, other.as))).toBe("NOT_FOUND");
    expect(await titles(tasks.listTasks({ place: alone(world.workspaceId) }, guest.as))).toEqual(["Look"]);
    expect(await titles(tasks.listTasks({ place: alone(world.workspaceId) }, other.as))).toEqual([]);
    expect(await reasonOf(tasks.createTask({ place: alone(world.workspaceId), title: "x" }, guest.as))).toBe(
      "PERMISSION_DENIED",
    );
    const rename = { taskId: task.id, title: "Read", updateMask: { paths: ["title"] } };
    expect(await reasonOf(tasks.updateTask(rename, guest.as))).toBe("PERMISSION_DENIED");
    expect(await reasonOf(tasks.updateTask(rename, bob.as))).toBe("OK");
    const pinned = tasks.createTask({ place: alone(world.workspaceId), title: "x", versionNumber: 1 }, ann.as);
    expect(await reasonOf(pinned)).toBe("INVALID_ARGUMENT");
    const approval = { place: alone(world.workspaceId), title: "x", kind: TaskKind.APPROVAL };
    expect(await reasonOf(tasks.createTask(approval, ann.as))).toBe("INVALID_ARGUMENT");
  });
});

describe("changing a task", () => {
  it("follows the mask, and refuses an etag that is out of date", async () => {
    await using it = await startTasks();
    const { tasks, ann, world } = it;
    const groupId = world.users.group(world.workspaceId, ann);
    const task = await it.create(ann, { place: alone(world.workspaceId), dueDate: { year: 2026, month: 1, day: 2 } });
    const change = {
      taskId: task.id,
      title: "Sign",
      assignee: toGroup(groupId),
      status: TaskStatus.IN_PROGRESS,
      priority: TaskPriority.URGENT,
      updateMask: { paths: ["assignee", "status", "due_date", "priority"] },
      etag: task.etag,
    };
    const { task: changed } = await tasks.updateTask(change, ann.as);
    expect(changed).toMatchObject({
      title: "Look",
      assignee: toGroup(groupId),
      status: TaskStatus.IN_PROGRESS,
      priority: TaskPriority.URGENT,
    });
    expect(changed?.dueDate).toBeUndefined();
    expect(
      await reasonOf(tasks.updateTask({ ...change, title: "Other", updateMask: { paths: ["title"] } }, ann.as)),
    ).toBe("ETAG_MISMATCH");
    expect(await reasonOf(tasks.deleteTask({ taskId: task.id, etag: task.etag }, ann.as))).toBe("ETAG_MISMATCH");
  });

  it("refuses strangers as assignees, and days that do not exist", async () => {
    await using it = await startTasks();
    const stranger = await it.world.person();
    const values = { place: alone(it.world.workspaceId), title: "x" };
    const assigned = it.tasks.createTask({ ...values, assignee: toPerson(stranger) }, it.ann.as);
    expect(await metadataOf(assigned)).toEqual({ kind: "person", id: stranger.id });
    const dated = it.tasks.createTask({ ...values, dueDate: { year: 2026, month: 2, day: 30 } }, it.ann.as);
    expect(await reasonOf(dated)).toBe("INVALID_ARGUMENT");
  });

  it("answers a repeated completion, refuses another outcome, and opens again on the newest version", async () => {
    await using it = await startTasks();
    const { tasks, ann, world } = it;
    const documentId = await world.document(ann, "Contract", { content: "one" });
    const task = await it.create(ann, { place: on(documentId), kind: TaskKind.APPROVAL });
    const approve = { taskId: task.id, outcome: TaskOutcome.APPROVED, digest: digestOf("one"), etag: task.etag };
    expect(await reasonOf(tasks.completeTask({ taskId: task.id }, ann.as))).toBe("INVALID_ARGUMENT");
    const { task: first } = await tasks.completeTask(approve, ann.as);
    expect((await tasks.completeTask(approve, ann.as)).task).toEqual(first);
    const reject = { ...approve, outcome: TaskOutcome.REJECTED };
    expect(await reasonOf(tasks.completeTask(reject, ann.as))).toBe("TASK_STATUS");
    const back = { taskId: task.id, status: TaskStatus.OPEN, updateMask: { paths: ["status"] } };
    expect(await reasonOf(tasks.updateTask(back, ann.as))).toBe("TASK_STATUS");
    await newVersion(world, ann, documentId, "two");
    const { task: open } = await tasks.reopenTask({ taskId: task.id, newest: true }, ann.as);
    expect(open).toMatchObject({ stale: false, status: TaskStatus.OPEN, pin: { versionNumber: 2 } });
    expect(open?.lastCompletion?.pin?.versionNumber).toBe(1);
  });

  it("gives the first answer to a repeated request_id, and refuses it for another request", async () => {
    await using it = await startTasks();
    const request = { place: alone(it.world.workspaceId), title: "Once", requestId: newId() };
    const first = await it.tasks.createTask(request, it.ann.as);
    expect(await it.tasks.createTask(request, it.ann.as)).toEqual(first);
    expect(await reasonOf(it.tasks.createTask({ ...request, title: "Twice" }, it.ann.as))).toBe("REQUEST_ID_REUSED");
  });

  it("is refused in the trash and with an etag that is out of date, whatever the change", async () => {
    await using it = await startTasks();
    const { tasks, ann, world } = it;
    const documentId = await world.document(ann, "Contract");
    const { id: taskId, etag } = await it.create(ann, { place: on(documentId) });
    await tasks.updateTask({ taskId, title: "Sign", updateMask: { paths: ["title"] } }, ann.as);
    expect(await reasonOf(tasks.completeTask({ taskId, etag }, ann.as))).toBe("ETAG_MISMATCH");
    await tasks.completeTask({ taskId }, ann.as);
    expect(await reasonOf(tasks.reopenTask({ taskId, etag }, ann.as))).toBe("ETAG_MISMATCH");
    const stranger = await world.person();
    const assign = { taskId, assignee: toPerson(stranger), updateMask: { paths: ["assignee"] } };
    expect(await reasonOf(tasks.updateTask(assign, ann.as))).toBe("PRINCIPAL_UNKNOWN");
    await world.documents.deleteDocument({ documentId }, ann.as);
    expect(await reasonOf(tasks.reopenTask({ taskId }, ann.as))).toBe("TRASHED");
    expect(await reasonOf(tasks.updateTask({ taskId, title: "x", updateMask: { paths: ["title"] } }, ann.as))).toBe(
      "TRASHED",
    );
  });

  it("is one of a thousand on its document at most, all of which follow a new version", async () => {
    await using folder = await temporaryFolder();
    await using it = await startTasks({ folder: folder.path });
    const { tasks, ann, world } = it;
    const documentId = await world.document(ann, "Contract");
    const { id } = await it.create(ann, { place: on(documentId), onNewVersion: NewVersionRule.CARRY_OVER });
    await using db = await openBeside(folder.path);
    const row = await readTask(db.query, id);
    if (row === undefined) throw new Error("no task");
    await db.transaction(async (tx) => {
      for (let at = 1; at < 1000; at++) await insertTask(tx, { ...row, id: newId() });
    });
    expect(await metadataOf(tasks.createTask({ place: on(documentId), title: "x" }, ann.as))).toEqual({
      limit: "1000",
    });
    await newVersion(world, ann, documentId, "two");
    const rows = await tasksOfDocument(db.query, world.workspaceId, documentId);
    expect(rows.map((one) => one.version_number)).toEqual(Array.from({ length: 1000 }, () => 2));
  });

  it("removes a task with its comments", async () => {
    await using it = await startTasks();
    const comments = it.world.client(CommentService);
    const task = await it.create(it.ann, { place: alone(it.world.workspaceId) });
    const subject = { case: "taskId" as const, value: task.id };
    const { comment } = await comments.createComment({ subject, body: "Hello" }, it.ann.as);
    await it.tasks.deleteTask({ taskId: task.id }, it.ann.as);
    expect(await reasonOf(it.tasks.getTask({ taskId: task.id }, it.ann.as))).toBe("NOT_FOUND");
    expect(await reasonOf(comments.deleteComment({ commentId: comment?.id ?? "" }, it.ann.as))).toBe("NOT_FOUND");
  });
});
