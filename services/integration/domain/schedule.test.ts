import { describe, expect, it } from "@jest/globals";
import { blockOf, longestPauseMs, nextAttempt } from "./schedule.ts";

const hour = 3_600_000;
const day = 24 * hour;

/** The attempts of a delivery that always fails, as milliseconds after the first. */
function attemptsOf(random: () => number): number[] {
  const times = [0];
  for (;;) {
    const now = times.at(-1) ?? 0;
    const next = nextAttempt(
      { attempts: times.length, now, retryUntil: 3 * day, retryAfterMs: undefined },
      5000,
      random(),
    );
    if (next === undefined) return times;
    times.push(next);
  }
}

describe("a delivery that fails", () => {
  it("is tried after doubling pauses, for three days to the end", () => {
    const times = attemptsOf(() => 1);
    expect(times.slice(0, 5)).toEqual([0, 5000, 15_000, 35_000, 75_000]);
    expect(times.at(-1)).toBe(3 * day);
    expect(times.length).toBeGreaterThan(30);
    expect(times.length).toBeLessThan(40);
  });

  it("is never left alone for longer than 3 hours, and its pauses are drawn between half and all of themselves", () => {
    for (let round = 0; round < 50; round += 1) {
      const times = attemptsOf(Math.random);
      const pauses = times.slice(1).map((time, at) => time - (times[at] ?? 0));
      expect(Math.max(...pauses)).toBeLessThanOrEqual(longestPauseMs);
      expect(pauses[0]).toBeGreaterThanOrEqual(2500);
      expect(pauses[0]).toBeLessThanOrEqual(5000);
      expect(times.at(-1)).toBe(3 * day);
      expect(times.length).toBeLessThan(80);
    }
  });

  it("waits as long as the receiver asks, but not longer than half a day, nor beyond its time", () => {
    const failed = { attempts: 1, now: 0, retryUntil: 3 * day };
    expect(nextAttempt({ ...failed, retryAfterMs: hour }, 5000, 1)).toBe(hour);
    expect(nextAttempt({ ...failed, retryAfterMs: 1 }, 5000, 1)).toBe(5000);
    expect(nextAttempt({ ...failed, retryAfterMs: 30 * day }, 5000, 1)).toBe(12 * hour);
    expect(nextAttempt({ ...failed, now: 3 * day - 1, retryAfterMs: hour }, 5000, 1)).toBe(3 * day);
    expect(nextAttempt({ ...failed, now: 3 * day, retryAfterMs: hour }, 5000, 1)).toBeUndefined();
  });
});

describe("a webhook where nothing succeeds", () => {
  it("is left alone for longer each time, up to five minutes", () => {
    expect([1, 2, 3, 50].map((rounds) => blockOf(rounds, 5000, 1))).toEqual([5000, 10_000, 20_000, 300_000]);
  });
});
