import {
  type Operation,
  OperationKind,
  OperationState,
} from "@docket/contracts/gen/docket/document/v1/operation_pb.ts";
import { OperationService } from "@docket/contracts/gen/docket/document/v1/operation_service_pb.ts";
import { newId } from "@docket/runtime/ids";
import { temporaryFolder } from "@docket/runtime/testing/temporary_folder";
import { describe, expect, it } from "@jest/globals";
import { insertOperation, updateOperation } from "../store/operations.ts";
import { openBeside } from "./beside.ts";
import { metadataOf, reasonOf, type Somebody, startWorld } from "./world.ts";

/** A world whose operations are made by hand, so that none runs off. */
async function startOperations(folder: string) {
  const world = await startWorld({ folder });
  const db = await openBeside(folder);
  const { workspaceId } = world;
  return {
    world,
    operations: world.client(OperationService),
    /** An operation of somebody that waits to begin; no worker knows of it. */
    async begin(who: Somebody): Promise<string> {
      const made = {
        workspace_id: workspaceId,
        id: newId(),
        kind: OperationKind.PURGE_DOCUMENT,
        target_kind: "document",
        target_id: newId(),
        created_by: `person:${who.id}`,
        created_at: Date.now(),
      };
      await db.transaction((tx) => insertOperation(tx, made));
      return made.id;
    },
    move: (id: string, values: Parameters<typeof updateOperation>[2]) =>
      updateOperation(db.query, { workspace_id: workspaceId, id }, values),
    async [Symbol.asyncDispose]() {
      await db[Symbol.asyncDispose]();
      await world[Symbol.asyncDispose]();
    },
  };
}

describe("OperationService", () => {
  it("shows an operation to who began it and to owners and admins, and to nobody else", async () => {
    await using folder = await temporaryFolder();
    await using it = await startOperations(folder.path);
    const { world, operations } = it;
    const [ann, bob, admin] = [await world.person("member"), await world.person("member"), await world.person("admin")];
    const ids = [await it.begin(ann), await it.begin(ann), await it.begin(bob)];
    const operationId = ids[0] ?? "";
    const { operation } = await operations.getOperation({ operationId }, ann.as);
    expect(operation).toMatchObject({
      id: operationId,
      state: OperationState.PENDING,
      createdBy: { actor: { value: ann.id } },
    });
    expect(await reasonOf(operations.getOperation({ operationId }, admin.as))).toBe("OK");
    for (const who of [bob, await world.person()]) {
      expect(await reasonOf(operations.getOperation({ operationId }, who.as))).toBe("NOT_FOUND");
      expect(await reasonOf(operations.cancelOperation({ operationId }, who.as))).toBe("NOT_FOUND");
    }
    const list = { workspaceId: world.workspaceId };
    const listed = async (who: Somebody) =>
      (await operations.listOperations(list, who.as)).operations.map(({ id }) => id);
    expect(await listed(ann)).toEqual([ids[1], ids[0]]);
    expect(await listed(admin)).toEqual([...ids].reverse());
    const page = await operations.listOperations({ ...list, pageSize: 2 }, admin.as);
    const rest = await operations.listOperations({ ...list, pageSize: 2, pageToken: page.nextPageToken }, admin.as);
    expect(rest.operations.map(({ id }) => id)).toEqual([ids[0]]);
    expect(await reasonOf(operations.listOperations({ ...list, pageToken: "x" }, ann.as))).toBe("PAGE_TOKEN_INVALID");
    expect(await reasonOf(operations.listOperations(list, (await world.person()).as))).toBe("NOT_FOUND");
  });

  it("cancels what has not begun, once and again, and nothing else", async () => {
    await using folder = await temporaryFolder();
    await using it = await startOperations(folder.path);
    const ann = await it.world.person("member");
    const [waiting, running] = [await it.begin(ann), await it.begin(ann)];
    await it.move(running, { state: OperationState.RUNNING });
    for (let at = 0; at < 2; at++) {
      const { operation } = await it.operations.cancelOperation({ operationId: waiting }, ann.as);
      expect(operation?.state).toBe(OperationState.CANCELLED);
    }
    const refused = it.operations.cancelOperation({ operationId: running }, ann.as);
    expect(await reasonOf(refused)).toBe("OPERATION_NOT_CANCELLABLE");
    expect(await metadataOf(refused)).toEqual({ state: "RUNNING" });
  });

  it("tells whenever an operation moves on, until its end", async () => {
    await using folder = await temporaryFolder();
    await using it = await startOperations(folder.path);
    const ann = await it.world.person("member");
    const operationId = await it.begin(ann);
    const told: Operation[] = [];
    for await (const { operation } of it.operations.watchOperation({ operationId }, ann.as)) {
      if (operation === undefined) continue;
      told.push(operation);
      if (told.length === 1) await it.move(operationId, { state: OperationState.RUNNING, total_count: 2 });
      if (told.length === 2) await it.move(operationId, { done_count: 1 });
      if (told.length === 3) await it.move(operationId, { done_count: 2, state: OperationState.SUCCEEDED });
    }
    expect(told.map(({ state, doneCount }) => [state, doneCount])).toEqual([
      [OperationState.PENDING, 0n],
      [OperationState.RUNNING, 0n],
      [OperationState.RUNNING, 1n],
      [OperationState.SUCCEEDED, 2n],
    ]);
  });
});
