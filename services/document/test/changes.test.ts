import { ChangeKind, WatchStart } from "@docket/contracts/gen/docket/document/v1/change_pb.ts";
import { CommentService } from "@docket/contracts/gen/docket/document/v1/comment_service_pb.ts";
import { NewVersionRule } from "@docket/contracts/gen/docket/document/v1/task_pb.ts";
import { TaskService } from "@docket/contracts/gen/docket/document/v1/task_service_pb.ts";
import { Permission } from "@docket/contracts/gen/docket/policy/v1/policy_pb.ts";
import { encodeCursor } from "@docket/runtime/changelog/cursor";
import { newId } from "@docket/runtime/ids";
import { eventually } from "@docket/runtime/testing/eventually";
import { describe, expect, it } from "@jest/globals";
import { only, person, rename, startChanges } from "./change_world.ts";
import { kindsOf, watch } from "./watcher.ts";
import { on, reasonOf, within } from "./world.ts";

describe("WatchChanges", () => {
  it("tells of everything that happens, with ids only", async () => {
    await using it = await startChanges();
    const { world, ann, changes } = it;
    await using watcher = watch(changes, ann, only(world));
    await watcher.opened();
    const tasks = world.client(TaskService);
    const comments = world.client(CommentService);
    const folderId = await world.folder(ann, "Folder");
    const documentId = await world.document(ann, "Contract");
    await rename(world, ann, documentId, "Agreement");
    await world.documents.moveDocument({ documentId, target: { case: "targetFolderId", value: folderId } }, ann.as);
    const rule = { onNewVersion: NewVersionRule.REOPEN };
    const { task } = await tasks.createTask({ place: on(documentId), title: "Read", ...rule }, ann.as);
    const taskId = task?.id ?? "";
    await tasks.completeTask({ taskId }, ann.as);
    const uploadId = world.blobs.upload(ann, world.workspaceId, "next.pdf", "next");
    await world.versions.createVersion({ documentId, uploadId }, ann.as);
    await comments.createComment({ subject: { case: "taskId", value: taskId }, body: "Hello" }, ann.as);
    await tasks.deleteTask({ taskId }, ann.as);
    await world.documents.deleteDocument({ documentId }, ann.as);
    const told = await watcher.told(11);
    expect(kindsOf(told)).toEqual([
      "FOLDER_CREATED",
      "DOCUMENT_CREATED",
      "DOCUMENT_UPDATED",
      "DOCUMENT_MOVED",
      "TASK_CREATED",
      "TASK_COMPLETED",
      "VERSION_CREATED",
      "TASK_REOPENED",
      "COMMENT_CREATED",
      "TASK_DELETED",
      "DOCUMENT_TRASHED",
    ]);
    expect(told.map(({ sequence }) => sequence)).toEqual(told.map((_, at) => (told[0]?.sequence ?? 0n) + BigInt(at)));
    expect(new Set(told.map(({ id }) => id)).size).toBe(told.length);
    expect(told[6]).toMatchObject({
      documentId,
      folderId,
      version: { number: 2 },
      actor: { actor: { value: ann.id } },
    });
    expect(told[7]).toMatchObject({ documentId, taskId });
    expect(
      JSON.stringify(told, (_, value: unknown) => (typeof value === "bigint" ? String(value) : value)),
    ).not.toContain("Agreement");
  });

  it("goes on from each change's cursor without a gap", async () => {
    await using it = await startChanges();
    const { world, ann, changes } = it;
    const documentId = await world.document(ann, "Contract");
    for (let at = 0; at < 9; at++) await rename(world, ann, documentId, `Contract ${at}`);
    await using all = watch(changes, ann, { ...only(world), start: WatchStart.OLDEST });
    const told = [...(await all.told(10))];
    for (const [at, { cursor }] of told.entries()) {
      await using rest = watch(changes, ann, { ...only(world), cursor });
      await rest.told(told.length - at - 1);
      expect(rest.changes.map(({ id }) => id)).toEqual(told.slice(at + 1).map(({ id }) => id));
    }
  });

  it("skips nothing and keeps the order of each document while many write and the watcher is cut again and again", async () => {
    await using it = await startChanges();
    const { world, ann, changes } = it;
    const documents = await Promise.all(Array.from({ length: 6 }, (_, at) => world.document(ann, `D${at}`)));
    const rounds = 15;
    const { cursor } = await changes.listChanges({ ...only(world) }, ann.as);
    const writing = Promise.all(
      documents.map(async (documentId) => {
        for (let at = 0; at < rounds; at++) await rename(world, ann, documentId, `round ${at}`);
      }),
    );
    const seen: { id: string; documentId: string | undefined; sequence: bigint }[] = [];
    let place = cursor;
    while (seen.length < documents.length * rounds) {
      await using watcher = watch(changes, ann, { ...only(world), cursor: place });
      await watcher.told(1);
      for (const { id, documentId, sequence, cursor: after } of watcher.changes) {
        seen.push({ id, documentId, sequence });
        place = after;
      }
    }
    await writing;
    expect(new Set(seen.map(({ id }) => id)).size).toBe(documents.length * rounds);
    const sequences = seen.map(({ sequence }) => sequence);
    expect(sequences).toEqual([...sequences].sort((a, b) => Number(a - b)));
    for (const documentId of documents)
      expect(seen.filter((one) => one.documentId === documentId)).toHaveLength(rounds);
  });

  it("keeps to the documents and kinds that are asked for, and to the shard", async () => {
    await using it = await startChanges();
    const { world, ann, changes } = it;
    const documents = await Promise.all(Array.from({ length: 12 }, (_, at) => world.document(ann, `D${at}`)));
    for (const documentId of documents) await rename(world, ann, documentId, "Renamed");
    const { workspaceId } = world;
    const start = WatchStart.OLDEST;
    const first = documents[0] ?? "";
    const filter = { workspaceIds: [workspaceId], documentIds: [first], kinds: [ChangeKind.DOCUMENT_UPDATED] };
    await using one = watch(changes, ann, { filter, start });
    expect((await one.told(1)).map(({ documentId }) => documentId)).toEqual([first]);
    const shards = [0, 1, 2].map((index) => watch(changes, ann, { ...only(world), start, shard: { index, count: 3 } }));
    await eventually(() => expect(shards.reduce((sum, shard) => sum + shard.changes.length, 0)).toBe(24));
    const told = shards.map((shard) => new Set(shard.changes.map(({ documentId }) => documentId)));
    expect(told.reduce((sum, set) => sum + set.size, 0)).toBe(12);
    await Promise.all(shards.map((shard) => shard[Symbol.asyncDispose]()));
    const wrong = watch(changes, ann, { ...only(world), shard: { index: 3, count: 3 } });
    expect(await wrong.ended()).toBe("INVALID_ARGUMENT");
  });

  it("beats while nothing happens, with a place and no lag", async () => {
    await using it = await startChanges({ watching: { heartbeatMs: 20 } });
    await using watcher = watch(it.changes, it.ann, only(it.world));
    await eventually(() => expect(watcher.messages).toBeGreaterThan(3));
    expect(watcher.changes).toEqual([]);
    expect(watcher.cursor).not.toBe("");
  });

  it("refuses cursors that are garbage, of others, or older than the log, and workspaces of others", async () => {
    await using it = await startChanges();
    const { world, ann, changes } = it;
    const ends = async (request: Parameters<typeof watch>[2]) => await watch(changes, ann, request).ended();
    expect(await ends({ ...only(world), cursor: "bm9uc2Vuc2U" })).toBe("CURSOR_INVALID");
    expect(await ends({ ...only(world), cursor: encodeCursor(new Map([[newId(), 1]])) })).toBe("CURSOR_INVALID");
    expect(await ends({ ...only(world), cursor: encodeCursor(new Map([[world.workspaceId, 99]])) })).toBe(
      "CURSOR_INVALID",
    );
    expect(await ends({ filter: { workspaceIds: [newId()] } })).toBe("NOT_FOUND");
    expect(await ends({ subscriptionId: newId() })).toBe("NOT_FOUND");
    expect(await reasonOf(changes.listChanges({ ...only(world), cursor: "x" }, ann.as))).toBe("CURSOR_INVALID");
    const stranger = await world.person();
    expect(await watch(changes, stranger, only(world)).ended()).toBe("NOT_FOUND");
    const key = await world.application("member", [Permission.DOCUMENT_VIEW]);
    expect(await watch(changes, key, only(world)).ended()).toBe("KEY_SCOPE_MISSING");
  });

  it("gives a key the changes of its own workspace, when it asks for none by name", async () => {
    await using it = await startChanges();
    const { world, ann, changes } = it;
    const key = await world.application("member", [Permission.CHANGE_WATCH]);
    await using watcher = watch(changes, key, {});
    await watcher.opened();
    const documentId = await world.document(ann, "Contract");
    expect(await watcher.told(1)).toMatchObject([{ kind: ChangeKind.DOCUMENT_CREATED, documentId }]);
  });

  it("ends when somebody has too many streams open", async () => {
    await using it = await startChanges({ watching: { streamsOfSubject: 1 } });
    await using first = watch(it.changes, it.ann, only(it.world));
    await first.opened();
    expect(await watch(it.changes, it.ann, only(it.world)).ended()).toBe("LIMIT_REACHED");
  });
});

