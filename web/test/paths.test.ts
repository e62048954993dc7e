import { describe, expect, it } from "vitest";

describe("a path to go on to", () => {
  it.each(["/", "/w/1/f/2?sort=name#top", "/tasks"])("is taken when it is the portal's own: %s", (path) => {
    expect(ownPath(path)).toBe(path);
  });

  it.each([
    "//evil.example",
    "/\\evil.example",
    "https://evil.example",
    "javascript:alert(1)",
    "tasks",
    "",
    undefined,
    ["/a"],
  ])("is the way in when it would lead elsewhere: %s", (path) => {
    expect(ownPath(path)).toBe("/");
  });

  it.each(["/\t/evil.example", "/\n/evil.example", "/\r/evil.example"])(
    "is the way in when the browser would read it otherwise: %j",
    (path) => {
      expect(ownPath(path)).toBe("/");
    },
  );
});
