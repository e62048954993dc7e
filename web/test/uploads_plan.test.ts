// @vitest-environment node
import { describe, expect, it } from "vitest";
import { cleanName, isLitter } from "../app/uploads/names.ts";
import { chunkBytes, largestChunk, partsOf, smallestChunk } from "../app/uploads/plan.ts";

const mebibyte = 1024 * 1024;

describe("the parts of a file", () => {
  it("are one up to 32 MiB, and three that meet without a gap above", () => {
    expect(partsOf(0)).toEqual([{ start: 0, end: 0 }]);
    expect(partsOf(32 * mebibyte)).toEqual([{ start: 0, end: 32 * mebibyte }]);
    const parts = partsOf(1024 * mebibyte + 5);
    expect(parts).toHaveLength(3);
    expect(parts[0]?.start).toBe(0);
    expect(parts[1]?.start).toBe(parts[0]?.end);
    expect(parts[2]?.start).toBe(parts[1]?.end);
    expect(parts[2]?.end).toBe(1024 * mebibyte + 5);
    expect((parts[0]?.end ?? 1) % largestChunk).toBe(0);
  });

  it("hold at least a byte each, just above the border too", () => {
    for (const size of [32 * mebibyte + 1, 33 * mebibyte, 48 * mebibyte, 48 * mebibyte + 1]) {
      const parts = partsOf(size);
      expect(parts.every(({ start, end }) => end > start)).toBe(true);
      expect(parts.at(-1)?.end).toBe(size);
    }
  });
});

describe("the body of a request", () => {
  it("is 8 MiB while nothing speaks against it", () => {
    expect(chunkBytes(mebibyte * 1024, 0, 0)).toBe(largestChunk);
    expect(chunkBytes(mebibyte * 1024, 100 * mebibyte, 0)).toBe(largestChunk);
  });

  it("is what ten seconds carry on a slow connection, and never less than 256 KiB", () => {
    expect(chunkBytes(mebibyte * 100, 200_000, 0)).toBe(7 * smallestChunk);
    expect(chunkBytes(mebibyte * 100, 1000, 0)).toBe(smallestChunk);
  });

  it("halves with each interruption", () => {
    expect(chunkBytes(mebibyte * 100, 0, 1)).toBe(largestChunk / 2);
    expect(chunkBytes(mebibyte * 100, 0, 3)).toBe(largestChunk / 8);
    expect(chunkBytes(mebibyte * 100, 0, 99)).toBe(smallestChunk);
  });

  it("never cuts a file into more pieces than the server takes", () => {
    const size = 50 * 1024 * mebibyte;
    expect(size / chunkBytes(size, 1000, 10)).toBeLessThanOrEqual(8000);
  });
});

describe("a name", () => {
  it("keeps what the server takes, and composes its letters", () => {
    expect(cleanName("Plan Nº 3 – końcowy.pdf")).toBe("Plan Nº 3 – końcowy.pdf");
    expect(cleanName("Bu\u0308ro.txt")).toBe("Büro.txt");
  });

  it("loses slashes, control characters and marks that turn the reading direction", () => {
    expect(cleanName("a/b\\c\u0000d\u202ee.txt")).toBe("a_b_c_d_e.txt");
    expect([cleanName("."), cleanName(".."), cleanName("  "), cleanName("")]).toEqual(["_", "_", "_", "_"]);
  });

  it("is cut to 255 characters before its extension, never through a letter", () => {
    const long = cleanName(`${"🙂".repeat(300)}.pdf`);
    expect([...long]).toHaveLength(255);
    expect(long.endsWith("🙂.pdf")).toBe(true);
  });

  it("is litter when a system left it there", () => {
    expect([".DS_Store", "Thumbs.db", "._x", "notes.md"].map(isLitter)).toEqual([true, true, true, false]);
  });
});
