// @vitest-environment node
import { Reason } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Connection, type LiveNews } from "../app/live/connection.ts";
import { type LiveEdge, liveEdge } from "./live_edge.ts";

let edge: LiveEdge;
let connection: Connection;
let told: string[];

beforeEach(() => {
  vi.useFakeTimers();
  edge = liveEdge();
  told = [];
  const tell = (news: LiveNews) => {
    told.push(news.type === "state" ? news.state : news.type === "changes" ? `changes ${news.cursor}` : news.type);
  };
  connection = new Connection({ userId: "anna", fetch: (input, init) => edge.fetch(input, init), tell });
});

afterEach(() => {
  connection.stop();
  vi.useRealTimers();
});

/** Lets time pass, and everything happen in it. */
const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);
const stream = (n: number) => {
  const found = edge.streams.at(n);
  if (found === undefined) throw new Error(`no stream ${n} of ${edge.streams.length}`);
  return found;
};

/** Opened, with a first message at the place "1". */
async function opened(): Promise<void> {
  connection.start();
  await pass(0);
  stream(0).say("1");
  await pass(0);
}

/** As opened, and old enough to count as one that went well. */
async function settled(): Promise<void> {
  await opened();
  for (let n = 0; n < 3; n++) {
    await pass(5000);
    stream(0).say("1");
  }
  await pass(0);
  told.length = 0;
}

