// The RPCs of WebhookService: who may, what is refused, secrets.
import { newId } from "@docket/runtime/ids";
import { eventually } from "@docket/runtime/testing/eventually";
import { Code, ConnectError } from "@connectrpc/connect";
import { ErrorInfoSchema } from "@docket/contracts/gen/docket/error/v1/error_info_pb.ts";
import { ChangeKind } from "@docket/contracts/gen/docket/document/v1/change_pb.ts";
import { DeliveryState } from "@docket/contracts/gen/docket/integration/v1/delivery_pb.ts";
import { WebhookState } from "@docket/contracts/gen/docket/integration/v1/webhook_pb.ts";
import { temporaryFolder } from "@docket/runtime/testing/temporary_folder";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { Webhook } from "standardwebhooks";
import { Receiver } from "./receiver.ts";
import { reasonOf, startWorld, type World } from "./world.ts";

let world: World;
let receiver: Receiver;

beforeAll(async () => {
  receiver = await Receiver.start();
  world = await startWorld({ settings: { WEBHOOKS_PER_WORKSPACE: "50" } });
});

afterAll(async () => {
  await world[Symbol.asyncDispose]();
  await receiver[Symbol.asyncDispose]();
});

const day = 24 * 3_600_000;

/** What a receiver that knows these secrets says of the last request: whether each verifies it. */
function verified(...secrets: string[]): boolean[] {
  const last = receiver.received.at(-1);
  return secrets.map((secret) => {
    try {
      new Webhook(secret).verify(last?.body ?? "", last?.headers as Record<string, string>);
      return true;
    } catch {
      return false;
    }
  });
}

