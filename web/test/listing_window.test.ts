// @vitest-environment node
import { describe, expect, it } from "vitest";
import { linesAtFirst, lineWindow, topToSee } from "../app/composables/listing/window.ts";

describe("lineWindow", () => {
  it("holds what is seen and some more at either side, however long the list is", () => {
    const { start, end } = lineWindow(200_000, 800, 40, 10_000);
    expect(start).toBeLessThanOrEqual(4990);
    expect(end).toBeGreaterThanOrEqual(5030);
    expect(end - start).toBeLessThan(60);
  });

  it("stays the same while one scrolls by a line", () => {
    expect(lineWindow(20_400, 800, 40, 10_000)).toEqual(lineWindow(20_440, 800, 40, 10_000));
  });

  it("ends with the list, and holds something even when scrolled too far", () => {
    expect(lineWindow(0, 800, 40, 5)).toEqual({ start: 0, end: 5 });
    const { start, end } = lineWindow(900_000, 800, 40, 5);
    expect(end).toBe(5);
    expect(start).toBeLessThan(5);
  });

  it("holds the first screen until something was measured", () => {
    expect(lineWindow(0, 0, 0, 10_000)).toEqual({ start: 0, end: linesAtFirst });
  });

  it("is empty for an empty list", () => {
    expect(lineWindow(0, 800, 40, 0)).toEqual({ start: 0, end: 0 });
  });
});

describe("topToSee", () => {
  it("moves as little as it can", () => {
    expect(topToSee(5, 0, 800, 40, 36)).toBe(0);
    expect(topToSee(2, 200, 800, 40, 36)).toBe(80);
    expect(topToSee(30, 0, 800, 40, 36)).toBe(30 * 40 + 40 + 36 - 800);
  });
});
