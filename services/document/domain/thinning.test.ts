import { describe, expect, it } from "@jest/globals";
import { type Aged, firstAge, thinnedOut } from "./thinning.ts";

const day = 86_400_000;
const now = new Date("2026-11-21T12:00:00Z").getTime();
const thinning = { dailyAfterMs: 30 * day, monthlyAfterMs: 180 * day };

/** Versions made at these times, in this order. */
function made(...times: (string | { at: string; held: true })[]): Aged[] {
  return times.map((time, at) => {
    const { at: text, held } = typeof time === "string" ? { at: time, held: false } : time;
    return { id: `v${at + 1}`, number: at + 1, createdAt: new Date(text).getTime(), held };
  });
}
const ids = (versions: readonly Aged[]) => versions.map(({ id }) => id).sort();

describe("thinning out", () => {
  it("leaves the newest of each day of those past the first age", () => {
    const versions = made(
      "2026-10-01T08:00:00Z",
      "2026-10-01T09:00:00Z",
      "2026-10-01T23:59:59Z",
      "2026-10-02T00:00:00Z",
      "2026-11-20T08:00:00Z",
      "2026-11-20T09:00:00Z",
      "2026-11-20T10:00:00Z",
    );
    expect(ids(thinnedOut(versions, thinning, now))).toEqual(["v1", "v2"]);
  });

  it("leaves the newest of each month of those past the second", () => {
    const versions = made(
      "2026-01-01T08:00:00Z",
      "2026-01-15T08:00:00Z",
      "2026-02-01T08:00:00Z",
      "2026-11-20T08:00:00Z",
    );
    expect(ids(thinnedOut(versions, thinning, now))).toEqual(["v1"]);
  });

  it("takes neither what is held nor the newest of all", () => {
    const held = { at: "2026-10-01T08:00:00Z", held: true } as const;
    const versions = made(held, "2026-10-01T09:00:00Z", held, "2026-10-01T10:00:00Z", "2026-10-01T11:00:00Z");
    expect(ids(thinnedOut(versions, thinning, now))).toEqual(["v2"]);
  });

  it("takes nothing twice and nothing more when asked again", () => {
    const versions = made(
      "2026-10-01T08:00:00Z",
      "2026-10-01T09:00:00Z",
      "2026-10-01T10:00:00Z",
      "2026-11-20T10:00:00Z",
    );
    const gone = new Set(ids(thinnedOut(versions, thinning, now)));
    expect(
      thinnedOut(
        versions.filter(({ id }) => !gone.has(id)),
        thinning,
        now,
      ),
    ).toEqual([]);
  });

  it("is off where no age is set", () => {
    const versions = made("2020-10-01T08:00:00Z", "2020-10-01T09:00:00Z", "2026-11-20T10:00:00Z");
    const never = { dailyAfterMs: 0, monthlyAfterMs: 0 };
    expect([firstAge(never), thinnedOut(versions, never, now)]).toEqual([undefined, []]);
    expect(firstAge(thinning)).toBe(30 * day);
    expect(firstAge({ dailyAfterMs: 0, monthlyAfterMs: 180 * day })).toBe(180 * day);
    expect(ids(thinnedOut(versions, { dailyAfterMs: 0, monthlyAfterMs: 180 * day }, now))).toEqual(["v1"]);
  });
});