describe("the connection", () => {
  it("begins from now on, is live with its first message, and tells changes but no heartbeats", async () => {
    await opened();
    stream(0).say("2", "change a");
    stream(0).say("3");
    await pass(0);
    expect(stream(0).cursor).toBe("");
    expect(told).toEqual(["live", "changes 2"]);
    expect(connection.cursor).toBe("3");
  });

  it("is opened once, however often it is started", async () => {
    connection.start();
    connection.start();
    await pass(0);
    connection.start();
    await pass(0);
    expect(edge.streams).toHaveLength(1);
  });

  it("goes on from its cursor after RESUME within a second or so, without a word", async () => {
    await settled();
    stream(0).say("7", "change");
    stream(0).refuse(Reason.RESUME);
    await pass(1000);
    expect(stream(1).cursor).toBe("7");
    stream(1).say("7");
    await pass(5000);
    expect(told).toEqual(["changes 7"]);
  });

  it("does not hammer an edge that ends every stream at once with RESUME", async () => {
    edge.refuses = Reason.RESUME;
    connection.start();
    await pass(60_000);
    expect(edge.streams.length).toBeLessThan(12);
  });

  it("goes on from its cursor after a cut", async () => {
    await settled();
    stream(0).say("7", "change");
    await pass(0);
    stream(0).cut();
    await pass(500);
    expect(stream(1).cursor).toBe("7");
    stream(1).say("8", "what happened meanwhile");
    await pass(5000);
    expect(told).toEqual(["changes 7", "changes 8"]);
  });

  it("tells a change again rather than not at all when it is cut in the middle of a message", async () => {
    await settled();
    stream(0).send(Uint8Array.of(0, 0, 0, 0, 90, 123, 34));
    stream(0).cut();
    await pass(500);
    expect(stream(1).cursor).toBe("1");
  });

  it("is lost when it is away for three seconds, and says when it is back", async () => {
    await settled();
    edge.network = "down";
    stream(0).cut();
    await pass(2900);
    expect(told).toEqual([]);
    await pass(200);
    expect(told).toEqual(["lost"]);
    edge.network = "up";
    await pass(30_000);
    stream(-1).say("1");
    await pass(0);
    expect(told).toEqual(["lost", "live"]);
  });

  it("waits longer and longer, up to half a minute", async () => {
    edge.network = "down";
    const tries = vi.spyOn(edge, "fetch");
    connection.start();
    await pass(10_000);
    const soon = tries.mock.calls.length;
    expect(soon).toBeGreaterThan(3);
    await pass(600_000);
    const later = tries.mock.calls.length - soon;
    expect(later).toBeGreaterThanOrEqual(600 / 30 - 2);
    expect(later).toBeLessThan(600 / 15 + 4);
  });

  it("tries at once when it is woken, but not more often than twice a second", async () => {
    edge.network = "down";
    connection.start();
    await pass(120_000);
    edge.network = "up";
    const before = edge.streams.length;
    connection.wake();
    await pass(0);
    expect(edge.streams).toHaveLength(before + 1);
    stream(-1).cut();
    for (let n = 0; n < 20; n++) {
      connection.wake();
      await pass(10);
    }
    expect(edge.streams.length).toBeLessThanOrEqual(before + 2);
  });

  it("tries soon after when it is woken in the moment after a try", async () => {
    edge.network = "down";
    connection.start();
    await pass(120_000);
    edge.network = "up";
    edge.refuses = Reason.UNAVAILABLE;
    const before = edge.streams.length;
    connection.wake();
    await pass(1);
    edge.refuses = undefined;
    connection.wake();
    await pass(1000);
    expect(edge.streams).toHaveLength(before + 2);
  });

  it("is not disturbed by being woken while all is well", async () => {
    await opened();
    await pass(5000);
    connection.wake();
    await pass(0);
    expect(stream(0).aborted).toBe(false);
  });

  it("gives a stream up that has been silent for 40 seconds", async () => {
    await settled();
    await pass(39_000);
    expect(stream(0).aborted).toBe(false);
    await pass(8000);
    expect(stream(0).aborted).toBe(true);
    expect(stream(1).cursor).toBe("1");
  });

  it("gives a silent stream up at once when the computer wakes from sleep", async () => {
    await settled();
    vi.setSystemTime(Date.now() + 3_600_000);
    connection.wake();
    await pass(600);
    expect(stream(1).cursor).toBe("1");
  });

  it("gives an edge up that does not begin to answer", async () => {
    edge.network = "mute";
    const tries = vi.spyOn(edge, "fetch");
    connection.start();
    await pass(60_000);
    expect(tries.mock.calls.length).toBeGreaterThan(1);
    expect(told).toEqual(["lost"]);
  });

  it.each(["captive"] as const)("is lost where something else answers (%s)", async (network) => {
    edge.network = network;
    connection.start();
    await pass(15_000);
    expect(told).toEqual(["lost"]);
  });

  it.each([
    ["no JSON", "this is no JSON"],
    ["another message", '{"documents":[]}'],
    ["no message at all", "null"],
  ])("begins anew from the last good place when it is told %s", async (_, text) => {
    await settled();
    const bytes = new TextEncoder().encode(text);
    stream(0).send(Uint8Array.of(0, 0, 0, 0, bytes.length, ...bytes));
    await pass(1000);
    expect(stream(1).cursor).toBe("1");
    expect(stream(0).aborted).toBe(true);
  });

  it.each([Reason.CURSOR_EXPIRED, Reason.CURSOR_INVALID])(
    "begins from now on when its cursor is refused, and has all ask anew (%s)",
    async (reason) => {
      await settled();
      stream(0).refuse(reason);
      await pass(1000);
      expect(stream(1).cursor).toBe("");
      expect(told).toEqual([]);
      stream(1).say("9");
      await pass(0);
      expect(told).toEqual(["reload"]);
    },
  );

  it.each([Reason.SESSION_REQUIRED, Reason.SESSION_INVALID, Reason.ACCOUNT_DISABLED])(
    "ends with its session (%s), and begins again when somebody starts it",
    async (reason) => {
      await settled();
      stream(0).refuse(reason);
      await pass(120_000);
      expect(told).toEqual(["ended"]);
      expect(edge.streams).toHaveLength(1);
      connection.start();
      await pass(0);
      expect(stream(1).cursor).toBe("1");
      stream(1).say("1");
      await pass(0);
      expect(told).toEqual(["ended", "connecting", "live"]);
    },
  );

  it("ends when nobody is signed in at the time of going on", async () => {
    await settled();
    edge.user = undefined;
    stream(0).refuse(Reason.RESUME);
    await pass(2000);
    expect(told).toEqual(["ended"]);
  });

  it("tells nothing of an account that has signed in since", async () => {
    await settled();
    edge.user = "berta";
    stream(0).refuse(Reason.RESUME);
    await pass(120_000);
    expect(told).toEqual(["changed"]);
    expect(edge.streams).toHaveLength(1);
  });

  it("waits as long as it is told to", async () => {
    await settled();
    stream(0).refuse(Reason.RATE_LIMITED, 20);
    await pass(19_000);
    expect(edge.streams).toHaveLength(1);
    await pass(2000);
    expect(edge.streams).toHaveLength(2);
  });

  it("asks now and then where a stream is refused for there being too many, and tries a stream again later", async () => {
    await settled();
    edge.list = { cursor: "5", changes: [{ id: "change" }] };
    stream(0).refuse(Reason.LIMIT_REACHED);
    await pass(100);
    expect(edge.listed).toEqual(["1"]);
    expect(told).toEqual(["changes 5"]);
    edge.list = { cursor: "5" };
    await pass(60_000);
    expect(edge.listed.length).toBeGreaterThan(2);
    expect(edge.listed.length).toBeLessThan(8);
    expect(edge.streams).toHaveLength(1);
    await pass(300_000);
    expect(stream(1).cursor).toBe("5");
  });

  it("asks for what is left at once while asking now and then", async () => {
    await settled();
    edge.list = { cursor: "5", changes: [{ id: "change" }], more: true };
    stream(0).refuse(Reason.LIMIT_REACHED);
    await pass(1000);
    expect(edge.listed.length).toBeGreaterThan(3);
    expect(edge.listed.slice(0, 3)).toEqual(["1", "5", "5"]);
  });

  it("ends while asking now and then, when the session does", async () => {
    await settled();
    stream(0).refuse(Reason.LIMIT_REACHED);
    await pass(100);
    edge.user = undefined;
    await pass(30_000);
    expect(told).toEqual(["ended"]);
  });

  it("lets go of its stream when it is stopped, and tells nothing more", async () => {
    await settled();
    connection.stop();
    await pass(120_000);
    expect(stream(0).aborted).toBe(true);
    expect(edge.streams).toHaveLength(1);
    expect(told).toEqual([]);
  });
});
