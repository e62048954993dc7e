import { describe, expect, it } from "@jest/globals";
import { SessionCookie } from "./cookie.ts";
import { credentialOf } from "./credentials.ts";
import { endedBy } from "./user_changes.ts";

const secret = "a".repeat(43);

describe("the cookie", () => {
  const cookie = new SessionCookie(false);

  it.each([
    ["alone", `docket=${secret}`, true],
    ["among others", `a=b; docket=${secret}; c=d`, true],
    ["under a longer name", `xdocket=${secret}`, false],
    ["twice", `docket=${secret}; docket=${secret}`, false],
    ["too short", "docket=abc", false],
    ["too long", `docket=${"a".repeat(600)}`, false],
    ["with odd characters", `docket=${secret}"`, false],
    ["empty", "docket=", false],
  ])("%s is read: %s → %s", (_name, header, found) => {
    expect(cookie.read(header) !== undefined).toBe(found);
  });

  it("of the other kind is not read", () => {
    expect(new SessionCookie(true).read(`docket=${secret}`)).toBeUndefined();
    expect(new SessionCookie(true).read(`__Host-docket=${secret}`)?.reveal()).toBe(secret);
  });

  it("says how long it lives, and is never negative", () => {
    expect(cookie.set(secret, 90_500)).toContain("Max-Age=90;");
    expect(cookie.set(secret, -1)).toContain("Max-Age=0;");
  });
});

describe("a credential", () => {
  const cookie = new SessionCookie(false);

  it("in the authorization goes before the cookie", () => {
    const found = credentialOf({ authorization: "bearer dk_1_2", cookie: `docket=${secret}` }, cookie);
    expect(found).toMatchObject({ kind: "key", cookie: false });
  });

  it("does not show its secret", () => {
    const found = credentialOf({ cookie: `docket=${secret}` }, cookie);
    expect(JSON.stringify(found)).not.toContain(secret);
    expect(found?.secret.reveal()).toBe(secret);
  });
});

describe("a change of the user service", () => {
  const person = { kind: "person" as const, id: "p", sessionId: "s", token: "", expiresAt: 0 };
  const key = { kind: "application" as const, id: "a", keyId: "k", workspaceId: "w", token: "", expiresAt: 0 };

  it.each([
    ["sessionEnded", { sessionId: "s", userId: "p" }, true, false],
    ["sessionEnded", { sessionId: "other", userId: "p" }, false, false],
    ["userDisabled", { userId: "p" }, true, false],
    ["userDisabled", { userId: "a" }, false, false],
    ["keyRevoked", { keyId: "k" }, false, true],
    ["applicationRemoved", { applicationId: "a" }, false, true],
    ["workspaceDeleted", { workspaceId: "w" }, false, true],
    ["userEnabled", { userId: "p" }, undefined, undefined],
  ])("%s %j ends the person's streams: %s, the key's: %s", (name, value, ofPerson, ofKey) => {
    const matches = endedBy({ event: { case: name, value } } as never);
    expect([matches?.(person), matches?.(key)]).toEqual([ofPerson, ofKey]);
  });
});
