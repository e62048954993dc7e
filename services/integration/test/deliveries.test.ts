// What a receiver gets, and what becomes of it when it does not answer as it should.
import { fromJsonString } from "@bufbuild/protobuf";
import { ChangeKind, ChangeSchema } from "@docket/contracts/gen/docket/document/v1/change_pb.ts";
import { DeliveryFailure, DeliveryState } from "@docket/contracts/gen/docket/integration/v1/delivery_pb.ts";
import { WebhookDisabledReason, WebhookState } from "@docket/contracts/gen/docket/integration/v1/webhook_pb.ts";
import { newId } from "@docket/runtime/ids";
import { eventually } from "@docket/runtime/testing/eventually";
import { temporaryFolder } from "@docket/runtime/testing/temporary_folder";
import { describe, expect, it } from "@jest/globals";
import { Webhook } from "standardwebhooks";
import { FakeFeed } from "./fake_feed.ts";
import { Receiver } from "./receiver.ts";
import { deliveriesOf, fakeUsers, startWorld, untilStates } from "./world.ts";

const day = 24 * 3_600_000;

describe("a change", () => {
  it("reaches a webhook as JSON that a receiver verifies with the standardwebhooks package", async () => {
    await using receiver = await Receiver.start();
    await using world = await startWorld();
    const { id, secret } = await world.webhook(`${receiver.url}?from=docket`);
    const change = world.feed.append(world.workspaceId, { kind: ChangeKind.VERSION_CREATED });
    await eventually(() => expect(receiver.received).toHaveLength(1));
    const [{ headers, body, path } = { headers: {}, body: "", path: "" }] = receiver.received;
    expect(path).toBe("/hook?from=docket");
    expect(headers).toMatchObject({ "content-type": "application/json", "user-agent": "Docket-Webhooks/1" });
    expect(new Webhook(secret).verify(body, headers as Record<string, string>)).toMatchObject({
      id: change.id,
      kind: "CHANGE_KIND_VERSION_CREATED",
      sequence: "1",
      workspaceId: world.workspaceId,
    });
    expect(fromJsonString(ChangeSchema, body)).toEqual(change);
    await untilStates(world, id, DeliveryState.DELIVERED, 1);
    const [delivery] = await deliveriesOf(world, id);
    expect(delivery).toMatchObject({ id: headers["webhook-id"], changeId: change.id, attemptCount: 1, sequence: 1n });
    expect(delivery?.lastAttempt).toMatchObject({ status: 200, failure: 0, answer: "answered" });
    const detail = await world.webhooks.getDelivery({ webhookId: id, deliveryId: delivery?.id ?? "" }, world.admin);
    expect([detail.body, detail.attempts.length]).toEqual([body, 1]);
    // Neither the log of deliveries nor the service's own holds what could sign.
    const said = `${JSON.stringify(detail.attempts, (_, value) => (typeof value === "bigint" ? String(value) : value))} ${JSON.stringify(world.log.lines())}`;
    expect(said).not.toContain(secret.slice(6));
    expect(said).not.toContain("v1,");
  });

  it("is not held up by a slow receiver of others that has much waiting", async () => {
    await using receiver = await Receiver.start();
    await using world = await startWorld({ settings: { WEBHOOKS_AT_ONCE: "1" } });
    const held: (() => void)[] = [];
    receiver.answer = (response, { path }) => {
      if (path.endsWith("/slow")) held.push(() => response.end());
      else response.end();
    };
    const slowWorkspace = newId();
    await world.webhook(`${receiver.url}/slow`, { workspaceId: slowWorkspace });
    for (let index = 0; index < 20; index += 1) world.feed.append(slowWorkspace);
    await eventually(() => expect(held).toHaveLength(4));
    await world.webhook(`${receiver.url}/quick`);
    world.feed.append(world.workspaceId);
    // So long did the first four take.
    world.clock.skip(3_000);
    for (const answer of held.splice(0)) answer();
    await eventually(() => expect(receiver.received.filter(({ path }) => path.endsWith("/quick"))).toHaveLength(1));
    expect(receiver.received.findIndex(({ path }) => path.endsWith("/quick"))).toBe(4);
    for (const answer of held.splice(0)) answer();
  });

  it("is told to those webhooks of the workspace whose filter wants it, from when they were made", async () => {
    await using receiver = await Receiver.start();
    await using world = await startWorld();
    const documentId = newId();
    const filtered = { documentIds: [documentId], kinds: [ChangeKind.DOCUMENT_UPDATED], workspaceIds: [] };
    world.feed.append(world.workspaceId);
    await world.webhook(`${receiver.url}/all`);
    await world.webhook(`${receiver.url}/some`, {
      filter: { $typeName: "docket.document.v1.ChangeFilter", ...filtered },
    });
    await world.webhook(`${receiver.url}/other`, { workspaceId: newId() });
    world.feed.append(world.workspaceId, { kind: ChangeKind.DOCUMENT_UPDATED });
    world.feed.append(world.workspaceId, { kind: ChangeKind.DOCUMENT_UPDATED, documentId });
    world.feed.append(world.workspaceId, { kind: ChangeKind.DOCUMENT_TRASHED, documentId });
    await world.webhook(`${receiver.url}/late`);
    world.feed.append(world.workspaceId);
    await eventually(() => expect(receiver.received).toHaveLength(6));
    const got = receiver.received.map(
      ({ path, body }) => `${path} ${(JSON.parse(body) as { sequence: string }).sequence}`,
    );
    expect(got.sort()).toEqual([
      "/hook/all 2",
      "/hook/all 3",
      "/hook/all 4",
      "/hook/all 5",
      "/hook/late 5",
      "/hook/some 3",
    ]);
  });

  it("is told once in effect, however often the streams break and the service starts again", async () => {
    await using receiver = await Receiver.start();
    await using folder = await temporaryFolder();
    const parts = { folder: folder.path, users: fakeUsers(), feed: new FakeFeed(), workspaceId: newId() };
    for (let round = 0; round < 3; round += 1) {
      await using world = await startWorld(parts);
      if (round === 0) await world.webhook(receiver.url);
      for (let at = 0; at < 10; at += 1) world.feed.append(world.workspaceId);
      world.feed.breakStreams();
      for (let at = 0; at < 10; at += 1) world.feed.append(world.workspaceId);
      await eventually(() => expect(new Set(receiver.ids).size).toBe((round + 1) * 20));
    }
    expect(receiver.ids).toHaveLength(60);
    const sequences = receiver.received.map(({ body }) => Number((JSON.parse(body) as { sequence: string }).sequence));
    expect(sequences.sort((a, b) => a - b)).toEqual(Array.from({ length: 60 }, (_, at) => at + 1));
  });

  it("that the log no longer holds is told of as missed, and the rest comes", async () => {
    await using receiver = await Receiver.start();
    await using world = await startWorld();
    const { id } = await world.webhook(receiver.url);
    world.feed.append(world.workspaceId);
    await eventually(() => expect(receiver.received).toHaveLength(1));
    expect((await world.look(id)).missedTime).toBeUndefined();
    world.feed.away = true;
    world.feed.breakStreams();
    for (let at = 0; at < 4; at += 1) world.feed.append(world.workspaceId);
    world.feed.trim(world.workspaceId, 4);
    world.feed.away = false;
    await eventually(() => expect(receiver.received).toHaveLength(2));
    expect(JSON.parse(receiver.received[1]?.body ?? "")).toMatchObject({ sequence: "5" });
    expect((await world.look(id)).missedTime).toBeDefined();
  });
});

