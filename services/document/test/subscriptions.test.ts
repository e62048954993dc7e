import type { MessageInitShape } from "@bufbuild/protobuf";
import { ChangeKind, WatchStart } from "@docket/contracts/gen/docket/document/v1/change_pb.ts";
import { ChangeService } from "@docket/contracts/gen/docket/document/v1/change_service_pb.ts";
import type { CreateSubscriptionRequestSchema } from "@docket/contracts/gen/docket/document/v1/subscription_pb.ts";
import { appendChanges } from "@docket/runtime/changelog/append";
import { encodeCursor } from "@docket/runtime/changelog/cursor";
import { trimChanges } from "@docket/runtime/changelog/trim";
import { newId } from "@docket/runtime/ids";
import { eventually } from "@docket/runtime/testing/eventually";
import { temporaryFolder } from "@docket/runtime/testing/temporary_folder";
import { describe, expect, it } from "@jest/globals";
import { recordChanges } from "../store/changes.ts";
import { openBeside } from "./beside.ts";
import { watch } from "./watcher.ts";
import { metadataOf, reasonOf, type Somebody, startWorld } from "./world.ts";

/** A world with its ChangeService and a member who subscribes. */
async function startSubscriptions(options: Parameters<typeof startWorld>[0] = {}) {
  const world = await startWorld(options);
  const ann = await world.person("member");
  const changes = world.client(ChangeService);
  const { workspaceId } = world;
  return {
    world,
    ann,
    changes,
    async subscribe(who: Somebody, values: MessageInitShape<typeof CreateSubscriptionRequestSchema> = {}) {
      const { subscription } = await changes.createSubscription({ workspaceId, name: "consumer", ...values }, who.as);
      if (subscription === undefined) throw new Error("no subscription");
      return subscription;
    },
    async subscription(who: Somebody, subscriptionId: string) {
      const { subscription } = await changes.getSubscription({ subscriptionId }, who.as);
      if (subscription === undefined) throw new Error("no subscription");
      return subscription;
    },
    [Symbol.asyncDispose]: () => world[Symbol.asyncDispose](),
  };
}

