import { describe, expect, it } from "vitest";

const anna = { email: "anna.keller@example.com", displayName: "Anna Keller" };

describe("the opinion on a password", () => {
  it.each([
    ["", "none"],
    ["harbour", "short"],
    ["ñandú77", "short"],
    ["abababababab", "repeated"],
    ["anna.keller", "personal"],
    ["AnnaKeller1987", "personal"],
    ["tide-and", "fair"],
    ["a tide at quay 4", "strong"],
  ])("of %j is %s", (password, opinion) => {
    expect(passwordOpinion(password, anna)).toBe(opinion);
  });

  it("knows no names where there are none", () => {
    expect(passwordOpinion("anna.keller", { email: "", displayName: "" })).toBe("fair");
  });
});
