// On a real Redis: what is said and done when it is there, dies, freezes, refuses and comes back.

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "@jest/globals";
import { readSettings } from "../config.ts";
import { eventually } from "../testing/eventually.ts";
import { captureLog } from "../testing/log.ts";
import { serverTls } from "../testing/servers/certificates.ts";
import { type RedisServer, startRedis } from "../testing/servers/redis.ts";
import { temporaryFolder } from "../testing/temporary_folder.ts";
import { openRedis, type Redis, script } from "./redis.ts";
import { redisSettings } from "./settings.ts";
import { SharedBuckets } from "./shared_buckets.ts";

const echo = script("return {KEYS[1], ARGV[1], 7}");

const open: AsyncDisposable[] = [];
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one[Symbol.asyncDispose]();
});

function use<T extends AsyncDisposable>(one: T): T {
  open.push(one);
  return one;
}

/** A client of a server, and what it says. */
function client(url: string, env: Record<string, string> = {}) {
  const log = captureLog();
  const redis = openRedis(readSettings(redisSettings, { REDIS_URL: url, ...env }), log.logger) as Redis;
  use(redis);
  const said = () => log.lines().map(({ level, msg, why }) => `${level}: ${msg}${why === undefined ? "" : ` ${why}`}`);
  return { redis, said };
}

const connected = async (server: RedisServer) => {
  const one = client(server.url);
  await eventually(() => one.redis.connected);
  return one;
};

/** How long a call takes, in milliseconds. */
async function timed(run: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await run();
  return performance.now() - began;
}

const away = "warn: Redis is away; everything works without it, only slower";