describe("a delivery that fails", () => {
  it("comes again with the same id, body and a fresh signature until it is taken", async () => {
    await using receiver = await Receiver.start();
    await using world = await startWorld();
    const { id, secret } = await world.webhook(receiver.url);
    receiver.answer = 500;
    world.feed.append(world.workspaceId);
    for (const count of [1, 2, 3]) {
      await eventually(() => expect(receiver.received).toHaveLength(count));
      await eventually(async () => expect((await deliveriesOf(world, id))[0]?.attemptCount).toBe(count));
      if (count === 2) receiver.answer = 204;
      world.clock.skip(60_000);
    }
    await untilStates(world, id, DeliveryState.DELIVERED, 1);
    expect(new Set(receiver.ids).size).toBe(1);
    expect(new Set(receiver.received.map(({ body }) => body)).size).toBe(1);
    const times = receiver.received.map(({ headers }) => Number(headers["webhook-timestamp"]));
    expect((times[1] ?? 0) - (times[0] ?? 0)).toBeGreaterThanOrEqual(60);
    const [delivery] = await deliveriesOf(world, id);
    const { attempts } = await world.webhooks.getDelivery(
      { webhookId: id, deliveryId: delivery?.id ?? "" },
      world.admin,
    );
    expect(attempts.map(({ status, failure }) => [status, failure])).toEqual([
      [204, DeliveryFailure.UNSPECIFIED],
      [500, DeliveryFailure.STATUS],
      [500, DeliveryFailure.STATUS],
    ]);
    expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{32}$/);
    expect((await world.look(id)).failingSince).toBeUndefined();
  });

  it("is parked after three days, and is sent again by hand with the same id", async () => {
    await using receiver = await Receiver.start();
    await using world = await startWorld({ settings: { WEBHOOK_DISABLE_AFTER: "365d" } });
    const { id } = await world.webhook(receiver.url);
    receiver.answer = 503;
    world.feed.append(world.workspaceId);
    await eventually(async () => expect((await deliveriesOf(world, id))[0]?.attemptCount).toBe(1));
    world.clock.skip(3 * day + 1000);
    await untilStates(world, id, DeliveryState.PARKED, 1);
    expect((await world.look(id)).parkedCount).toBe(1);
    receiver.answer = 200;
    const [parked] = await deliveriesOf(world, id);
    const { delivery } = await world.webhooks.redeliverDelivery(
      { webhookId: id, deliveryId: parked?.id ?? "" },
      world.admin,
    );
    expect(delivery).toMatchObject({ state: DeliveryState.WAITING, attemptCount: 0 });
    await untilStates(world, id, DeliveryState.DELIVERED, 1);
    expect(new Set(receiver.ids)).toEqual(new Set([parked?.id]));
    // One that was taken can be sent again too.
    await world.webhooks.redeliverDelivery({ webhookId: id, deliveryId: parked?.id ?? "" }, world.admin);
    await eventually(() => expect(receiver.received.length).toBeGreaterThan(3));
  });

  it("waits as long as a receiver asks with 429 and Retry-After", async () => {
    await using receiver = await Receiver.start();
    await using world = await startWorld();
    const { id } = await world.webhook(receiver.url);
    receiver.answer = (response) => response.writeHead(429, { "retry-after": "3600" }).end();
    world.feed.append(world.workspaceId);
    await eventually(async () => expect((await deliveriesOf(world, id))[0]?.attemptCount).toBe(1));
    const [delivery] = await deliveriesOf(world, id);
    const wait = Number(delivery?.nextAttemptTime?.seconds) - Number(delivery?.lastAttempt?.time?.seconds);
    expect(wait).toBeGreaterThanOrEqual(3599);
    expect(wait).toBeLessThanOrEqual(3605);
  });

  it("says why: a redirection, no listener, no answer, no HTTP, no name", async () => {
    await using receiver = await Receiver.start();
    const resolve = async (host: string) => {
      if (host === "inside.example") return ["10.0.0.1"];
      throw new Error("ENOTFOUND");
    };
    await using world = await startWorld({ settings: { WEBHOOK_TIMEOUT: "300ms" }, egress: { resolve } });
    const { id } = await world.webhook(receiver.url);
    const ping = async () => (await world.webhooks.pingWebhook({ webhookId: id }, world.admin)).delivery?.lastAttempt;
    receiver.answer = (response) => response.writeHead(302, { location: receiver.url }).end();
    expect(await ping()).toMatchObject({ failure: DeliveryFailure.REDIRECT, status: 302 });
    expect(receiver.received).toHaveLength(1);
    receiver.answer = () => undefined;
    expect(await ping()).toMatchObject({ failure: DeliveryFailure.TIMEOUT, status: 0 });
    receiver.answer = (response) => void response.socket?.end("SSH-2.0-OpenSSH_9.2\r\n");
    expect(await ping()).toMatchObject({ failure: DeliveryFailure.PROTOCOL });
    receiver.answer = (response) => void response.socket?.destroy();
    expect(await ping()).toMatchObject({ failure: DeliveryFailure.CONNECTION });
    const move = (url: string) =>
      world.webhooks.updateWebhook({ webhookId: id, url, updateMask: { paths: ["url"] } }, world.admin);
    await move("https://receiver.example/");
    expect(await ping()).toMatchObject({ failure: DeliveryFailure.NAME });
    // What it stands for is not told: nobody maps a network by webhooks.
    await move("https://inside.example/");
    expect(await ping()).toMatchObject({ failure: DeliveryFailure.REFUSED, status: 0, answer: "" });
    await move(`https://127.0.0.1:${receiver.port}/`);
    expect(await ping()).toMatchObject({ failure: DeliveryFailure.TLS });
  });

  it("keeps of an answer its beginning only, and reads no more of one that never ends", async () => {
    await using receiver = await Receiver.start();
    await using world = await startWorld({ settings: { WEBHOOK_TIMEOUT: "5s" } });
    const { id } = await world.webhook(receiver.url);
    let sent = 0;
    receiver.answer = (response) => {
      response.writeHead(200);
      const part = "ä".repeat(8192);
      const more = () => {
        if (response.destroyed) return;
        sent += part.length;
        if (response.write(part)) setImmediate(more);
        else response.once("drain", more);
      };
      more();
    };
    const { delivery } = await world.webhooks.pingWebhook({ webhookId: id }, world.admin);
    expect(delivery?.state).toBe(DeliveryState.DELIVERED);
    expect(delivery?.lastAttempt?.answer).toBe("ä".repeat(1024));
    await eventually(() => expect(receiver.open).toBe(0));
    expect(sent).toBeLessThan(20_000_000);
  });
});

