// On a real Redis and real logs: no copy is believed longer than a second after its owner has ended, whatever dies,
// freezes or comes back with old data in between.

import { afterEach, describe, expect, it } from "@jest/globals";
import { appendChanges } from "../changelog/append.ts";
import type { Change } from "../changelog/read.ts";
import { Tailer } from "../changelog/tailer.ts";
import { trimChanges } from "../changelog/trim.ts";
import { readSettings } from "../config.ts";
import { type NoteDatabase, openNotes, openNotesIn, silentLogger } from "../db/testing/note.ts";
import { createLogger } from "../logger.ts";
import { eventually } from "../testing/eventually.ts";
import { type RedisServer, startRedis } from "../testing/servers/redis.ts";
import { type Copy, copyLifeMs, HotCopies, type NoCopy, vouchedMs } from "./hot_copies.ts";
import { openRedis, type Redis } from "./redis.ts";
import { redisSettings } from "./settings.ts";
import { startVouching } from "./vouching.ts";
import { shareWakeUps } from "./wake_ups.ts";

const parts: AsyncDisposable[] = [];
afterEach(async () => {
  for (const part of parts.splice(0).reverse()) await part[Symbol.asyncDispose]();
});

function use<T extends AsyncDisposable>(part: T): T {
  parts.push(part);
  return part;
}

const secret = "s".repeat(43);
const endedBy = ({ kind, subjectId = "" }: Change) => (kind === "ended" ? [subjectId] : []);

async function connect(server: RedisServer): Promise<Redis> {
  const config = readSettings(redisSettings, { REDIS_URL: server.url });
  const redis = use(openRedis(config, createLogger({ level: "silent" })) as Redis);
  await eventually(() => redis.connected);
  return redis;
}

const say = (db: NoteDatabase["db"], kind: string, subjectId: string) =>
  db.transaction((tx) => appendChanges(tx, "", [{ kind, subjectId, payload: Buffer.from("") }]));

const vouch = (db: NoteDatabase["db"], redis: Redis) =>
  startVouching({ redis, db, partition: "", endedBy, logger: silentLogger });

async function world() {
  const server = use(await startRedis());
  const { db, folder } = use(await openNotes());
  const redis = await connect(server);
  const vouching = use(vouch(db, redis));
  const copies = new HotCopies(await connect(server));
  return { server, db, folder, redis, vouching, copies };
}

const isCopy = (found: Copy | NoCopy | undefined): found is Copy => found !== undefined && "text" in found;
const isNone = (found: Copy | NoCopy | undefined): found is NoCopy => found !== undefined && "keep" in found;

/** Looks until somebody vouches, so that there is a copy or room for one. */
const room = (copies: HotCopies, of = secret) =>
  eventually(async () => {
    const found = await copies.look(of);
    return isNone(found) && found;
  });

/** Keeps a copy that belongs to `owners`, and waits until it can be seen. */
async function keep(copies: HotCopies, owners: readonly string[], of = secret): Promise<void> {
  (await room(copies, of)).keep("token", owners, copyLifeMs);
  await eventually(async () => isCopy(await copies.look(of)));
}

