import { Reason } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import { RateClass } from "@docket/contracts/gen/docket/policy/v1/policy_pb.ts";
import { AppError } from "@docket/runtime/errors";
import { describe, expect, it } from "@jest/globals";
import { ByteBudget } from "./byte_budget.ts";
import { Load } from "./load.ts";
import { RateLimits } from "./rates.ts";
import { TokenBuckets } from "./token_bucket.ts";
import { Turns } from "./turns.ts";

describe("token buckets", () => {
  it("give a burst, then what trickles in", () => {
    const buckets = new TokenBuckets({ perSecond: 2, burst: 3 });
    expect([1, 2, 3, 4].map(() => buckets.take("a", 0))).toEqual([0, 0, 0, 500]);
    expect(buckets.take("a", 499)).toBeLessThanOrEqual(2);
    expect(buckets.take("a", 500)).toBe(0);
    expect(buckets.take("b", 500)).toBe(0);
  });

  it("never hold more than the burst, and do not mind a clock that goes back", () => {
    const buckets = new TokenBuckets({ perSecond: 1, burst: 2 });
    buckets.take("a", 10_000);
    expect([buckets.take("a", 1_000_000), buckets.take("a", 1_000_000), buckets.take("a", 1_000_000)]).toEqual([
      0, 0, 1000,
    ]);
    expect(buckets.take("a", 0)).toBe(1000);
  });

  it("are bounded in number", () => {
    const buckets = new TokenBuckets({ perSecond: 1, burst: 2 }, 10);
    for (let n = 0; n < 1000; n += 1) buckets.take(String(n), n);
    expect(buckets.size).toBe(10);
  });
});

describe("rate limits", () => {
  it("name the class and how long to wait", async () => {
    const rates = { [RateClass.WRITE]: { perSecond: 1, burst: 1 } };
    const limits = new RateLimits({ scale: 1, rates, now: () => 0 });
    await limits.spend(RateClass.WRITE, "a");
    await limits.spend(RateClass.READ, "a");
    await expect(limits.spend(RateClass.WRITE, "a")).rejects.toMatchObject({
      reason: Reason.RATE_LIMITED,
      metadata: { class: "WRITE" },
      retryAfterMs: 1000,
    });
  });

  it("are off at 0 percent", async () => {
    const limits = new RateLimits({ scale: 0 });
    for (let n = 0; n < 10_000; n += 1) await limits.spend(RateClass.CREDENTIAL, "a");
  });
});

describe("load", () => {
  it("counts unary calls and streams apart, and each only once out", () => {
    using load = new Load({ inFlight: 1, streams: 1, streamsPerClient: 1, loopDelayMs: 0 });
    const leave = load.enter("unary");
    load.enter("stream");
    expect(() => load.enter("unary")).toThrow();
    leave();
    leave();
    load.enter("unary");
    expect(() => load.enter("unary")).toThrow();
    expect(load.inFlight).toBe(2);
  });

  it("lets no client take all streams", () => {
    using load = new Load({ inFlight: 1, streams: 10, streamsPerClient: 2, loopDelayMs: 0 });
    const leave = load.hold("a");
    load.hold("a");
    expect(() => load.hold("a")).toThrow();
    load.hold("b");
    leave();
    leave();
    load.hold("a");
    expect(() => load.hold("a")).toThrow();
  });
});

describe("the byte budget", () => {
  it("is one for all, and is given back", () => {
    const budget = new ByteBudget(100);
    const first = budget.open();
    const second = budget.open();
    first.hold(60);
    expect(() => second.hold(41)).toThrow();
    second.hold(40);
    first.close();
    first.close();
    expect(budget.held).toBe(40);
  });
});

describe("turns", () => {
  const turns = (waitMs = 60_000) =>
    new Turns({ atOnce: 1, waiting: 2, waitMs, refusal: () => new AppError(Reason.OVERLOADED) });
  const { signal } = new AbortController();

  it("are passed on in the order in which they were asked for", async () => {
    const line = turns();
    const order: string[] = [];
    const first = await line.take("a", signal);
    const rest = ["second", "third"].map(async (name) => {
      const leave = await line.take("a", signal);
      order.push(name);
      leave();
    });
    await expect(line.take("a", signal)).rejects.toMatchObject({ reason: Reason.OVERLOADED });
    (await line.take("b", signal))();
    expect(order).toEqual([]);
    first();
    first();
    await Promise.all(rest);
    expect(order).toEqual(["second", "third"]);
    expect(line.clients).toBe(0);
  });

  it("are given to nobody who has gone or waited too long", async () => {
    const line = turns(1);
    const leave = await line.take("a", signal);
    const stop = new AbortController();
    const gone = line.take("a", stop.signal);
    const late = line.take("a", signal);
    stop.abort();
    await expect(gone).rejects.toMatchObject({ reason: Reason.CANCELLED });
    await expect(late).rejects.toMatchObject({ reason: Reason.OVERLOADED });
    await expect(line.take("a", stop.signal)).rejects.toMatchObject({ reason: Reason.CANCELLED });
    leave();
    expect(line.clients).toBe(0);
  });
});
