// @vitest-environment node
import { describe, expect, it } from "vitest";
import {
  afterRows,
  chooseAll,
  chooseNone,
  chooseOnly,
  chooseRange,
  chooseToo,
  emptySelection,
  goTo,
  indexAfterKey,
} from "../app/composables/listing/selection.ts";

const order = ["a", "b", "c", "d", "e"];
const chosen = ({ ids }: { ids: ReadonlySet<string> }) => [...ids].sort().join("");

describe("choosing", () => {
  it("takes one alone, one more, and one away again", () => {
    const one = chooseOnly(emptySelection, "b");
    expect(chosen(chooseToo(one, "d"))).toBe("bd");
    expect(chosen(chooseToo(chooseToo(one, "d"), "b"))).toBe("d");
  });

  it("takes a range from where it began, in both directions", () => {
    const began = chooseOnly(emptySelection, "c");
    const down = chooseRange(began, order, "e");
    expect(chosen(down)).toBe("cde");
    expect(chosen(chooseRange(down, order, "a"))).toBe("abc");
  });

  it("takes a range beside what is chosen already", () => {
    const both = chooseToo(chooseOnly(emptySelection, "a"), "c");
    expect(chosen(chooseRange(both, order, "d", true))).toBe("acd");
  });

  it("begins a range at the first row where nothing was chosen", () => {
    expect(chosen(chooseRange(emptySelection, order, "b"))).toBe("ab");
  });

  it("takes everything and nothing, and stays where the keyboard is", () => {
    const all = chooseAll(chooseOnly(emptySelection, "c"), order);
    expect(chosen(all)).toBe("abcde");
    expect(chooseNone(all)).toMatchObject({ active: "c" });
    expect(chosen(chooseNone(all))).toBe("");
  });

  it("walks without choosing", () => {
    expect(goTo(chooseOnly(emptySelection, "a"), "d")).toMatchObject({ active: "d", anchor: "a" });
    expect(chosen(goTo(chooseOnly(emptySelection, "a"), "d"))).toBe("a");
  });
});

describe("rows that go", () => {
  it("leave the choice, and the one below becomes the active one", () => {
    const before = chooseToo(chooseOnly(emptySelection, "b"), "c");
    const after = afterRows(before, order, ["a", "d", "e"]);
    expect(chosen(after)).toBe("");
    expect(after.active).toBe("d");
  });

  it("give way to the one above at the end", () => {
    expect(afterRows(chooseOnly(emptySelection, "e"), order, ["a", "b"]).active).toBe("b");
  });

  it("change nothing where nothing chosen goes", () => {
    const before = chooseOnly(emptySelection, "b");
    expect(afterRows(before, order, ["a", "b", "x"])).toBe(before);
  });
});

describe("indexAfterKey", () => {
  const list = { count: 100, columns: 1, linesPerPage: 10 };
  const grid = { count: 10, columns: 4, linesPerPage: 2 };

  it("walks in a list and stops at its ends", () => {
    expect(indexAfterKey("ArrowDown", 5, list)).toBe(6);
    expect(indexAfterKey("ArrowDown", 99, list)).toBe(99);
    expect(indexAfterKey("ArrowUp", 0, list)).toBe(0);
    expect(indexAfterKey("PageDown", 5, list)).toBe(14);
    expect(indexAfterKey("PageUp", 5, list)).toBe(0);
    expect(indexAfterKey("Home", 5, list)).toBe(0);
    expect(indexAfterKey("End", 5, list)).toBe(99);
  });

  it("begins at the first or the last row", () => {
    expect(indexAfterKey("ArrowDown", -1, list)).toBe(0);
    expect(indexAfterKey("ArrowUp", -1, list)).toBe(99);
  });

  it("walks among cards in two directions, and stays in its column", () => {
    expect(indexAfterKey("ArrowRight", 3, grid)).toBe(4);
    expect(indexAfterKey("ArrowDown", 1, grid)).toBe(5);
    expect(indexAfterKey("ArrowDown", 7, grid)).toBe(7);
    expect(indexAfterKey("ArrowUp", 2, grid)).toBe(2);
  });

  it("leads nowhere for other keys, and where there is nothing", () => {
    expect(indexAfterKey("ArrowRight", 3, list)).toBeUndefined();
    expect(indexAfterKey("x", 3, list)).toBeUndefined();
    expect(indexAfterKey("End", -1, { ...list, count: 0 })).toBeUndefined();
  });
});