describe("a webhook", () => {
  it("is made, shown, listed, changed and removed by whoever may manage webhooks", async () => {
    const { webhooks, workspaceId, admin } = world;
    const url = "https://receiver.example/hook";
    const { webhook, secret } = await webhooks.createWebhook({ workspaceId, name: "CRM", url }, admin);
    expect(secret).toMatch(/^whsec_/);
    expect(webhook).toMatchObject({ name: "CRM", url, workspaceId, state: WebhookState.ACTIVE });
    expect(webhook?.secrets).toHaveLength(1);
    expect(webhook?.createdBy?.actor.case).toBe("personId");
    const webhookId = webhook?.id ?? "";
    expect((await webhooks.listWebhooks({ workspaceId }, admin)).webhooks).toContainEqual(webhook);
    const changed = await webhooks.updateWebhook(
      { webhookId, name: "ERP", paused: true, etag: webhook?.etag ?? "", updateMask: { paths: ["name", "paused"] } },
      admin,
    );
    expect(changed.webhook).toMatchObject({ name: "ERP", url, state: WebhookState.PAUSED });
    expect(changed.webhook?.etag).not.toBe(webhook?.etag);
    const stale = { webhookId, etag: webhook?.etag ?? "" };
    expect(await reasonOf(webhooks.deleteWebhook(stale, admin))).toBe("ETAG_MISMATCH");
    const update = { ...stale, name: "X", updateMask: { paths: ["name"] } };
    expect(await reasonOf(webhooks.updateWebhook(update, admin))).toBe("ETAG_MISMATCH");
    await webhooks.deleteWebhook({ webhookId, etag: changed.webhook?.etag ?? "" }, admin);
    expect(await reasonOf(webhooks.getWebhook({ webhookId }, admin))).toBe("NOT_FOUND");
  });

  it("is there for nobody else: a member is denied the list and told of no single one, a stranger of nothing", async () => {
    const { webhooks, workspaceId } = world;
    const { id: webhookId } = await world.webhook(receiver.url);
    const [member, stranger] = [await world.person("member"), await world.person()];
    const create = { workspaceId, name: "n", url: "https://receiver.example/" };
    expect(await reasonOf(webhooks.createWebhook(create, member))).toBe("PERMISSION_DENIED");
    expect(await reasonOf(webhooks.listWebhooks({ workspaceId }, member))).toBe("PERMISSION_DENIED");
    expect(await reasonOf(webhooks.createWebhook(create, stranger))).toBe("NOT_FOUND");
    for (const as of [member, stranger]) {
      expect(await reasonOf(webhooks.getWebhook({ webhookId }, as))).toBe("NOT_FOUND");
      expect(await reasonOf(webhooks.rotateWebhookSecret({ webhookId }, as))).toBe("NOT_FOUND");
      expect(await reasonOf(webhooks.pingWebhook({ webhookId }, as))).toBe("NOT_FOUND");
    }
    expect(await reasonOf(webhooks.getWebhook({ webhookId }))).toBe("SESSION_REQUIRED");
  });

  it("is refused a URL that it may not go to, and told which rule that breaks", async () => {
    const { webhooks, workspaceId, admin } = world;
    const { id: webhookId } = await world.webhook(receiver.url);
    const cases = {
      "no url": "format",
      "ftp://receiver.example/": "scheme",
      "https://user:secret@receiver.example/": "credentials",
      "https://receiver.example../": "host",
      "https://receiver.example:25/": "port",
      "https://169.254.169.254/": "address",
      "https://0xa9fea9fe/": "address",
    };
    for (const [url, rule] of Object.entries(cases)) {
      for (const call of [
        webhooks.createWebhook({ workspaceId, name: "n", url }, admin),
        webhooks.updateWebhook({ webhookId, url, updateMask: { paths: ["url"] } }, admin),
      ]) {
        const error = ConnectError.from(
          await call.then(
            () => undefined,
            (thrown: unknown) => thrown,
          ),
        );
        expect([url, error.code, error.findDetails(ErrorInfoSchema)[0]?.metadata]).toEqual([
          url,
          Code.InvalidArgument,
          { rule },
        ]);
      }
    }
  });

  it("is made once for a request_id, with its secret shown the first time only", async () => {
    const { webhooks, workspaceId, admin } = world;
    const request = { workspaceId, name: "once", url: "https://receiver.example/", requestId: newId() };
    const { webhook } = await webhooks.createWebhook(request, admin);
    expect(await reasonOf(webhooks.createWebhook(request, admin))).toBe("SECRET_ALREADY_SHOWN");
    expect(await reasonOf(webhooks.createWebhook({ ...request, name: "other" }, admin))).toBe("REQUEST_ID_REUSED");
    const all = await webhooks.listWebhooks({ workspaceId, pageSize: 200 }, admin);
    expect(all.webhooks.filter(({ name }) => name === "once").map(({ id }) => id)).toEqual([webhook?.id]);
    const rotate = { webhookId: webhook?.id ?? "", requestId: newId() };
    await webhooks.rotateWebhookSecret(rotate, admin);
    expect(await reasonOf(webhooks.rotateWebhookSecret(rotate, admin))).toBe("SECRET_ALREADY_SHOWN");
    const other = { ...rotate, keepOld: { seconds: 60n } };
    expect(await reasonOf(webhooks.rotateWebhookSecret(other, admin))).toBe("REQUEST_ID_REUSED");
  });

  it("is one of a limited number, and is listed in pages", async () => {
    await using small = await startWorld({ settings: { WEBHOOKS_PER_WORKSPACE: "5" } });
    const { webhooks, workspaceId, admin } = small;
    const made = [];
    for (let at = 0; at < 5; at += 1) made.push((await small.webhook("https://receiver.example/")).id);
    const more = webhooks.createWebhook({ workspaceId, name: "n", url: "https://receiver.example/" }, admin);
    expect(await reasonOf(more)).toBe("LIMIT_REACHED");
    const listed: string[] = [];
    let pageToken = "";
    do {
      const page = await webhooks.listWebhooks({ workspaceId, pageSize: 2, pageToken }, admin);
      listed.push(...page.webhooks.map(({ id }) => id));
      pageToken = page.nextPageToken;
    } while (pageToken !== "");
    expect(listed).toEqual(made);
    const foreign = webhooks.listWebhooks({ workspaceId, pageToken: "nonsense" }, admin);
    expect(await reasonOf(foreign)).toBe("PAGE_TOKEN_INVALID");
  });

  it("is not made while the document service is away, since nobody could say from where on it is told changes", async () => {
    world.feed.away = true;
    const { webhooks, workspaceId, admin } = world;
    const made = webhooks.createWebhook({ workspaceId, name: "n", url: "https://receiver.example/" }, admin);
    const reason = await reasonOf(made);
    world.feed.away = false;
    expect(reason).toBe("UNAVAILABLE");
  });
});

