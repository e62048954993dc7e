import { describe, expect, it } from "@jest/globals";
import { passwordWeakness } from "./password.ts";

const anna = { email: "anna.keller@example.com", displayName: "Anna Keller" };

describe("a password", () => {
  it.each([
    ["Password", "common"],
    ["P@ssw0rd!", "common"],
    ["123456789", "common"],
    ["87654321", "common"],
    ["qwertyuiop", "common"],
    ["Summer2031!", "common"],
    ["Welcome99", "common"],
    ["ＰＡＳＳＷＯＲＤ１", "common"],
    ["abcdefghij", "common"],
    ["aaaaaaaa", "repeated"],
    ["abababababab", "repeated"],
    ["anna.keller", "personal"],
    ["AnnaKeller1987", "personal"],
    ["anna.keller@example.com", "personal"],
  ] as const)("such as %s is refused as %s", (password, weakness) => {
    expect(passwordWeakness(password, anna)).toBe(weakness);
  });

  it.each([
    "correct staple battery 7",
    "Tr0ub4dor&3xyz",
    "日本語のパスワード",
    "welcome to the harbour",
    "aaaaaaabcdef",
  ])("such as %s is taken", (password) => {
    expect(passwordWeakness(password, anna)).toBeUndefined();
  });

  it("is not refused for holding a name of two letters", () => {
    expect(passwordWeakness("li 8842 harbour", { email: "li@example.com", displayName: "Li" })).toBeUndefined();
  });
});
