// Two gateways that share a real Redis: signed in once, signed in everywhere; ended once, ended everywhere within a
// second; counted together; and all of it without Redis as well, only slower.

import { Permission } from "@docket/contracts/gen/docket/policy/v1/policy_pb.ts";
import { eventually } from "@docket/runtime/testing/eventually";
import { type RedisServer, startRedis } from "@docket/runtime/testing/servers/redis";
import { afterEach, describe, expect, it } from "@jest/globals";
import { clientsOf, edgeTransport, inTurn, type Person, signIn, signUp } from "../person.ts";
import { type Replicas, startReplicas } from "./replicas.ts";

const parts: AsyncDisposable[] = [];
afterEach(async () => {
  for (const part of parts.splice(0).reverse()) await part[Symbol.asyncDispose]();
});

function use<T extends AsyncDisposable>(part: T): T {
  parts.push(part);
  return part;
}

interface World {
  readonly redis: RedisServer;
  readonly replicas: Replicas;
  readonly person: Person;
  readonly workspaceId: string;
}

/** Somebody who signed in at the first gateway, with a workspace. */
async function world(settings: Record<string, string> = {}): Promise<World> {
  const redis = use(await startRedis());
  const replicas = use(await startReplicas(redis.url, settings));
  await replicas.connected();
  const person = await signUp(replicas.urls[0], "Anna");
  const { workspace } = await person.workspaces.createWorkspace({ name: "Harbour" });
  return { redis, replicas, person, workspaceId: workspace?.id ?? "" };
}

interface Call {
  readonly status: number;
  /** On the clock of performance.now(). */
  readonly beganAt: number;
  readonly ms: number;
}

/**
 * Asks the document service through a gateway: it believes tokens, so the gateway alone knows that a session has ended.
 */