describe("a secret", () => {
  it("signs beside its successor for as long as is asked, and both verify", async () => {
    const { webhooks, admin, clock } = world;
    const { id: webhookId, secret: first } = await world.webhook(receiver.url);
    const ping = () => webhooks.pingWebhook({ webhookId }, admin);
    const { secret: second, webhook } = await webhooks.rotateWebhookSecret({ webhookId }, admin);
    expect(webhook?.secrets.map(({ expireTime }) => expireTime !== undefined)).toEqual([false, true]);
    await ping();
    expect(verified(first, second)).toEqual([true, true]);
    expect(String(receiver.received.at(-1)?.headers["webhook-signature"]).split(" ")).toHaveLength(2);
    // A third: the first stops at once, so that there are never more than two.
    const { secret: third, webhook: now } = await webhooks.rotateWebhookSecret(
      { webhookId, keepOld: { seconds: 3600n } },
      admin,
    );
    expect(now?.secrets).toHaveLength(2);
    await ping();
    expect(verified(first, second, third)).toEqual([false, true, true]);
    const { secret: fourth } = await webhooks.rotateWebhookSecret({ webhookId, keepOld: { seconds: 0n } }, admin);
    await ping();
    expect(verified(first, second, third, fourth)).toEqual([false, false, false, true]);
    const { secret: fifth } = await webhooks.rotateWebhookSecret({ webhookId }, admin);
    clock.skip(day + 1000);
    await ping();
    // The receiver's clock is another: the signature is looked at, not the age.
    expect(String(receiver.received.at(-1)?.headers["webhook-signature"]).split(" ")).toHaveLength(1);
    expect((await world.look(webhookId)).secrets).toHaveLength(1);
    expect(fifth).not.toBe(fourth);
    clock.skip(-day - 1000);
  });

  it("lies encrypted in the database", async () => {
    await using folder = await temporaryFolder();
    await using own = await startWorld({ folder: folder.path });
    const { secret } = await own.webhook(receiver.url);
    const { readdir, readFile } = await import("node:fs/promises");
    const raw = Buffer.from(secret.slice("whsec_".length), "base64");
    for (const name of await readdir(folder.path)) {
      if (!name.startsWith("integration.db")) continue;
      const bytes = await readFile(`${folder.path}/${name}`);
      expect([name, bytes.includes(raw), bytes.includes(secret.slice(6))]).toEqual([name, false, false]);
    }
  });

  it("that was sealed with another key sends nothing, says so, and is healed by a new one", async () => {
    await using folder = await temporaryFolder();
    const key = (character: string) => ({ KEY_ENCRYPTION_SECRET: character.repeat(40) });
    let id = "";
    const parts = { folder: folder.path, users: world.users, feed: world.feed, workspaceId: world.workspaceId };
    {
      await using before = await startWorld({ ...parts, settings: key("a") });
      id = (await before.webhook(receiver.url)).id;
    }
    await using after = await startWorld({ ...parts, settings: key("b") });
    const count = receiver.received.length;
    expect(await reasonOf(after.webhooks.pingWebhook({ webhookId: id }, after.admin))).toBe("INTERNAL");
    expect(receiver.received).toHaveLength(count);
    expect(JSON.stringify(after.log.lines())).toContain("sealed with another KEY_ENCRYPTION_SECRET");
    const { secret } = await after.webhooks.rotateWebhookSecret({ webhookId: id }, after.admin);
    await after.webhooks.pingWebhook({ webhookId: id }, after.admin);
    expect(verified(secret)).toEqual([true]);
  });
});

