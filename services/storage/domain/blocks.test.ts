import { randomBytes } from "node:crypto";
import { describe, expect, it } from "@jest/globals";
import { BlockSums, blockBytes, findCorrupt } from "./blocks.ts";

describe("checksums of blocks", () => {
  const bytes = randomBytes(3 * blockBytes + 777);

  it("do not depend on the portions in which bytes come", () => {
    const whole = new BlockSums();
    whole.update(bytes);
    const portions = new BlockSums();
    for (let from = 0; from < bytes.length; from += 10_007) portions.update(bytes.subarray(from, from + 10_007));
    const sums = whole.encode();
    expect(sums.byteLength).toBe(16);
    expect(portions.encode()).toEqual(sums);
  });

  it("find a flipped bit in any block, the short last one too", () => {
    const summer = new BlockSums();
    summer.update(bytes);
    const sums = summer.encode();
    expect(findCorrupt(bytes, 0, sums)).toBeUndefined();
    expect(findCorrupt(bytes.subarray(blockBytes), 1, sums)).toBeUndefined();
    for (const at of [0, blockBytes - 1, blockBytes, 3 * blockBytes, bytes.length - 1]) {
      const copy = Buffer.from(bytes);
      copy[at] = (copy[at] ?? 0) ^ 1;
      expect(findCorrupt(copy, 0, sums)).toBe(Math.floor(at / blockBytes));
    }
  });

  it("have none for no bytes, and refuse bytes that have no checksum", () => {
    const sums = new BlockSums().encode();
    expect(sums.byteLength).toBe(0);
    expect(findCorrupt(Buffer.alloc(0), 0, sums)).toBeUndefined();
    expect(findCorrupt(Buffer.alloc(1), 0, sums)).toBe(0);
  });
});