describe("Redis", () => {
  it("runs scripts, carries messages, and says so in one line", async () => {
    const server = use(await startRedis({ password: "only for tests" }));
    const one = await connected(server);
    const other = await connected(server);
    expect(await one.redis.run(echo, ["key"], ["value"])).toEqual(["key", "value", 7]);
    expect(await one.redis.run(echo, ["key"], ["value"])).toEqual(["key", "value", 7]);

    const heard: string[] = [];
    using _subscribed = other.redis.subscribe("news", (message) => void heard.push(message));
    await eventually(async () => {
      one.redis.publish("news", "hello");
      return heard.includes("hello");
    });
    // A connection that listens still runs scripts.
    expect(await other.redis.run(echo, ["key"], ["value"])).toEqual(["key", "value", 7]);
    expect(one.said()).toEqual(["info: Redis is used"]);
  });

  it("that is killed is missed at once, by everybody, and found again by itself", async () => {
    const server = use(await startRedis());
    const { redis, said } = await connected(server);
    const heard: string[] = [];
    using _subscribed = redis.subscribe("news", (message) => void heard.push(message));
    await server.stop();
    await eventually(() => !redis.connected);
    const times = await Promise.all(Array.from({ length: 100 }, () => timed(() => redis.run(echo, ["k"], ["v"]))));
    expect(Math.max(...times)).toBeLessThan(50);
    expect(await redis.run(echo, ["k"], ["v"])).toBeUndefined();

    await server.start();
    await eventually(() => redis.connected, { timeoutMs: 5_000 });
    expect(await redis.run(echo, ["k"], ["v"])).toEqual(["k", "v", 7]);
    await eventually(() => {
      redis.publish("news", "again");
      return heard.includes("again");
    });
    expect(said()).toEqual(["info: Redis is used", expect.stringContaining(away), "info: Redis is back"]);
  });

  it("that freezes costs those who wait a quarter of a second, once, and nobody after them", async () => {
    const server = use(await startRedis());
    const { redis, said } = await connected(server);
    server.freeze();
    const waiting = await Promise.all(Array.from({ length: 50 }, () => timed(() => redis.run(echo, ["k"], ["v"]))));
    expect(Math.max(...waiting)).toBeLessThan(1_000);
    const after = await Promise.all(Array.from({ length: 100 }, () => timed(() => redis.run(echo, ["k"], ["v"]))));
    expect(Math.max(...after)).toBeLessThan(50);
    // New connections are taken and not greeted: that is no Redis.
    await eventually(() => said().length === 2);
    expect(redis.connected).toBe(false);

    server.thaw();
    await eventually(() => redis.connected, { timeoutMs: 5_000 });
    expect(await redis.run(echo, ["k"], ["v"])).toEqual(["k", "v", 7]);
    expect(said()).toEqual(["info: Redis is used", `${away} Redis: it does not answer`, "info: Redis is back"]);
  });

  it("that was only slow is used again without a word", async () => {
    const server = use(await startRedis());
    const { redis, said } = await connected(server);
    server.freeze();
    expect(await redis.run(echo, ["k"], ["v"])).toBeUndefined();
    expect(redis.connected).toBe(false);
    server.thaw();
    await eventually(() => redis.connected);
    expect(await redis.run(echo, ["k"], ["v"])).toEqual(["k", "v", 7]);
    expect(said()).toEqual(["info: Redis is used"]);
  });

  it("that nobody asks is missed all the same when it freezes", async () => {
    const server = use(await startRedis());
    const { redis } = await connected(server);
    server.freeze();
    await eventually(() => !redis.connected, { timeoutMs: 5_000 });
    server.thaw();
  });

  it("that is not there at the start is used once it comes", async () => {
    const server = use(await startRedis());
    await server.stop();
    const { redis, said } = client(server.url);
    await eventually(() => said().length > 0);
    expect(said()).toEqual([`${away} Nobody listens at REDIS_URL's address.`]);
    await server.start();
    await eventually(() => redis.connected, { timeoutMs: 5_000 });
    expect(said()).toHaveLength(2);
  });

  it("that refuses the password is away, with one sentence", async () => {
    const server = use(await startRedis({ password: "right" }));
    for (const url of [`redis://:wrong@127.0.0.1:${server.port}`, `redis://127.0.0.1:${server.port}`]) {
      const { redis, said } = client(url);
      await eventually(() => said().length > 0);
      expect(said()).toEqual([`${away.replace("warn", "error")} REDIS_URL: Redis refuses the user name or password.`]);
      expect(redis.connected).toBe(false);
    }
  });

  it("that is too old to listen and answer on one connection is away, with one sentence", async () => {
    // As before version 6.
    const server = use(await startRedis({ settings: ["--rename-command", "HELLO", ""] }));
    const { redis, said } = client(server.url);
    await eventually(() => said().length > 0);
    expect(said()).toEqual([
      `${away.replace("warn", "error")} REDIS_URL: Redis must be version 6 or newer, and permit HELLO.`,
    ]);
    expect(redis.connected).toBe(false);
  });

  it("that does not permit its user what is needed is away, with one sentence", async () => {
    const server = use(await startRedis());
    await server.command("ACL", "SETUSER", "weak", "on", ">pw", "~*", "&*", "+@connection", "+info", "+subscribe");
    const { redis, said } = client(server.url.replace("redis://", "redis://weak:pw@"));
    await eventually(() => said().length > 0);
    expect(said()).toEqual([expect.stringContaining("REDIS_URL: Redis does not permit its user what Docket needs")]);
    expect(redis.connected).toBe(false);
  });

  it("that has become a replica is away until it can be written again", async () => {
    const server = use(await startRedis());
    const { redis, said } = await connected(server);
    await server.command("REPLICAOF", "127.0.0.1", "1");
    const write = script("return redis.call('SET', KEYS[1], 'x')");
    expect(await redis.run(write, ["k"], [])).toBeUndefined();
    expect(redis.connected).toBe(false);
    await eventually(() => said().length === 2);
    await server.command("REPLICAOF", "NO", "ONE");
    await eventually(() => redis.connected, { timeoutMs: 5_000 });
    expect(await redis.run(write, ["k"], [])).toBe("OK");
    expect(said()).toEqual([
      "info: Redis is used",
      `${away.replace("warn", "error")} REDIS_URL leads to a replica, which cannot be written.`,
      "info: Redis is back",
    ]);
  });

  it("that refuses a command has not gone away", async () => {
    const server = use(await startRedis());
    const { redis, said } = await connected(server);
    expect(await redis.run(script("return redis.call('NOSUCH')"), [], [])).toBeUndefined();
    expect(await redis.run(script("return redis.call('NOSUCH')"), [], [])).toBeUndefined();
    expect(redis.connected).toBe(true);
    expect(said()).toEqual(["info: Redis is used", "warn: Redis refuses a command"]);
  });
});

