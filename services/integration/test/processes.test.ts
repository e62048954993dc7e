// Several processes on one database, and what one leaves to the next.
import { DeliveryState } from "@docket/contracts/gen/docket/integration/v1/delivery_pb.ts";
import { openDatabase } from "@docket/runtime/db/database";
import { newId } from "@docket/runtime/ids";
import { databaseOf } from "@docket/runtime/service_settings";
import { eventually } from "@docket/runtime/testing/eventually";
import { temporaryFolder } from "@docket/runtime/testing/temporary_folder";
import { testParts } from "@docket/runtime/testing/test_parts";
import { describe, expect, it } from "@jest/globals";
import { readConfig } from "../config.ts";
import { entities } from "../store/entities.ts";
import { migrations } from "../store/migrations/index.ts";
import { FakeFeed } from "./fake_feed.ts";
import { Receiver } from "./receiver.ts";
import { deliveriesOf, fakeUsers, reasonOf, startWorld, TestClock, untilStates } from "./world.ts";

describe("the service", () => {
  it("makes each delivery once, whichever of two processes on one database is faster", async () => {
    await using receiver = await Receiver.start();
    await using folder = await temporaryFolder();
    const parts = { folder: folder.path, users: fakeUsers(), feed: new FakeFeed(), workspaceId: newId() };
    await using one = await startWorld(parts);
    await using two = await startWorld(parts);
    const { id } = await one.webhook(receiver.url);
    for (let at = 0; at < 60; at += 1) {
      one.feed.append(one.workspaceId);
      if (at % 20 === 19) two.feed.breakStreams();
    }
    await untilStates(two, id, DeliveryState.DELIVERED, 60);
    const { deliveries } = await one.webhooks.listDeliveries({ webhookId: id, pageSize: 200 }, one.admin);
    expect(new Set(deliveries.map(({ changeId }) => changeId)).size).toBe(60);
    expect(receiver.ids).toHaveLength(60);
    const faults = [...one.log.lines(), ...two.log.lines()].filter(({ level }) => level === "error");
    expect(faults).toEqual([]);
  });

  it("is one that answers and one that delivers, where their roles say so", async () => {
    await using receiver = await Receiver.start();
    await using folder = await temporaryFolder();
    const parts = { folder: folder.path, users: fakeUsers(), feed: new FakeFeed(), workspaceId: newId() };
    await using server = await startWorld({ ...parts, role: "server" });
    const { id } = await server.webhook(receiver.url);
    server.feed.append(server.workspaceId);
    await server.webhooks.pingWebhook({ webhookId: id }, server.admin);
    expect(receiver.received).toHaveLength(1);
    await using worker = await startWorld({ ...parts, role: "worker" });
    await untilStates(server, id, DeliveryState.DELIVERED, 2);
    const refused = worker.webhooks.getWebhook({ webhookId: id }, worker.admin);
    expect(await reasonOf(refused)).toContain("[unimplemented]");
  });

  it("finds what is due by itself where the job for it is gone", async () => {
    await using receiver = await Receiver.start();
    await using folder = await temporaryFolder();
    await using world = await startWorld({ folder: folder.path });
    const { id } = await world.webhook(receiver.url);
    receiver.answer = 500;
    world.feed.append(world.workspaceId);
    await eventually(async () => expect((await deliveriesOf(world, id))[0]?.attemptCount).toBe(1));
    const config = readConfig({ DOCKET_DATA_DIR: folder.path, ...(await testParts(folder.path)) });
    {
      const options = { name: "integration", entities, migrations, logger: world.log.logger };
      await using db = await openDatabase({ ...databaseOf(config), ...options });
      await eventually(async () => {
        const waiting = db.query.deleteFrom("job").where("kind", "=", "deliver").where("state", "=", "pending");
        expect((await waiting.executeTakeFirst()).numDeletedRows).toBe(1n);
      });
    }
    receiver.answer = 200;
    await eventually(async () => {
      world.clock.skip(30_000);
      expect((await deliveriesOf(world, id))[0]?.state).toBe(DeliveryState.DELIVERED);
    });
  });

  it("goes on after a stop with what was waiting", async () => {
    await using receiver = await Receiver.start();
    await using folder = await temporaryFolder();
    const clock = new TestClock();
    const parts = { folder: folder.path, users: fakeUsers(), feed: new FakeFeed(), workspaceId: newId(), clock };
    let id = "";
    {
      await using world = await startWorld(parts);
      id = (await world.webhook(receiver.url)).id;
      receiver.answer = 500;
      world.feed.append(world.workspaceId);
      await eventually(async () => expect((await deliveriesOf(world, id))[0]?.attemptCount).toBe(1));
    }
    receiver.answer = 200;
    clock.skip(60_000);
    await using world = await startWorld(parts);
    await untilStates(world, id, DeliveryState.DELIVERED, 1);
    expect(new Set(receiver.ids).size).toBe(1);
  });
});