it("refuses to follow more workspaces than a cursor has room for, unless they are named", async () => {
  await using it = await startChanges();
  for (let at = 0; at < 250; at++) it.world.users.join(it.ann, newId());
  expect(await watch(it.changes, it.ann, {}).ended()).toBe("LIMIT_REACHED");
  expect(await reasonOf(it.changes.listChanges({}, it.ann.as))).toBe("LIMIT_REACHED");
  expect(await reasonOf(it.changes.listChanges(only(it.world), it.ann.as))).toBe("OK");
});

describe("the end of things", () => {
  it("is told of a purge by id to those who see where it lay, and as ACCESS_LOST to those who had it alone", async () => {
    await using it = await startChanges();
    const { world, ann, changes } = it;
    const [guest, other] = [await world.person("guest"), await world.person("guest")];
    const folderId = await world.folder(ann, "Shared");
    const documentId = await world.document(ann, "Contract", { folderId });
    await world.grants.setGrant({ resource: on(documentId), principal: person(guest), level: 1 }, ann.as);
    await world.grants.setGrant({ resource: within(folderId), principal: person(other), level: 1 }, ann.as);
    await world.documents.deleteDocument({ documentId }, ann.as);
    const watchers = [ann, guest, other].map((who) => watch(changes, who, only(world)));
    await Promise.all(watchers.map((watcher) => watcher.opened()));
    await world.documents.purgeDocument({ documentId }, ann.as);
    const told = await Promise.all(watchers.map((watcher) => watcher.told(1)));
    expect(told.map(kindsOf)).toEqual([["DOCUMENT_PURGED"], ["ACCESS_LOST"], ["DOCUMENT_PURGED"]]);
    for (const [one] of told) expect(one).toMatchObject({ documentId, etag: "" });
    await Promise.all(watchers.map((watcher) => watcher[Symbol.asyncDispose]()));
  });

  it("is told of a workspace that was deleted, as such", async () => {
    await using it = await startChanges();
    const { world, ann, changes } = it;
    await using watcher = watch(changes, ann, only(world));
    await watcher.opened();
    world.users.remove(world.workspaceId);
    const told = await watcher.told(1);
    expect(told).toMatchObject([{ kind: ChangeKind.WORKSPACE_DELETED, workspaceId: world.workspaceId }]);
    expect(await watcher.ended()).toBe("NOT_FOUND");
  });
});

describe("ListChanges", () => {
  it("gives the same log page by page", async () => {
    await using it = await startChanges();
    const { world, ann, changes } = it;
    for (let at = 0; at < 5; at++) await world.folder(ann, `F${at}`);
    const first = await changes.listChanges({ ...only(world), start: WatchStart.OLDEST, pageSize: 2 }, ann.as);
    expect([first.changes.length, first.more]).toEqual([2, true]);
    const second = await changes.listChanges({ ...only(world), cursor: first.cursor, pageSize: 10 }, ann.as);
    expect([second.changes.length, second.more]).toEqual([3, false]);
    const third = await changes.listChanges({ ...only(world), cursor: second.cursor }, ann.as);
    expect([third.changes.length, third.more, third.cursor]).toEqual([0, false, second.cursor]);
    const folders = [...first.changes, ...second.changes].map(({ folderId }) => folderId);
    expect(new Set(folders).size).toBe(5);
  });
});