describe("TLS to Redis", () => {
  const authority = async (pem: string) => {
    const folder = use(await temporaryFolder());
    const path = join(folder.path, "ca.pem");
    writeFileSync(path, pem);
    return { REDIS_CA: path };
  };

  it("is verified with the authority that the operator names", async () => {
    const tls = await serverTls();
    const server = use(await startRedis({ tls, password: "only for tests" }));
    for (const url of [server.url, server.url.replace("127.0.0.1", "localhost")]) {
      const { redis } = client(url, await authority(tls.ca));
      await eventually(() => redis.connected);
      expect(await redis.run(echo, ["k"], ["v"])).toEqual(["k", "v", 7]);
    }
  });

  it.each([
    ["of an authority that nobody named", "IP:127.0.0.1", false, /certificate that Redis shows is not trusted/],
    ["for another name", "DNS:cache.example.com", true, /shows a certificate for another name/],
  ])("refuses a certificate %s", async (_what, names, named, sentence) => {
    const tls = await serverTls(names);
    const server = use(await startRedis({ tls }));
    const { redis, said } = client(server.url, named ? await authority(tls.ca) : {});
    await eventually(() => said().length > 0);
    expect(said()).toEqual([expect.stringMatching(sentence)]);
    expect(redis.connected).toBe(false);
  });

  it("where Redis speaks none is told of in one sentence, and the other way round", async () => {
    const plain = use(await startRedis());
    const wanted = client(plain.url.replace("redis:", "rediss:"));
    const encrypted = use(await startRedis({ tls: await serverTls() }));
    const unwanted = client(encrypted.url.replace("rediss:", "redis:"));
    await eventually(() => wanted.said().length > 0 && unwanted.said().length > 0);
    expect(wanted.said()).toEqual([expect.stringContaining("Perhaps it speaks no TLS (redis:).")]);
    expect(unwanted.said()).toEqual([expect.stringContaining("Perhaps it wants TLS (rediss:).")]);
  });
});

describe("shared buckets", () => {
  it("give the burst once, to all who take together, and then what trickles in", async () => {
    const server = use(await startRedis());
    const both = [await connected(server), await connected(server)].map(({ redis }) => new SharedBuckets(redis));
    const rate = { perSecond: 20, burst: 30 };
    const taken = await Promise.all(Array.from({ length: 80 }, (_, n) => both[n % 2]?.take("client", rate)));
    const granted = taken.filter((one) => one?.granted).length;
    expect(granted).toBeGreaterThanOrEqual(30);
    // What trickled in while the eighty were on their way.
    expect(granted).toBeLessThanOrEqual(34);
    expect(await both[0]?.take("somebody else", rate)).toEqual({ granted: true, tokens: 29 });
    await eventually(async () => (await both[1]?.take("client", rate))?.granted === true);
  });

  it("forget a client that has rested", async () => {
    const server = use(await startRedis());
    const { redis } = await connected(server);
    await new SharedBuckets(redis).take("client", { perSecond: 100, burst: 10 });
    expect(await server.command("EXISTS", "docket:v1:rate:client")).toBe("1");
    await eventually(async () => (await server.command("EXISTS", "docket:v1:rate:client")) === "0");
  });
});
