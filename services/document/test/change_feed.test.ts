// The feed of whole workspaces, for services of the mesh.
import { ConnectError } from "@connectrpc/connect";
import { ChangeFeedService } from "@docket/contracts/gen/docket/document/v1/change_feed_service_pb.ts";
import type { FollowChangesResponse } from "@docket/contracts/gen/docket/document/v1/change_feed_service_pb.ts";
import { ChangeKind } from "@docket/contracts/gen/docket/document/v1/change_pb.ts";
import { ChangeService } from "@docket/contracts/gen/docket/document/v1/change_service_pb.ts";
import { GrantLevel } from "@docket/contracts/gen/docket/document/v1/grant_pb.ts";
import { Workload } from "@docket/contracts/gen/docket/policy/v1/policy_pb.ts";
import { newId } from "@docket/runtime/ids";
import { connectMesh } from "@docket/runtime/mesh";
import { eventually } from "@docket/runtime/testing/eventually";
import { testIdentities } from "@docket/runtime/testing/identities";
import { describe, expect, it } from "@jest/globals";
import { reasonOf, startWorld, type World } from "./world.ts";

/** A client of the feed as the integration service has it. */
async function feedOf(world: World) {
  const [identity] = await testIdentities(Workload.INTEGRATION);
  const mesh = connectMesh({ identity, addresses: { document: [world.service.address] } });
  return { feed: mesh.client(ChangeFeedService), [Symbol.asyncDispose]: () => mesh[Symbol.asyncDispose]() };
}

/** Collects answers until the signal aborts. */
function follow(
  { feed }: Awaited<ReturnType<typeof feedOf>>,
  places: readonly { workspaceId: string; sequence: bigint }[],
) {
  const stop = new AbortController();
  const answers: FollowChangesResponse[] = [];
  const done = (async () => {
    try {
      for await (const answer of feed.followChanges({ places: [...places] }, { signal: stop.signal }))
        answers.push(answer);
    } catch (error) {
      if (!stop.signal.aborted) throw error;
    }
  })();
  const changes = () => answers.flatMap((answer) => answer.changes);
  return {
    answers,
    changes,
    async [Symbol.asyncDispose]() {
      stop.abort();
      await done;
    },
  };
}

describe("the feed", () => {
  it("tells everything in a workspace in order, with cursors that its own members can go on from", async () => {
    await using world = await startWorld();
    await using client = await feedOf(world);
    const owner = await world.person("owner");
    const { workspaceId } = world;
    await using stream = follow(client, [{ workspaceId, sequence: 0n }]);
    const documentId = await world.document(owner, "Tides");
    await world.folder(owner, "Harbour");
    await eventually(() => expect(stream.changes()).toHaveLength(2));
    expect(stream.changes().map(({ kind, sequence }) => [kind, sequence])).toEqual([
      [ChangeKind.DOCUMENT_CREATED, 1n],
      [ChangeKind.FOLDER_CREATED, 2n],
    ]);
    expect(stream.answers.filter(({ place }) => place !== undefined).at(-1)?.place?.sequence).toBe(2n);
    const [first] = stream.changes();
    expect(first?.documentId).toBe(documentId);
    const { changes } = await world
      .client(ChangeService)
      .listChanges({ cursor: first?.cursor ?? "", filter: { workspaceIds: [workspaceId] } }, owner.as);
    expect(changes.map(({ sequence }) => sequence)).toEqual([2n]);
    // The same message that the owner is told.
    const all = await world
      .client(ChangeService)
      .listChanges({ start: 2, filter: { workspaceIds: [workspaceId] } }, owner.as);
    expect(all.changes).toEqual(stream.changes());
  });

  it("leaves out what is for one watcher alone, and moves on past it", async () => {
    await using world = await startWorld();
    await using client = await feedOf(world);
    const [owner, guest] = [await world.person("owner"), await world.person("guest")];
    const { workspaceId } = world;
    const folderId = await world.folder(owner, "Harbour");
    await world.grants.setGrant(
      {
        resource: { case: "folderId", value: folderId },
        principal: { principal: { case: "personId", value: guest.id } },
        level: GrantLevel.VIEWER,
      },
      owner.as,
    );
    await using stream = follow(client, [{ workspaceId, sequence: 0n }]);
    const { places } = await client.feed.getFeedPlaces({ workspaceIds: [workspaceId] });
    await eventually(() => expect(stream.answers.at(-1)?.place?.sequence).toBe(places[0]?.sequence));
    expect(stream.changes().map(({ kind }) => kind)).toEqual([ChangeKind.FOLDER_CREATED, ChangeKind.GRANT_SET]);
    expect(places[0]?.sequence).toBeGreaterThan(2n);
  });

  it("goes on from the places given, of several workspaces, and tells a gap where there is no such place", async () => {
    await using world = await startWorld();
    await using client = await feedOf(world);
    const owner = await world.person("owner");
    const { workspaceId } = world;
    await world.folder(owner, "A");
    await world.folder(owner, "B");
    const other = newId();
    // A place beyond the end: the log was restored from an older backup.
    await using stream = follow(client, [
      { workspaceId, sequence: 1n },
      { workspaceId: other, sequence: 9n },
    ]);
    await eventually(() => expect(stream.changes().map(({ sequence }) => sequence)).toEqual([2n]));
    expect(stream.answers.filter(({ gap }) => gap).map(({ place }) => place)).toMatchObject([
      { workspaceId: other, sequence: 0n },
    ]);
  });

  it("is for the integration service alone", async () => {
    await using world = await startWorld();
    const owner = await world.person("owner");
    const feed = world.client(ChangeFeedService);
    expect(await reasonOf(feed.getFeedPlaces({ workspaceIds: [world.workspaceId] }, owner.as))).toBe("CALLER_DENIED");
    const places = [{ workspaceId: world.workspaceId, sequence: 0n }];
    const streamed = (async () => {
      for await (const _ of feed.followChanges({ places }, owner.as)) throw new Error("something was told");
    })();
    expect(await reasonOf(streamed.catch((error: unknown) => Promise.reject(ConnectError.from(error))))).toBe(
      "CALLER_DENIED",
    );
  });
});