describe("a ping", () => {
  it("goes at once, whatever state and filter say, and tells what the receiver answered", async () => {
    const { webhooks, admin } = world;
    const filter = {
      $typeName: "docket.document.v1.ChangeFilter" as const,
      workspaceIds: [],
      documentIds: [newId()],
      kinds: [],
    };
    const { id: webhookId, secret } = await world.webhook(receiver.url, { filter });
    await webhooks.updateWebhook({ webhookId, paused: true, updateMask: { paths: ["paused"] } }, admin);
    const { delivery } = await webhooks.pingWebhook({ webhookId }, admin);
    expect(delivery).toMatchObject({ state: DeliveryState.DELIVERED, kind: ChangeKind.PING, sequence: 0n });
    expect(delivery?.lastAttempt).toMatchObject({ status: 200, answer: "answered" });
    expect(verified(secret)).toEqual([true]);
    const body = JSON.parse(receiver.received.at(-1)?.body ?? "") as object;
    expect(body).toMatchObject({ kind: "CHANGE_KIND_PING", workspaceId: world.workspaceId });
    receiver.answer = 500;
    const failed = await webhooks.pingWebhook({ webhookId }, admin);
    receiver.answer = 200;
    expect(failed.delivery).toMatchObject({ state: DeliveryState.PARKED, attemptCount: 1 });
    expect((await world.look(webhookId)).state).toBe(WebhookState.PAUSED);
  });
});

describe("the log of deliveries", () => {
  it("is listed in pages, by state, and holds only the webhook's own", async () => {
    const { webhooks, admin } = world;
    const { id: webhookId } = await world.webhook(receiver.url);
    const { id: other } = await world.webhook(receiver.url);
    for (let at = 0; at < 3; at += 1) await webhooks.pingWebhook({ webhookId }, admin);
    const first = await webhooks.listDeliveries({ webhookId, pageSize: 2 }, admin);
    const second = await webhooks.listDeliveries({ webhookId, pageSize: 2, pageToken: first.nextPageToken }, admin);
    const all = [...first.deliveries, ...second.deliveries];
    expect([first.deliveries.length, second.deliveries.length, second.nextPageToken]).toEqual([2, 1, ""]);
    expect(new Set(all.map(({ id }) => id)).size).toBe(3);
    const parked = await webhooks.listDeliveries({ webhookId, state: DeliveryState.PARKED }, admin);
    expect(parked.deliveries).toEqual([]);
    const otherState = { webhookId, pageSize: 2, pageToken: first.nextPageToken, state: DeliveryState.DELIVERED };
    expect(await reasonOf(webhooks.listDeliveries(otherState, admin))).toBe("PAGE_TOKEN_INVALID");
    const deliveryId = all[0]?.id ?? "";
    expect(await reasonOf(webhooks.getDelivery({ webhookId: other, deliveryId }, admin))).toBe("NOT_FOUND");
    expect(await reasonOf(webhooks.redeliverDelivery({ webhookId: other, deliveryId }, admin))).toBe("NOT_FOUND");
  });

  it("forgets what ended long ago, with its attempts and bodies", async () => {
    await using folder = await temporaryFolder();
    const parts = { folder: folder.path, users: world.users, feed: world.feed, workspaceId: world.workspaceId };
    let id = "";
    {
      await using own = await startWorld({ ...parts, settings: { WEBHOOK_LOG_KEPT: "1d" } });
      id = (await own.webhook(receiver.url)).id;
      for (let at = 0; at < 3; at += 1) await own.webhooks.pingWebhook({ webhookId: id }, own.admin);
      own.clock.skip(2 * day);
      // Housekeeping comes once an hour, by the clock of the rules.
      await eventually(async () => {
        own.clock.skip(3_600_000);
        const { deliveries } = await own.webhooks.listDeliveries({ webhookId: id }, own.admin);
        expect(deliveries).toEqual([]);
      });
    }
  });
});
