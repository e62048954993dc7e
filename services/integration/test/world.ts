// An integration service for tests: real gRPC, a real database and real receivers; user and document are played by fakes.
import { generateKeyPairSync } from "node:crypto";
import { type CallOptions, type Client, ConnectError } from "@connectrpc/connect";
import { ErrorInfoSchema } from "@docket/contracts/gen/docket/error/v1/error_info_pb.ts";
import { type Reason, ReasonSchema } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import type { DeliveryState } from "@docket/contracts/gen/docket/integration/v1/delivery_pb.ts";
import type { Webhook } from "@docket/contracts/gen/docket/integration/v1/webhook_pb.ts";
import { WebhookService } from "@docket/contracts/gen/docket/integration/v1/webhook_service_pb.ts";
import { Workload } from "@docket/contracts/gen/docket/policy/v1/policy_pb.ts";
import { enumName } from "@docket/contracts/policy";
import { headerNames } from "@docket/runtime/call";
import { newId } from "@docket/runtime/ids";
import { connectMesh } from "@docket/runtime/mesh";
import { eventually } from "@docket/runtime/testing/eventually";
import { testIdentities } from "@docket/runtime/testing/identities";
import { type CapturedLog, captureLog } from "@docket/runtime/testing/log";
import { temporaryFolder } from "@docket/runtime/testing/temporary_folder";
import { testParts } from "@docket/runtime/testing/test_parts";
import { signToken } from "@docket/runtime/token";
import { expect } from "@jest/globals";
import { readConfig } from "../config.ts";
import { type IntegrationOverrides, startIntegrationService } from "../service.ts";
import { FakeFeed } from "./fake_feed.ts";
import { FakeUsers, type roles } from "./fake_users.ts";

const keys = generateKeyPairSync("ed25519");
const publicKey = { id: "test-key", x: String(keys.publicKey.export({ format: "jwk" }).x) };

/** A clock that is ahead of the real one by as much as the test says. */
export class TestClock {
  #aheadMs = 0;
  readonly now = () => new Date(Date.now() + this.#aheadMs);

  skip(ms: number): void {
    this.#aheadMs += ms;
  }
}

/** A service that runs, and everything around it. */
export interface World extends AsyncDisposable {
  readonly users: FakeUsers;
  readonly feed: FakeFeed;
  readonly clock: TestClock;
  readonly log: CapturedLog;
  readonly workspaceId: string;
  readonly webhooks: Client<typeof WebhookService>;
  /** An admin of the workspace. */
  readonly admin: CallOptions;
  /** A new person with a role in a workspace; without one a stranger. */
  person(role?: keyof typeof roles, workspaceId?: string): Promise<CallOptions>;
  /** A webhook of the admin's, with its secret. */
  webhook(
    url: string,
    more?: { workspaceId?: string; filter?: Webhook["filter"] },
  ): Promise<{ id: string; secret: string }>;
  /** The webhook as it is now. */
  look(id: string): Promise<Webhook>;
}

export interface WorldOptions {
  /** Keeps the database over a restart. */
  readonly folder?: string;
  readonly users?: FakeUsers;
  readonly feed?: FakeFeed;
  readonly clock?: TestClock;
  readonly workspaceId?: string;
  /** Settings beside those that let webhooks go to receivers on this machine. */
  readonly settings?: Readonly<Record<string, string>>;
  readonly egress?: IntegrationOverrides["egress"];
  /** What the process does. Default: everything. */
  readonly role?: IntegrationOverrides["role"];
}

/** Pauses that do not hold up a test, and receivers on this machine. */
const settings = {
  INTEGRATION_PORT: "0",
  WEBHOOK_ALLOWED_RANGES: "127.0.0.0/8",
  WEBHOOK_ALLOW_HTTP: "true",
};

export function fakeUsers(): FakeUsers {
  return new FakeUsers(publicKey);
}

/** Starts a world of its own. */
export async function startWorld(options: WorldOptions = {}): Promise<World> {
  await using parts = new AsyncDisposableStack();
  const [identity, gateway] = await testIdentities(Workload.INTEGRATION, Workload.GATEWAY);
  const folder = options.folder ?? parts.use(await temporaryFolder()).path;
  const { users = fakeUsers(), feed = new FakeFeed(), clock = new TestClock(), workspaceId = newId() } = options;
  const log = captureLog();
  const service = parts.use(
    await startIntegrationService(
      readConfig({ DOCKET_DATA_DIR: folder, ...settings, ...(await testParts(folder)), ...options.settings }),
      {
        identity,
        logger: log.logger,
        clock: clock.now,
        clients: { ...users.clients(), feed: feed.client() },
        ...(options.egress && { egress: options.egress }),
        ...(options.role && { role: options.role }),
      },
    ),
  );
  const mesh = parts.use(connectMesh({ identity: gateway, addresses: { integration: [service.address] } }));
  const webhooks = mesh.client(WebhookService);
  const person = async (role?: keyof typeof roles, where = workspaceId) => {
    const id = newId();
    if (role !== undefined) users.join(id, where, role);
    return signIn(id);
  };
  const admin = await person("admin");
  const running = parts.move();
  return {
    users,
    feed,
    clock,
    log,
    workspaceId,
    webhooks,
    admin,
    person,
    async webhook(url, more = {}) {
      const as = more.workspaceId === undefined ? admin : await person("admin", more.workspaceId);
      const { webhook, secret } = await webhooks.createWebhook({ workspaceId, name: "CRM", url, ...more }, as);
      return { id: webhook?.id ?? "", secret };
    },
    async look(webhookId) {
      const { webhook } = await webhooks.getWebhook({ webhookId }, admin);
      if (webhook === undefined) throw new Error("there is no webhook in the answer");
      return webhook;
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

async function signIn(id: string): Promise<CallOptions> {
  const content = { kind: "person" as const, id, sessionId: newId(), expiresAt: Date.now() + 300_000 };
  const token = await signToken(content, { key: keys.privateKey, keyId: publicKey.id }, Date.now());
  return { headers: { [headerNames.authorization]: `Bearer ${token}` } };
}

/** The deliveries of a webhook, the newest first. */
export async function deliveriesOf(world: World, webhookId: string) {
  return (await world.webhooks.listDeliveries({ webhookId, pageSize: 200 }, world.admin)).deliveries;
}

/** Waits until a webhook has this many deliveries in a state. */
export async function untilStates(world: World, webhookId: string, state: DeliveryState, count: number) {
  await eventually(async () => {
    const theirs = (await deliveriesOf(world, webhookId)).filter((delivery) => delivery.state === state);
    expect(theirs).toHaveLength(count);
  });
}

/** The name of the reason that a call fails with; "OK" when it does not. */
export async function reasonOf(call: Promise<unknown>): Promise<string> {
  try {
    await call;
    return "OK";
  } catch (error) {
    const info = ConnectError.from(error).findDetails(ErrorInfoSchema)[0];
    return info === undefined ? String(error) : enumName(ReasonSchema, info.reason as Reason);
  }
}