describe("a named subscription", () => {
  it("goes on where it was acknowledged after its consumer was killed, and loses nothing", async () => {
    await using it = await startSubscriptions();
    const { world, ann, changes } = it;
    const { id: subscriptionId } = await it.subscribe(ann);
    for (let at = 0; at < 6; at++) await world.folder(ann, `F${at}`);
    const first = watch(changes, ann, { subscriptionId });
    const told = [...(await first.told(6))];
    await changes.acknowledgeChanges({ subscriptionId, cursor: told[2]?.cursor ?? "" }, ann.as);
    await first[Symbol.asyncDispose]();
    await world.folder(ann, "F6");
    await using second = watch(changes, ann, { subscriptionId });
    await second.told(4);
    expect(second.changes.map(({ id }) => id).slice(0, 3)).toEqual(told.slice(3).map(({ id }) => id));
    const listed = await changes.listChanges({ subscriptionId, pageSize: 2 }, ann.as);
    expect(listed.changes.map(({ id }) => id)).toEqual(told.slice(3, 5).map(({ id }) => id));
    expect(listed.more).toBe(true);
  });

  it("acknowledges only forwards, and says how far it is behind", async () => {
    await using it = await startSubscriptions();
    const { world, ann, changes } = it;
    const made = await it.subscribe(ann);
    expect(made).toMatchObject({
      name: "consumer",
      createdBy: { actor: { value: ann.id } },
      shards: [{ index: 0, lagCount: 0n }],
    });
    for (let at = 0; at < 3; at++) await world.folder(ann, `F${at}`);
    const { changes: told } = await changes.listChanges({ subscriptionId: made.id }, ann.as);
    const [one, two, three] = told.map(({ cursor }) => cursor);
    const acknowledge = async (cursor = "") => {
      const { subscription } = await changes.acknowledgeChanges({ subscriptionId: made.id, cursor }, ann.as);
      return subscription?.shards[0];
    };
    expect(await acknowledge(two)).toMatchObject({ cursor: two, lagCount: 1n });
    expect(await acknowledge(one)).toMatchObject({ cursor: two, lagCount: 1n });
    expect(await acknowledge(three)).toMatchObject({ cursor: three, lagCount: 0n });
    expect((await it.subscription(ann, made.id)).shards[0]).toMatchObject({ cursor: three, lagCount: 0n });
  });

  it("refuses places of other workspaces, of the future, and garbage; and shards that it has not", async () => {
    await using it = await startSubscriptions();
    const { world, ann, changes } = it;
    const { id: subscriptionId } = await it.subscribe(ann, { shardCount: 2 });
    const { workspaceId } = world;
    for (const cursor of ["x", encodeCursor(new Map([[newId(), 0]])), encodeCursor(new Map([[workspaceId, 7]]))]) {
      expect(await reasonOf(changes.acknowledgeChanges({ subscriptionId, cursor }, ann.as))).toBe("CURSOR_INVALID");
    }
    const cursor = encodeCursor(new Map([[workspaceId, 0]]));
    const shard = changes.acknowledgeChanges({ subscriptionId, cursor, shardIndex: 2 }, ann.as);
    expect(await metadataOf(shard)).toEqual({ count: "2" });
    for (const wrong of [undefined, { index: 0, count: 3 }, { index: 2, count: 2 }]) {
      const request = { subscriptionId, ...(wrong && { shard: wrong }) };
      expect(await watch(changes, ann, request).ended()).toBe("SHARD_INVALID");
      expect(await reasonOf(changes.listChanges(request, ann.as))).toBe("SHARD_INVALID");
    }
    const filtered = changes.listChanges({ subscriptionId, filter: { kinds: [ChangeKind.TASK_CREATED] } }, ann.as);
    expect(await reasonOf(filtered)).toBe("INVALID_ARGUMENT");
  });

  it("shares the work among its shards, each with a place of its own, so that every change goes to one", async () => {
    await using it = await startSubscriptions();
    const { world, ann, changes } = it;
    const count = 4;
    const { id: subscriptionId } = await it.subscribe(ann, {
      shardCount: count,
      filter: { kinds: [ChangeKind.FOLDER_CREATED] },
    });
    const folders = await Promise.all(Array.from({ length: 20 }, (_, at) => world.folder(ann, `F${at}`)));
    await world.document(ann, "Contract");
    const shards = Array.from({ length: count }, (_, index) =>
      watch(changes, ann, { subscriptionId, shard: { index, count } }),
    );
    await eventually(() => expect(shards.flatMap((shard) => shard.changes)).toHaveLength(folders.length));
    const told = shards.flatMap((shard) => shard.changes.map(({ folderId }) => folderId));
    expect([...told].sort()).toEqual([...folders].sort());
    await changes.acknowledgeChanges({ subscriptionId, shardIndex: 1, cursor: shards[1]?.cursor ?? "" }, ann.as);
    await Promise.all(shards.map((shard) => shard[Symbol.asyncDispose]()));
    const { shards: kept } = await it.subscription(ann, subscriptionId);
    expect(kept.map(({ lagCount }) => lagCount > 0n)).toEqual([true, false, true, true]);
  });

  it("belongs to its maker and to owners and admins; others do not find it", async () => {
    await using it = await startSubscriptions();
    const { world, ann, changes } = it;
    const [bob, admin] = [await world.person("member"), await world.person("admin")];
    const { id: subscriptionId } = await it.subscribe(ann, { name: "b" });
    await it.subscribe(bob, { name: "a" });
    const { workspaceId } = world;
    const names = async (who: Somebody) =>
      (await changes.listSubscriptions({ workspaceId }, who.as)).subscriptions.map(({ name }) => name);
    expect([await names(ann), await names(bob), await names(admin)]).toEqual([["b"], ["a"], ["a", "b"]]);
    const page = await changes.listSubscriptions({ workspaceId, pageSize: 1 }, admin.as);
    const rest = await changes.listSubscriptions({ workspaceId, pageSize: 1, pageToken: page.nextPageToken }, admin.as);
    expect(rest.subscriptions.map(({ name }) => name)).toEqual(["b"]);
    expect(await reasonOf(changes.listSubscriptions({ workspaceId, pageToken: "x" }, ann.as))).toBe(
      "PAGE_TOKEN_INVALID",
    );
    for (const call of [
      changes.getSubscription({ subscriptionId }, bob.as),
      changes.deleteSubscription({ subscriptionId }, bob.as),
      changes.listChanges({ subscriptionId }, bob.as),
      changes.acknowledgeChanges({ subscriptionId, cursor: "x" }, bob.as),
      changes.createSubscription({ workspaceId, name: "c" }, (await world.person()).as),
    ]) {
      expect(await reasonOf(call)).toBe("NOT_FOUND");
    }
    expect(await reasonOf(changes.getSubscription({ subscriptionId }, admin.as))).toBe("OK");
  });

  it("has a name of its own in the workspace, and is made once by a repeated request_id", async () => {
    await using it = await startSubscriptions();
    const { workspaceId } = it.world;
    await it.subscribe(it.ann);
    const again = it.changes.createSubscription({ workspaceId, name: "consumer" }, it.ann.as);
    expect(await metadataOf(again)).toEqual({ name: "consumer" });
    const request = { workspaceId, name: "once", requestId: newId() };
    const first = await it.changes.createSubscription(request, it.ann.as);
    expect(await it.changes.createSubscription(request, it.ann.as)).toEqual(first);
    expect(await reasonOf(it.changes.createSubscription({ ...request, name: "two" }, it.ann.as))).toBe(
      "REQUEST_ID_REUSED",
    );
    expect(await reasonOf(it.changes.createSubscription({ workspaceId, name: "No Blanks" }, it.ann.as))).toBe(
      "INVALID_ARGUMENT",
    );
  });

  it("is one of a hundred at most", async () => {
    await using it = await startSubscriptions();
    const names = Array.from({ length: 100 }, (_, at) => `s${at}`);
    await Promise.all(names.map((name) => it.subscribe(it.ann, { name })));
    const one = it.changes.createSubscription({ workspaceId: it.world.workspaceId, name: "more" }, it.ann.as);
    expect(await metadataOf(one)).toEqual({ limit: "100" });
  });

  it("takes its streams with it when it is removed", async () => {
    await using it = await startSubscriptions();
    const { id: subscriptionId } = await it.subscribe(it.ann);
    await using watcher = watch(it.changes, it.ann, { subscriptionId });
    await watcher.opened();
    await it.changes.deleteSubscription({ subscriptionId }, it.ann.as);
    expect(await watcher.ended()).toBe("NOT_FOUND");
    expect(await reasonOf(it.changes.getSubscription({ subscriptionId }, it.ann.as))).toBe("NOT_FOUND");
  });
});

