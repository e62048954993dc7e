import { describe, expect, it } from "@jest/globals";
import { checkDepth, checkMove, deepest } from "./tree.ts";

const reasonOf = (check: () => void) => {
  try {
    check();
    return "OK";
  } catch (error) {
    return (error as Error).message;
  }
};

describe("a move of a folder", () => {
  const move = { folderId: "f", targetId: "t", targetAncestorIds: ["t", "top"], height: 2 };

  it("is fine to another branch and to the root", () => {
    expect(reasonOf(() => checkMove(move))).toBe("OK");
    expect(reasonOf(() => checkMove({ ...move, targetId: undefined, targetAncestorIds: [] }))).toBe("OK");
  });

  it("is refused into itself or below itself", () => {
    expect(reasonOf(() => checkMove({ ...move, targetAncestorIds: ["f", "top"] }))).toContain("into itself");
    expect(reasonOf(() => checkMove({ ...move, targetAncestorIds: ["t", "f", "top"] }))).toContain("into itself");
  });

  it("is refused where its lowest folder would lie too deep", () => {
    expect(reasonOf(() => checkMove({ ...move, height: deepest - 2 }))).toBe("OK");
    expect(reasonOf(() => checkMove({ ...move, height: deepest - 1 }))).toContain("32 deep");
    expect(reasonOf(() => checkDepth(deepest))).toBe("OK");
  });
});