describe("a hot copy", () => {
  it("is shared by all, with the age of its truth", async () => {
    const { server, copies } = await world();
    await keep(copies, ["person", "session"]);
    const found = await new HotCopies(await connect(server)).look(secret);
    expect(isCopy(found) && found.text).toBe("token");
    expect(isCopy(found) && found.ageMs).toBeLessThanOrEqual(vouchedMs);
    expect(await copies.look("t".repeat(43))).toMatchObject({ keep: expect.any(Function) });
  });

  it("leaves in Redis neither the secret nor what was kept", async () => {
    const { server, copies } = await world();
    await keep(copies, ["person"]);
    const keys = (await server.command("KEYS", "*")).split("\n");
    const copy = keys.find((key) => key.includes(":copy:")) ?? "";
    const all = keys.join(" ") + (await server.command("HGETALL", copy));
    expect(all).toContain("sealed");
    expect(all).not.toContain(secret);
    expect(all).not.toContain("token");
  });

  it.each(["person", "session"])("ends with its %s, and those who listen are told", async (owner) => {
    const { server, db, copies } = await world();
    await keep(copies, ["person", "session"]);
    await keep(copies, ["stranger"], "t".repeat(43));
    const told: string[] = [];
    using _listening = copies.onEnded((owners) => told.push(...owners));
    // Whoever listens is known to Redis before it is told.
    await eventually(async () => (await server.command("PUBSUB", "NUMSUB", "docket:v1:ended")).endsWith("1"));
    const began = performance.now();
    await say(db, "ended", owner);
    await eventually(async () => isNone(await copies.look(secret)), { intervalMs: 1 });
    expect(performance.now() - began).toBeLessThan(1_000);
    expect(isCopy(await copies.look("t".repeat(43)))).toBe(true);
    await eventually(() => told.includes(owner));
  });

  it("is not ended by changes of other kinds", async () => {
    const { server, db, copies } = await world();
    await keep(copies, ["person"]);
    await say(db, "renamed", "person");
    await eventually(async () => (await server.command("HGET", "docket:v1:copies", "position")) === "1");
    expect(isCopy(await copies.look(secret))).toBe(true);
  });

  it("ends when another replica wrote the end, and died before it told anybody", async () => {
    const { folder, copies } = await world();
    await keep(copies, ["session"]);
    {
      // Another process's connection: nothing it commits wakes this one.
      await using dying = await openNotesIn(folder);
      await say(dying, "ended", "session");
    }
    const began = performance.now();
    await eventually(async () => isNone(await copies.look(secret)), { intervalMs: 5 });
    expect(performance.now() - began).toBeLessThan(1_000);
  });

  it("learnt before the end is not kept after it", async () => {
    const { server, db, copies } = await world();
    const slow = await room(copies);
    const position = () => server.command("HGET", "docket:v1:copies", "position");
    await say(db, "ended", "session");
    await eventually(async () => (await position()) === "1");
    slow.keep("token", ["session"], copyLifeMs);
    // A copy that is kept later is seen: so the earlier one had its turn.
    await keep(copies, ["other"], "t".repeat(43));
    expect(isNone(await copies.look(secret))).toBe(true);
  });

  it("kept while the end is on its way does not outlive it, a hundred times", async () => {
    const { db, copies } = await world();
    for (let n = 0; n < 100; n += 1) {
      const of = `${n}`.padStart(43, "s");
      const { keep } = await room(copies, of);
      const end = say(db, "ended", `session ${n}`);
      // Somewhere before, during or after the commit and what follows from it.
      for (let turns = n % 10; turns > 0; turns -= 1) await new Promise((resolve) => setImmediate(resolve));
      keep("token", [`session ${n}`], copyLifeMs);
      await end;
      const committed = performance.now();
      await eventually(async () => isNone(await copies.look(of)), { intervalMs: 1 });
      expect(performance.now() - committed).toBeLessThan(1_000);
    }
  });

  it("is not believed while nobody vouches, and believed again when somebody does", async () => {
    const { db, redis, vouching, copies } = await world();
    await keep(copies, ["session"]);
    await vouching[Symbol.asyncDispose]();
    await eventually(async () => (await copies.look(secret)) === undefined);
    use(vouch(db, redis));
    await eventually(async () => isCopy(await copies.look(secret)));
  });

  it("that ended while nobody vouched is never seen again", async () => {
    const { db, redis, vouching, copies } = await world();
    await keep(copies, ["session"]);
    await vouching[Symbol.asyncDispose]();
    await say(db, "ended", "session");
    await eventually(async () => (await copies.look(secret)) === undefined);
    use(vouch(db, redis));
    const seen = await eventually(async () => (await copies.look(secret)) ?? false);
    expect(isCopy(seen)).toBe(false);
  });
});

describe("Redis that freezes", () => {
  it("and wakes with a copy whose owner ended meanwhile shows it to nobody", async () => {
    const { server, db, redis, copies } = await world();
    await keep(copies, ["session"]);
    server.freeze();
    await eventually(() => !redis.connected);
    await say(db, "ended", "session");
    expect(await copies.look(secret)).toBeUndefined();
    server.thaw();
    // From the first moment on, by somebody who was not there before.
    const looks: (Copy | NoCopy | undefined)[] = [];
    const early = new HotCopies(await connect(server));
    await eventually(async () => {
      const found = await early.look(secret);
      looks.push(found);
      return isNone(found);
    });
    expect(looks.filter(isCopy)).toEqual([]);
  });
});

describe("Redis that lost everything", () => {
  it("is filled anew, and nothing learnt before counts", async () => {
    const { server, db, copies } = await world();
    const slow = await room(copies);
    await keep(copies, ["session"]);
    await say(db, "ended", "session");
    await server.command("FLUSHALL");
    await room(copies);
    slow.keep("token", ["session"], copyLifeMs);
    await keep(copies, ["other"], "t".repeat(43));
    expect(isNone(await copies.look(secret))).toBe(true);
  });
});

describe("Redis that lost a part", () => {
  it.each(["docket:v1:copies", "docket:v1:owner:session"])(
    "without %s shows no copy that could not be ended",
    async (key) => {
      const { server, copies } = await world();
      await keep(copies, ["person", "session"]);
      await server.command("DEL", key);
      await room(copies);
      expect(isCopy(await copies.look(secret))).toBe(false);
    },
  );
});