describe("the log", () => {
  it("says CURSOR_EXPIRED to cursors and subscriptions from before what was trimmed", async () => {
    await using folder = await temporaryFolder();
    await using it = await startSubscriptions({ folder: folder.path });
    const { world, ann, changes } = it;
    const { id: subscriptionId } = await it.subscribe(ann, { start: WatchStart.OLDEST });
    const filter = { workspaceIds: [world.workspaceId] };
    const { cursor } = await changes.listChanges({ filter }, ann.as);
    for (let at = 0; at < 3; at++) await world.folder(ann, `F${at}`);
    await using db = await openBeside(folder.path);
    await trimChanges(db, new Date(Date.now() + 60_000));
    const expired = changes.listChanges({ filter, cursor }, ann.as);
    expect(await reasonOf(expired)).toBe("CURSOR_EXPIRED");
    expect(await metadataOf(expired)).toEqual({ workspace_id: world.workspaceId });
    expect(await watch(changes, ann, { filter, cursor }).ended()).toBe("CURSOR_EXPIRED");
    expect(await watch(changes, ann, { subscriptionId }).ended()).toBe("CURSOR_EXPIRED");
    await using oldest = watch(changes, ann, { filter, start: WatchStart.OLDEST });
    await oldest.opened();
    await world.folder(ann, "F3");
    expect(await oldest.told(1)).toHaveLength(1);
  });

  it("tells what another replica wrote, which no wake-up of this process announces", async () => {
    await using folder = await temporaryFolder();
    await using it = await startSubscriptions({ folder: folder.path });
    const { world, ann, changes } = it;
    const { workspaceId } = world;
    await using watcher = watch(changes, ann, { filter: { workspaceIds: [workspaceId] } });
    await watcher.opened();
    await using db = await openBeside(folder.path);
    const folderId = newId();
    await db.transaction((tx) =>
      recordChanges(tx, workspaceId, Date.now(), "", [{ kind: ChangeKind.FOLDER_CREATED, folderId }]),
    );
    expect(await watcher.told(1)).toMatchObject([{ folderId, workspaceId }]);
  });

  it("ends a watcher that does not keep up with RESUME, and has everything for it when it comes back", async () => {
    await using folder = await temporaryFolder();
    await using it = await startSubscriptions({ folder: folder.path, watching: { slowMs: 0, queueLength: 100 } });
    const { world, ann, changes } = it;
    const { workspaceId } = world;
    const { id: subscriptionId } = await it.subscribe(ann);
    const count = 3000;
    await using db = await openBeside(folder.path);
    await db.transaction((tx) => {
      const facts = Array.from({ length: count }, () => ({ kind: ChangeKind.FOLDER_UPDATED, folderId: newId() }));
      return recordChanges(tx, workspaceId, Date.now(), "", facts);
    });
    const seen: bigint[] = [];
    let resumed = 0;
    // With no patience at all, everybody who is more than the queue behind is too slow.
    while (seen.length < count) {
      await using watcher = watch(changes, ann, { subscriptionId });
      const ended = await Promise.race([
        watcher.ended(),
        eventually(() => seen.length + watcher.changes.length >= count),
      ]);
      if (ended === "RESUME") resumed += 1;
      seen.push(...watcher.changes.map(({ sequence }) => sequence));
      const last = watcher.changes.at(-1);
      if (last !== undefined) await changes.acknowledgeChanges({ subscriptionId, cursor: last.cursor }, ann.as);
    }
    expect(resumed).toBeGreaterThan(0);
    expect(seen).toEqual(Array.from({ length: count }, (_, at) => BigInt(at + 1)));
  });
});