async function ask(url: string, secret: string, workspaceId: string, rpc = "ListDocuments"): Promise<Call> {
  const beganAt = performance.now();
  const response = await fetch(`${url}/docket.document.v1.DocumentService/${rpc}`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${secret}` },
    body: JSON.stringify(rpc === "SearchDocuments" ? { workspaceId, query: "harbour" } : { workspaceId }),
  });
  await response.arrayBuffer();
  return { status: response.status, beganAt, ms: performance.now() - beganAt };
}

/** Asks both gateways again and again until stopped; gives every call. */
function keepAsking(urls: readonly string[], secret: string, workspaceId: string) {
  const calls: Call[] = [];
  let going = true;
  const asking = Promise.all(
    urls.map(async (url) => {
      while (going) calls.push(await ask(url, secret, workspaceId));
    }),
  );
  return {
    calls,
    async stop() {
      going = false;
      await asking;
      return calls;
    },
  };
}

const refused = (calls: readonly Call[]) => calls.filter(({ status }) => status !== 200);
const exchanges = ({ calls }: Replicas) => calls.filter(({ rpc }) => rpc.endsWith("/ExchangeSession")).length;

/** A secret that works, and how it ends. */
interface Doomed {
  readonly secret: string;
  readonly end: () => Promise<unknown>;
}

function endedBy({ secret }: { readonly secret: string }, end: () => Promise<unknown>): Doomed {
  return { secret, end };
}

/** A client application's key to read documents. */
async function enrol({ keys }: Person, workspaceId: string) {
  const { application } = await keys.enrollApplication({ workspaceId, name: "Index" });
  const applicationId = application?.id ?? "";
  return await keys.createApiKey({ workspaceId, applicationId, name: "key", scopes: [Permission.DOCUMENT_VIEW] });
}

/** Both gateways let nobody in with this secret, from a second after `endedAt` on. */
async function expectEnded({ replicas: { urls }, workspaceId }: World, secret: string, endedAt: number) {
  const asking = keepAsking(urls, secret, workspaceId);
  await eventually(() => performance.now() - endedAt > 1_500);
  const late = (await asking.stop()).filter(({ beganAt }) => beganAt - endedAt >= 1_000);
  expect(late.length).toBeGreaterThan(2);
  expect(new Set(late.map(({ status }) => status))).toEqual(new Set([401]));
}

describe("a session", () => {
  it("is known to both gateways by one exchange", async () => {
    const { replicas, person, workspaceId } = await world();
    // The copy is there once somebody vouches for it.
    await eventually(async () => {
      const before = exchanges(replicas);
      const began = performance.now();
      await eventually(async () => {
        for (const url of replicas.urls) expect((await ask(url, person.secret, workspaceId)).status).toBe(200);
        return performance.now() - began > 3_000;
      });
      // Each gateway alone would have asked once a second.
      return exchanges(replicas) - before <= 1;
    });
  });

  it.each<[string, (world: World) => Promise<Doomed>]>([
    [
      "a session signed out at the other gateway",
      async ({ person }) => endedBy(person, () => person.sessions.signOut({})),
    ],
    [
      "a session revoked from another device",
      async ({ replicas, person }) => {
        const other = await signIn(replicas.urls[0], person);
        const { session } = await person.sessions.getSession({});
        return endedBy(person, () => other.sessions.revokeSession({ sessionId: session?.id ?? "" }));
      },
    ],
    [
      "the session of a person who was disabled",
      async ({ replicas, person }) => {
        const other = await signUp(replicas.urls[1], "Berta");
        return endedBy(other, () => person.users.disableUser({ userId: other.id }));
      },
    ],
    [
      "a key that was revoked",
      async ({ person, workspaceId }) => {
        const { key, secret } = await enrol(person, workspaceId);
        return endedBy({ secret }, () => person.keys.revokeApiKey({ workspaceId, keyId: key?.id ?? "" }));
      },
    ],
    [
      "a key's secret that was revoked",
      async ({ person, workspaceId }) => {
        const { key, secret } = await enrol(person, workspaceId);
        const secretId = key?.secrets[0]?.id ?? "";
        return endedBy({ secret }, () =>
          person.keys.revokeApiKeySecret({ workspaceId, keyId: key?.id ?? "", secretId }),
        );
      },
    ],
  ])("%s is over everywhere within a second", async (_what, doom) => {
    const all = await world();
    const { replicas, workspaceId } = all;
    const { secret, end } = await doom(all);
    const asking = keepAsking(replicas.urls, secret, workspaceId);
    await eventually(() => asking.calls.length > 20);
    // What comes after has been asked for with a copy at hand.
    expect(asking.calls.filter(({ status }) => status === 401)).toEqual([]);
    await end();
    await expectEnded(all, secret, performance.now());
    await asking.stop();
  });

  it("that was signed out is over at once where it was signed out", async () => {
    const { replicas, person, workspaceId } = await world();
    for (let n = 0; n < 8; n += 1) {
      const device = await signIn(replicas.urls[0], person);
      await ask(replicas.urls[0], device.secret, workspaceId);
      await device.sessions.signOut({});
      expect((await ask(replicas.urls[0], device.secret, workspaceId)).status).toBe(401);
    }
  });

  it("that ends while gateways are just asking about it is over within a second, twenty times", async () => {
    const all = await world();
    const { replicas, person, workspaceId } = all;
    const [url] = replicas.urls;
    const race = async (turns: number) => {
      // No gateway has heard of this session: exchange, copy and end meet.
      const { email, password } = person;
      const { sessionSecret } = await inTurn(() => clientsOf(edgeTransport(url)).sessions.signIn({ email, password }));
      const asking = keepAsking(replicas.urls, sessionSecret, workspaceId);
      try {
        for (let turn = 0; turn < turns; turn += 1) await new Promise((resolve) => setImmediate(resolve));
        await clientsOf(edgeTransport(url, sessionSecret)).sessions.signOut({});
        const endedAt = performance.now();
        await eventually(() => performance.now() - endedAt > 1_300);
        return asking.calls.filter(({ beganAt }) => beganAt - endedAt >= 1_000);
      } finally {
        await asking.stop();
      }
    };
    const late: Call[] = [];
    for (let turns = 0; turns < 20; turns += 4) {
      late.push(...(await Promise.all([0, 1, 2, 3].map((more) => race(turns + more)))).flat());
    }
    expect(late.length).toBeGreaterThan(40);
    expect(late.filter(({ status }) => status !== 401)).toEqual([]);
  });
});

describe("without Redis", () => {
  it("that is killed everything goes on, endings too, and it is used again within 5 s of its return", async () => {
    const all = await world();
    const { redis, replicas, person, workspaceId } = all;
    const doomed = await signIn(replicas.urls[0], person);
    await ask(replicas.urls[1], doomed.secret, workspaceId);
    const asking = keepAsking(replicas.urls, person.secret, workspaceId);
    await eventually(() => asking.calls.length > 20);
    await redis.stop();
    await doomed.sessions.signOut({});
    await expectEnded(all, doomed.secret, performance.now());
    await eventually(() => expectSaid(replicas, ["Redis is used", "Redis is away"]));
    await redis.start();
    await replicas.connected(5_000);
    const before = asking.calls.length;
    await eventually(() => asking.calls.length > before + 20);
    const calls = await asking.stop();
    expect(refused(calls)).toEqual([]);
    report("Redis killed and started", calls);
    expect((await ask(replicas.urls[1], doomed.secret, workspaceId)).status).toBe(401);
    await eventually(() => expectSaid(replicas, ["Redis is used", "Redis is away", "Redis is back"]), {
      timeoutMs: 5_000,
    });
  });

  it("that freezes nobody hangs, and what ended meanwhile stays ended when it wakes", async () => {
    const all = await world();
    const { redis, replicas, person, workspaceId } = all;
    const doomed = await signIn(replicas.urls[0], person);
    for (const url of replicas.urls) await ask(url, doomed.secret, workspaceId);
    const asking = keepAsking(replicas.urls, person.secret, workspaceId);
    await eventually(() => asking.calls.length > 20);
    redis.freeze();
    await doomed.sessions.signOut({});
    const endedAt = performance.now();
    await expectEnded(all, doomed.secret, endedAt);
    const waking = keepAsking(replicas.urls, doomed.secret, workspaceId);
    await eventually(() => expectSaid(replicas, ["Redis is used", "Redis is away"]));
    redis.thaw();
    await replicas.connected(5_000);
    const before = waking.calls.length;
    await eventually(() => waking.calls.length > before + 20);
    expect((await waking.stop()).filter(({ status }) => status === 200)).toEqual([]);
    const calls = await asking.stop();
    expect(refused(calls)).toEqual([]);
    report("Redis frozen and woken", calls);
    await eventually(() => expectSaid(replicas, ["Redis is used", "Redis is away", "Redis is back"]), {
      timeoutMs: 5_000,
    });
  });

  it("emptied nobody is signed out", async () => {
    const { redis, replicas, person, workspaceId } = await world();
    const asking = keepAsking(replicas.urls, person.secret, workspaceId);
    await eventually(() => asking.calls.length > 20);
    await redis.command("FLUSHALL");
    const before = asking.calls.length;
    await eventually(() => asking.calls.length > before + 100);
    expect(refused(await asking.stop())).toEqual([]);
  });
});

describe("rate limits", () => {
  it("count at both gateways together, and at each alone while Redis is away", async () => {
    const { redis, replicas, person, workspaceId } = await world({ RATE_LIMIT_PERCENT: "100" });
    const search = async () => {
      const began = performance.now();
      const calls = await Promise.all(
        Array.from({ length: 160 }, (_, n) =>
          ask(replicas.urls[n % 2 === 0 ? 0 : 1], person.secret, workspaceId, "SearchDocuments"),
        ),
      );
      const passed = calls.filter(({ status }) => status === 200).length;
      expect(calls.filter(({ status }) => status === 429)).toHaveLength(160 - passed);
      return { passed, seconds: (performance.now() - began) / 1000 };
    };
    // 60 at once and 10 a second, per person.
    const together = await search();
    expect(together.passed).toBeGreaterThanOrEqual(60);
    expect(together.passed).toBeLessThanOrEqual(60 + Math.ceil(10 * together.seconds));

    await redis.stop();
    const other = await signUp(replicas.urls[0], "Berta");
    const { workspace } = await other.workspaces.createWorkspace({ name: "Hall" });
    const calls = await Promise.all(
      Array.from({ length: 160 }, (_, n) =>
        ask(replicas.urls[n % 2 === 0 ? 0 : 1], other.secret, workspace?.id ?? "", "SearchDocuments"),
      ),
    );
    expect(calls.filter(({ status }) => status === 200).length).toBeGreaterThanOrEqual(120);
    expect(calls.filter(({ status }) => status === 429).length).toBeGreaterThan(0);
  });
});

/** What each process has said of Redis, each thing once. */
function expectSaid({ log }: Replicas, sentences: readonly string[]): void {
  const said = (service: string, sentence: string) =>
    log.lines().filter((line) => line.service === service && String(line.msg).startsWith(sentence)).length;
  for (const service of ["user", "storage", "document", "gateway 0", "gateway 1"]) {
    const connections = service === "user" ? 2 : 1;
    for (const sentence of ["Redis is used", "Redis is away", "Redis is back"]) {
      const times = sentences.includes(sentence) ? connections : 0;
      expect([service, sentence, said(service, sentence)]).toEqual([service, sentence, times]);
    }
  }
}

function report(what: string, calls: readonly Call[]): void {
  const sorted = calls.map(({ ms }) => ms).sort((a, b) => a - b);
  const at = (share: number) => Math.round(sorted[Math.floor((sorted.length - 1) * share)] ?? 0);
  process.stdout.write(`${what}: ${calls.length} calls, p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, longest ${at(1)} ms\n`);
  expect(at(0.99)).toBeLessThan(1_000);
}
