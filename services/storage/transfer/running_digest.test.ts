import { createHash } from "node:crypto";
import { describe, expect, it } from "@jest/globals";
import { RunningDigests } from "./running_digest.ts";

const bytes = Buffer.from("half and half");
const digest = createHash("sha256").update(bytes).digest("hex");

/** Sees the bytes from a position on, as the write of this number; answers whether it could. */
function see(digests: RunningDigests, from: number, to: number, write?: number): boolean {
  const running = digests.take("upload", from, write);
  if (running === undefined) return false;
  running.hash.update(bytes.subarray(from, to));
  running.position = to;
  digests.keep("upload", running);
  return true;
}

describe("a digest that is taken on the way", () => {
  it("is known when all bytes came in order, in any number of writes", () => {
    const digests = new RunningDigests();
    expect([see(digests, 0, 5), see(digests, 5, bytes.length)]).toEqual([true, true]);
    expect(digests.finish("upload", bytes.length)).toBe(digest);
    expect(digests.finish("upload", bytes.length)).toBeUndefined();
  });

  it("is not known when bytes are missing, came out of order or came twice", () => {
    const digests = new RunningDigests();
    expect(see(digests, 5, 8)).toBe(false);
    see(digests, 0, 5);
    expect(see(digests, 6, 8)).toBe(false);
    expect(digests.finish("upload", bytes.length)).toBeUndefined();
  });

  it("is forgotten when another process wrote in between, or afterwards", () => {
    const between = new RunningDigests();
    see(between, 0, 5, 1);
    // The second write was another process's.
    expect(see(between, 5, bytes.length, 3)).toBe(false);
    expect(between.finish("upload", bytes.length, 3)).toBeUndefined();
    const after = new RunningDigests();
    expect([see(after, 0, 5, 1), see(after, 5, bytes.length, 2)]).toEqual([true, true]);
    expect(after.finish("upload", bytes.length, 3)).toBeUndefined();
    see(after, 0, 5, 1);
    see(after, 5, bytes.length, 2);
    expect(after.finish("upload", bytes.length, 2)).toBe(digest);
  });
});
