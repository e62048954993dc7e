import { describe, expect, it } from "@jest/globals";
import { afterAttempt, afterSuccess, type Bucket, delayAfter, sourceOf, waitOf } from "./throttle.ts";

const rule = { free: 3, baseMs: 1000, capMs: 60_000, forgetMs: 600_000 };

describe("attempts", () => {
  it("are free at first, then cost twice as much each time, up to a cap", () => {
    expect([1, 2, 3, 4, 5, 6, 9, 10, 100, 5000].map((failures) => delayAfter(failures, rule))).toEqual([
      0, 0, 0, 1000, 2000, 4000, 32_000, 60_000, 60_000, 60_000,
    ]);
  });

  it("must wait until their time, and are forgotten after long enough", () => {
    let bucket: Bucket | undefined;
    for (let attempt = 0; attempt < 5; attempt += 1) bucket = afterAttempt(bucket, rule, 0);
    expect(waitOf(bucket, 500)).toBe(1500);
    expect(waitOf(bucket, 2000)).toBe(0);
    expect(waitOf(undefined, 0)).toBe(0);
    expect(afterAttempt(bucket, rule, 600_000).failures).toBe(6);
    expect(afterAttempt(bucket, rule, 600_001)).toEqual({ failures: 1, lastAt: 600_001, blockedUntil: 600_001 });
  });

  it("that were right leave no trace of their own, and those of others stay", () => {
    let bucket = afterAttempt(undefined, rule, 0);
    for (let attempt = 0; attempt < 4; attempt += 1) bucket = afterAttempt(bucket, rule, 0);
    expect(afterSuccess(bucket, 10)).toEqual({ failures: 4, lastAt: 0, blockedUntil: 10 });
    expect(afterSuccess({ failures: 0, lastAt: 0, blockedUntil: 0 }, 10).failures).toBe(0);
  });
});

describe("a source", () => {
  it.each([
    ["203.0.113.9", "203.0.113.9"],
    ["::ffff:203.0.113.9", "203.0.113.9"],
    ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
    ["2001:DB8:0001:2::9", "2001:db8:1:2::/64"],
    ["2001:db8::1", "2001:db8:0:0::/64"],
    ["fe80::1%eth0", "fe80:0:0:0::/64"],
    ["::1", "0:0:0:0::/64"],
    ["", "unknown"],
  ])("of %j is %s", (address, source) => {
    expect(sourceOf(address)).toBe(source);
  });
});