it("frees what a watcher holds that has stopped reading, when its account is disabled", async () => {
  await using folder = await temporaryFolder();
  await using it = await startSubscriptions({ folder: folder.path });
  const { world, ann, changes } = it;
  const { workspaceId } = world;
  const stop = new AbortController();
  const request = { filter: { workspaceIds: [workspaceId] } };
  const stream = changes.watchChanges(request, { ...ann.as, signal: stop.signal })[Symbol.asyncIterator]();
  await stream.next();
  await using db = await openBeside(folder.path);
  // More than fits into the windows and buffers on the way.
  const facts = Array.from({ length: 9000 }, () => ({
    kind: ChangeKind.FOLDER_UPDATED,
    etag: "x".repeat(1000),
    folderId: newId(),
  }));
  await db.transaction((tx) => recordChanges(tx, workspaceId, Date.now(), "", facts));
  await eventually(() => world.service.watchers > 0);
  world.users.tell({ case: "userDisabled", value: { userId: ann.id } });
  await eventually(() => expect(world.service.watchers).toBe(0));
  stop.abort();
  await stream.next().catch(() => undefined);
});

it("never mixes up the logs of two workspaces", async () => {
  await using folder = await temporaryFolder();
  await using it = await startSubscriptions({ folder: folder.path });
  const { world, ann, changes } = it;
  const elsewhere = newId();
  await using db = await openBeside(folder.path);
  await db.transaction((tx) => appendChanges(tx, elsewhere, [{ kind: "FOLDER_CREATED", payload: new Uint8Array() }]));
  const { changes: told } = await changes.listChanges({ start: WatchStart.OLDEST }, ann.as);
  expect(told).toEqual([]);
  await world.folder(ann, "F");
  const { changes: later } = await changes.listChanges({ start: WatchStart.OLDEST }, ann.as);
  expect(later).toMatchObject([{ sequence: 1n }]);
});
