// @vitest-environment node
import { describe, expect, it } from "vitest";
import { runBulk } from "../app/composables/listing/bulk.ts";
import { retagged } from "../app/composables/listing/tagging.ts";

const items = Array.from({ length: 20 }, (_, at) => at);

describe("runBulk", () => {
  it("does everything, a few at a time", async () => {
    let now = 0;
    let most = 0;
    const done: number[] = [];
    const failures = await runBulk(
      items,
      async (item) => {
        now += 1;
        most = Math.max(most, now);
        await Promise.resolve();
        now -= 1;
        done.push(item);
      },
      { concurrency: 3, retryAfterMs: () => 0 },
    );
    expect(failures).toEqual([]);
    expect(done.sort((a, b) => a - b)).toEqual(items);
    expect(most).toBe(3);
  });

  it("tells what failed and why, and goes on with the rest", async () => {
    const refused = new Error("no");
    const failures = await runBulk(items, async (item) => (item % 10 === 3 ? Promise.reject(refused) : item), {
      retryAfterMs: () => 0,
    });
    expect(failures).toEqual([
      { item: 3, error: refused },
      { item: 13, error: refused },
    ]);
  });

  it("waits as long as it is told to and tries again", async () => {
    const waits: number[] = [];
    let left = 2;
    const failures = await runBulk(
      [1],
      async () => {
        left -= 1;
        if (left >= 0) throw new Error("too fast");
      },
      { retryAfterMs: () => 700, pause: async (ms) => void waits.push(ms) },
    );
    expect(failures).toEqual([]);
    expect(waits).toEqual([700, 700]);
  });

  it("gives up on what never goes well", async () => {
    let tries = 0;
    const act = async () => {
      tries += 1;
      throw new Error("busy");
    };
    const failures = await runBulk([1], act, { retryAfterMs: () => 1, pause: async () => undefined });
    expect(failures).toHaveLength(1);
    expect(tries).toBe(8);
  });

  it("tells how far it is", async () => {
    const told: number[] = [];
    await runBulk([1, 2, 3], async () => undefined, { retryAfterMs: () => 0, onProgress: (done) => told.push(done) });
    expect(told).toEqual([1, 2, 3]);
  });
});

describe("retagged", () => {
  it("adds and takes away without regard to case, and keeps what others wrote", () => {
    expect(retagged(["Signed", "draft"], ["signed", "new"], ["DRAFT"])).toEqual(["Signed", "new"]);
  });
});
