// What changes look like to those who may see only some of them.
import { ChangeKind, WatchStart } from "@docket/contracts/gen/docket/document/v1/change_pb.ts";
import { decodeCursor } from "@docket/runtime/changelog/cursor";
import { newId } from "@docket/runtime/ids";
import { eventually } from "@docket/runtime/testing/eventually";
import { describe, expect, it } from "@jest/globals";
import { only, person, rename, startChanges } from "./change_world.ts";
import { kindsOf, watch } from "./watcher.ts";
import { on, within } from "./world.ts";

describe("what a watcher may not see", () => {
  it("is not told, neither live nor in replay, nor are ids of folders above what they may see", async () => {
    await using it = await startChanges();
    const { world, ann, changes } = it;
    const guest = await world.person("guest");
    const secret = await world.folder(ann, "Secret");
    const hidden = await world.document(ann, "Hidden", { folderId: secret });
    const shared = await world.document(ann, "Shared", { folderId: secret });
    await world.grants.setGrant({ resource: on(shared), principal: person(guest), level: 1 }, ann.as);
    await using live = watch(changes, guest, only(world));
    await live.opened();
    for (const documentId of [hidden, shared]) await rename(world, ann, documentId, "Renamed");
    const told = await live.told(1);
    expect(told).toMatchObject([{ kind: ChangeKind.DOCUMENT_UPDATED, documentId: shared }]);
    expect(told[0]?.folderId).toBeUndefined();
    await using replay = watch(changes, guest, { ...only(world), start: WatchStart.OLDEST });
    await replay.told(3);
    expect(kindsOf(replay.changes)).toEqual(["DOCUMENT_CREATED", "ACCESS_GAINED", "DOCUMENT_UPDATED"]);
    expect(new Set(replay.changes.map(({ documentId }) => documentId))).toEqual(new Set([shared]));
    const text = JSON.stringify(replay.changes, (_, value: unknown) =>
      typeof value === "bigint" ? String(value) : value,
    );
    for (const id of [secret, hidden]) expect(text).not.toContain(id);
  });

  it("begins with ACCESS_GAINED and ends with ACCESS_LOST when a grant comes and goes, and no history is filled in", async () => {
    await using it = await startChanges();
    const { world, ann, changes } = it;
    const guest = await world.person("guest");
    const folderId = await world.folder(ann, "Shared");
    const documentId = await world.document(ann, "Contract", { folderId });
    await using watcher = watch(changes, guest, only(world));
    await watcher.opened();
    const grant = { resource: within(folderId), principal: person(guest) };
    await rename(world, ann, documentId, "before");
    await world.grants.setGrant({ ...grant, level: 1 }, ann.as);
    await rename(world, ann, documentId, "between");
    await watcher.told(2);
    await world.grants.revokeGrant(grant, ann.as);
    await rename(world, ann, documentId, "after");
    await watcher.told(3);
    // Something that comes after all of it, to know that nothing else was told.
    const other = await world.document(ann, "Other");
    await world.grants.setGrant({ resource: on(other), principal: person(guest), level: 1 }, ann.as);
    const told = await watcher.told(4);
    expect(kindsOf(told)).toEqual(["ACCESS_GAINED", "DOCUMENT_UPDATED", "ACCESS_LOST", "ACCESS_GAINED"]);
    expect(told[0]).toMatchObject({ folderId });
    expect(told[0]?.grant).toBeUndefined();
    expect(told[2]).toMatchObject({ folderId });
    expect(told[3]).toMatchObject({ documentId: other });
  });

  it("is never told after the grant is gone, however fast grants come and go", async () => {
    await using it = await startChanges({ watching: { heartbeatMs: 20 } });
    const { world, ann, changes } = it;
    const guest = await world.person("guest");
    const documentId = await world.document(ann, "Contract");
    const grant = { resource: on(documentId), principal: person(guest) };
    await using watcher = watch(changes, guest, only(world));
    await watcher.opened();
    // DOCUMENT_CREATED, then six rows a round: the grant and whom it concerns, the change, the same of the revocation, the secret.
    const endOf = (round: number) => 1 + round * 6;
    const rounds = 25;
    for (let round = 1; round <= rounds; round++) {
      await world.grants.setGrant({ ...grant, level: 1 }, ann.as);
      await rename(world, ann, documentId, `allowed ${round}`);
      await world.grants.revokeGrant(grant, ann.as);
      await rename(world, ann, documentId, `secret ${round}`);
      // A change is judged when it is delivered, so it must be before the next grant allows it.
      await eventually(() =>
        expect(decodeCursor(watcher.cursor)?.get(world.workspaceId)).toBeGreaterThanOrEqual(endOf(round)),
      );
    }
    const updates = watcher.changes.filter(({ kind }) => kind === ChangeKind.DOCUMENT_UPDATED);
    for (const { sequence } of updates) expect((Number(sequence) - 1) % 6).toBe(3);
  });

  it("changes with the place of a document", async () => {
    await using it = await startChanges();
    const { world, ann, changes } = it;
    const guest = await world.person("guest");
    const shared = await world.folder(ann, "Shared");
    const secret = await world.folder(ann, "Secret");
    await world.grants.setGrant({ resource: within(shared), principal: person(guest), level: 1 }, ann.as);
    const documentId = await world.document(ann, "Contract", { folderId: secret });
    await using watcher = watch(changes, guest, only(world));
    await watcher.opened();
    const move = (value: string) =>
      world.documents.moveDocument({ documentId, target: { case: "targetFolderId", value } }, ann.as);
    await move(shared);
    await watcher.told(2);
    await move(secret);
    const told = await watcher.told(3);
    expect(kindsOf(told)).toEqual(["ACCESS_GAINED", "DOCUMENT_MOVED", "ACCESS_LOST"]);
    expect(told[1]).toMatchObject({ documentId, folderId: shared });
    expect(told[1]?.fromFolderId).toBeUndefined();
    expect(told[2]).toMatchObject({ documentId });
    expect(told[2]?.folderId).toBeUndefined();
  });

  it("changes with workspaces that somebody joins and leaves while they watch", async () => {
    await using it = await startChanges();
    const { world, ann, changes } = it;
    const bob = await world.person("member");
    const elsewhere = newId();
    await using watcher = watch(changes, bob, {});
    await watcher.opened();
    world.users.join(bob, elsewhere);
    expect(await watcher.told(1)).toMatchObject([{ kind: ChangeKind.ACCESS_GAINED, workspaceId: elsewhere }]);
    world.users.join(ann, elsewhere);
    await world.folders.createFolder({ parent: { case: "workspaceId", value: elsewhere }, name: "New" }, ann.as);
    await watcher.told(2);
    world.users.leave(bob, elsewhere);
    await watcher.told(3);
    expect(kindsOf(watcher.changes)).toEqual(["ACCESS_GAINED", "FOLDER_CREATED", "ACCESS_LOST"]);
    const { cursor } = watcher;
    world.users.leave(bob, world.workspaceId);
    await watcher.told(4);
    await using resumed = watch(changes, bob, { cursor });
    expect(await resumed.told(1)).toMatchObject([{ kind: ChangeKind.ACCESS_LOST, workspaceId: world.workspaceId }]);
  });

  it("changes with the groups that somebody is in", async () => {
    await using it = await startChanges();
    const { world, ann, changes } = it;
    const guest = await world.person("guest");
    const documentId = await world.document(ann, "Contract");
    await using watcher = watch(changes, guest, only(world));
    await watcher.opened();
    const groupId = world.users.group(world.workspaceId, guest);
    await watcher.told(1);
    const group = { principal: { case: "groupId" as const, value: groupId } };
    await world.grants.setGrant({ resource: on(documentId), principal: group, level: 2 }, ann.as);
    await watcher.told(2);
    await rename(world, ann, documentId, "Renamed");
    const told = await watcher.told(3);
    expect(kindsOf(told)).toEqual(["ACCESS_GAINED", "ACCESS_GAINED", "DOCUMENT_UPDATED"]);
    expect(told[1]).toMatchObject({ documentId });
  });

  it("includes grants, unless one may change the resource", async () => {
    await using it = await startChanges();
    const { world, ann, changes } = it;
    const [bob, guest] = [await world.person("member"), await world.person("guest")];
    const documentId = await world.document(ann, "Contract");
    await using editor = watch(changes, bob, only(world));
    await editor.opened();
    await world.grants.setGrant({ resource: on(documentId), principal: person(guest), level: 1 }, ann.as);
    await using viewer = watch(changes, guest, { ...only(world), start: WatchStart.OLDEST });
    expect(kindsOf(await editor.told(1))).toEqual(["GRANT_SET"]);
    expect(editor.changes[0]?.grant?.level).toBe(1);
    await rename(world, ann, documentId, "Renamed");
    await viewer.told(3);
    expect(kindsOf(viewer.changes)).toEqual(["DOCUMENT_CREATED", "ACCESS_GAINED", "DOCUMENT_UPDATED"]);
  });
});