describe("a webhook", () => {
  it("is disabled by 410 Gone, with what waits parked, and goes on when it is resumed", async () => {
    await using receiver = await Receiver.start();
    await using world = await startWorld();
    const { id } = await world.webhook(receiver.url);
    receiver.answer = 410;
    for (let at = 0; at < 5; at += 1) world.feed.append(world.workspaceId);
    await eventually(async () => expect((await world.look(id)).state).toBe(WebhookState.DISABLED));
    expect(await world.look(id)).toMatchObject({
      disabledReason: WebhookDisabledReason.GONE,
      parkedCount: 5,
      waitingCount: 0,
    });
    world.feed.append(world.workspaceId);
    await eventually(async () => expect((await world.look(id)).missedTime).toBeDefined());
    receiver.answer = 200;
    const before = receiver.received.length;
    const { webhook } = await world.webhooks.resumeWebhook({ webhookId: id, redeliverParked: true }, world.admin);
    expect(webhook).toMatchObject({ state: WebhookState.ACTIVE, disabledReason: 0 });
    await untilStates(world, id, DeliveryState.DELIVERED, 5);
    world.feed.append(world.workspaceId);
    await untilStates(world, id, DeliveryState.DELIVERED, 6);
    const sequences = receiver.received
      .slice(before)
      .map(({ body }) => (JSON.parse(body) as { sequence: string }).sequence);
    expect(sequences.sort()).toEqual(["1", "2", "3", "4", "5", "7"]);
  });

  it("is disabled when every attempt has failed for days", async () => {
    await using receiver = await Receiver.start();
    await using world = await startWorld({ settings: { WEBHOOK_DISABLE_AFTER: "2d" } });
    const { id } = await world.webhook(receiver.url);
    receiver.answer = 500;
    world.feed.append(world.workspaceId);
    await eventually(async () => expect((await world.look(id)).failingSince).toBeDefined());
    expect((await world.look(id)).state).toBe(WebhookState.ACTIVE);
    world.clock.skip(2 * day + 1000);
    await eventually(async () => expect((await world.look(id)).state).toBe(WebhookState.DISABLED));
    expect((await world.look(id)).disabledReason).toBe(WebhookDisabledReason.FAILING);
  });

  it("that is paused gets nothing, and everything when it goes on", async () => {
    await using receiver = await Receiver.start();
    await using world = await startWorld();
    const { id } = await world.webhook(receiver.url);
    const pause = (paused: boolean) =>
      world.webhooks.updateWebhook({ webhookId: id, paused, updateMask: { paths: ["paused"] } }, world.admin);
    await pause(true);
    for (let at = 0; at < 3; at += 1) world.feed.append(world.workspaceId);
    await untilStates(world, id, DeliveryState.WAITING, 3);
    world.clock.skip(4 * day);
    expect(receiver.received).toHaveLength(0);
    await pause(false);
    await untilStates(world, id, DeliveryState.DELIVERED, 3);
  });

  it("for which too much waits is disabled", async () => {
    await using receiver = await Receiver.start();
    await using world = await startWorld({ settings: { WEBHOOK_MAX_WAITING: "100" } });
    const { id } = await world.webhook(receiver.url);
    await world.webhooks.updateWebhook({ webhookId: id, paused: true, updateMask: { paths: ["paused"] } }, world.admin);
    for (let at = 0; at < 101; at += 1) world.feed.append(world.workspaceId);
    await eventually(async () => expect((await world.look(id)).state).toBe(WebhookState.DISABLED));
    expect((await world.look(id)).disabledReason).toBe(WebhookDisabledReason.BACKLOG);
  });

  it("that hangs holds up no other, and gets a few requests at once only", async () => {
    await using hanging = await Receiver.start();
    await using receiver = await Receiver.start();
    await using world = await startWorld({ settings: { WEBHOOK_TIMEOUT: "30s", WEBHOOK_CONCURRENCY: "3" } });
    hanging.answer = () => undefined;
    await world.webhook(hanging.url);
    await world.webhook(receiver.url);
    for (let at = 0; at < 20; at += 1) world.feed.append(world.workspaceId);
    await eventually(() => expect(new Set(receiver.ids).size).toBe(20));
    await eventually(() => expect(hanging.open).toBe(3));
    expect(hanging.mostOpen).toBe(3);
    expect(receiver.mostOpen).toBeLessThanOrEqual(3);
    // The end of the process does not wait for it.
    await hanging[Symbol.asyncDispose]();
  });

  it("of a deleted workspace is gone, with its secrets and log", async () => {
    await using receiver = await Receiver.start();
    await using world = await startWorld();
    const { id } = await world.webhook(receiver.url);
    world.feed.append(world.workspaceId);
    await untilStates(world, id, DeliveryState.DELIVERED, 1);
    world.users.remove(world.workspaceId);
    await eventually(() =>
      expect(JSON.stringify(world.log.lines())).toContain("webhooks of a deleted workspace were removed"),
    );
    world.users.join("nobody", world.workspaceId, "admin");
    const admin = await world.person("admin");
    expect((await world.webhooks.listWebhooks({ workspaceId: world.workspaceId }, admin)).webhooks).toEqual([]);
  });
});
