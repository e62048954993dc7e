import { describe, expect, it } from "@jest/globals";
import {
  addRange,
  contiguousEnd,
  decodeRanges,
  encodeRanges,
  lastEnd,
  meets,
  nextStart,
  type RangeSet,
  rangeAt,
  removeRange,
  sizeOf,
} from "./ranges.ts";

const set = (...pairs: [number, number][]): RangeSet => pairs.map(([start, end]) => ({ start, end }));

describe("a set of byte ranges", () => {
  it("joins ranges that overlap or touch, and keeps the others apart", () => {
    expect(addRange(set([0, 5], [10, 15]), { start: 5, end: 10 })).toEqual(set([0, 15]));
    expect(addRange(set([0, 5], [10, 15]), { start: 6, end: 9 })).toEqual(set([0, 5], [6, 9], [10, 15]));
    expect(addRange(set([4, 5]), { start: 0, end: 2 })).toEqual(set([0, 2], [4, 5]));
    expect(addRange(set([4, 5]), { start: 4, end: 4 })).toEqual(set([4, 5]));
  });

  it("takes a range out of the middle, the edges and the whole", () => {
    expect(removeRange(set([0, 10]), { start: 3, end: 6 })).toEqual(set([0, 3], [6, 10]));
    expect(removeRange(set([0, 10], [20, 30]), { start: 5, end: 25 })).toEqual(set([0, 5], [25, 30]));
    expect(removeRange(set([0, 10]), { start: 0, end: 10 })).toEqual([]);
    expect(removeRange(set([0, 10]), { start: 5, end: 5 })).toEqual(set([0, 10]));
  });

  it("tells where an appending writer goes on and what lies ahead", () => {
    expect(contiguousEnd(set([0, 7], [9, 12]))).toBe(7);
    expect(contiguousEnd(set([1, 7]))).toBe(0);
    expect(contiguousEnd([])).toBe(0);
    expect(lastEnd(set([0, 7], [9, 12]))).toBe(12);
    expect(sizeOf(set([0, 7], [9, 12]))).toBe(10);
    expect(rangeAt(set([0, 7], [9, 12]), 9)).toEqual({ start: 9, end: 12 });
    expect(rangeAt(set([0, 7], [9, 12]), 7)).toBeUndefined();
    expect(nextStart(set([0, 7], [9, 12]), 7)).toBe(9);
    expect(nextStart(set([0, 7]), 7)).toBe(Number.POSITIVE_INFINITY);
  });

  it("agrees with a plain set of bytes whatever is added and removed", () => {
    let seed = 7;
    const random = (below: number) => {
      seed = (seed * 1103515245 + 12345) % 2147483648;
      return seed % below;
    };
    for (let round = 0; round < 50; round += 1) {
      let ranges: RangeSet = [];
      const bytes = new Set<number>();
      for (let step = 0; step < 40; step += 1) {
        const start = random(60);
        const range = { start, end: start + random(12) };
        const adding = random(3) > 0;
        ranges = adding ? addRange(ranges, range) : removeRange(ranges, range);
        for (let byte = range.start; byte < range.end; byte += 1) adding ? bytes.add(byte) : bytes.delete(byte);
        const spelled = ranges.flatMap(({ start: from, end }) =>
          Array.from({ length: end - from }, (_, i) => from + i),
        );
        expect(spelled).toEqual([...bytes].sort((a, b) => a - b));
      }
    }
  });

  it("knows when two ranges share a byte, and survives its row", () => {
    expect(meets({ start: 0, end: 5 }, { start: 4, end: 9 })).toBe(true);
    expect(meets({ start: 0, end: 5 }, { start: 5, end: 9 })).toBe(false);
    expect(meets({ start: 3, end: 3 }, { start: 0, end: 9 })).toBe(false);
    expect(decodeRanges(encodeRanges(set([0, 7], [9, 12])))).toEqual(set([0, 7], [9, 12]));
  });
});