describe("Redis that comes back with old data", () => {
  it("has the ends since then applied before anything is believed", async () => {
    const { server, db, vouching, redis, copies } = await world();
    await keep(copies, ["session"]);
    await vouching[Symbol.asyncDispose]();
    const keys = (await server.command("KEYS", "*")).split("\n");
    expect(keys).toHaveLength(3);
    // As they were: the copies, the owners, and the position that belongs to them.
    for (const key of keys) await server.command("COPY", key, `kept:${key}`);
    const again = use(vouch(db, redis));
    await say(db, "ended", "session");
    const ended = performance.now();
    await room(copies);
    await again[Symbol.asyncDispose]();
    await eventually(() => performance.now() - ended > 1_000);
    for (const key of keys) await server.command("COPY", `kept:${key}`, key, "REPLACE");
    expect(await server.command("EXISTS", keys.find((key) => key.includes(":copy:")) ?? "")).toBe("1");
    const looks: (Copy | NoCopy | undefined)[] = [await copies.look(secret)];
    use(vouch(db, redis));
    await eventually(async () => {
      const found = await copies.look(secret);
      looks.push(found);
      return isNone(found);
    });
    expect(looks.filter(isCopy)).toEqual([]);
  });
});

describe("a log that is another one", () => {
  it("makes all copies worthless: it is shorter than what was applied", async () => {
    const { server, db, redis, vouching, copies } = await world();
    await say(db, "renamed", "person");
    await eventually(async () => (await server.command("HGET", "docket:v1:copies", "position")) === "1");
    await keep(copies, ["session"]);
    await vouching[Symbol.asyncDispose]();
    const restored = use(await openNotes());
    use(vouch(restored.db, redis));
    await room(copies);
    expect(await server.command("HGET", "docket:v1:copies", "position")).toBe("0");
  });

  it("makes all copies worthless: it no longer reaches back to there", async () => {
    const { db, redis, vouching, copies } = await world();
    await keep(copies, ["session"]);
    await vouching[Symbol.asyncDispose]();
    await say(db, "ended", "session");
    for (let n = 0; n < 3; n += 1) await say(db, "renamed", "person");
    await trimChanges(db, new Date(Date.now() + 1_000));
    use(vouch(db, redis));
    await room(copies);
  });
});

describe("wake-ups", () => {
  it("bring another replica's changes to followers at once, not with the next poll", async () => {
    const { server, db, folder, redis } = await world();
    const other = use(await openNotesIn(folder));
    using _here = shareWakeUps(db, redis);
    using _there = shareWakeUps(other, await connect(server));
    const tailer = use(new Tailer({ db: other as never, logger: silentLogger, pollMs: 3_600_000 }));
    await eventually(async () => (await server.command("PUBSUB", "NUMSUB", "docket:v1:wake:notes")).endsWith("2"));
    const stop = new AbortController();
    const seen: string[] = [];
    const following = (async () => {
      for await (const changes of tailer.follow([["", 0]], { signal: stop.signal })) {
        seen.push(...changes.map(({ kind }) => kind));
      }
    })();
    for (const kind of ["one", "two", "three"]) {
      const began = performance.now();
      await say(db, kind, "x");
      await eventually(() => seen.includes(kind));
      expect(performance.now() - began).toBeLessThan(1_000);
    }
    expect(seen).toEqual(["one", "two", "three"]);
    stop.abort();
    await following;
  });

  it("reach the replicas of the same service, and come back to nobody", async () => {
    const { server, db, folder, redis } = await world();
    const other = use(await openNotesIn(folder));
    const otherRedis = await connect(server);
    const heard: [string, string[]][] = [];
    using _listening = other.signals.listen("changes", (topics) => void heard.push(["there", [...topics]]));
    using _local = db.signals.listen("changes", (topics) => void heard.push(["here", [...topics]]));
    using _here = shareWakeUps(db, redis);
    using _there = shareWakeUps(other, otherRedis);
    await eventually(async () => (await server.command("PUBSUB", "NUMSUB", "docket:v1:wake:notes")).endsWith("2"));
    await db.transaction((tx) => appendChanges(tx, "workspace", [{ kind: "said", payload: Buffer.from("") }]));
    await eventually(() => heard.length >= 2);
    expect(heard).toEqual([
      ["here", ["workspace"]],
      ["there", ["workspace"]],
    ]);
    await say(other, "said", "x");
    await eventually(() => heard.length >= 4);
    expect(heard.slice(2)).toEqual([
      ["there", [""]],
      ["here", [""]],
    ]);
  });
});
