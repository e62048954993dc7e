import { Permission } from "@docket/contracts/gen/docket/policy/v1/policy_pb.ts";
import { describe, expect, it } from "@jest/globals";
import { decideAccount, decideSession, decideWorkspace } from "./access.ts";
import { above, wayUp, wouldCycle } from "./groups.ts";
import { foldEmail, foldName, isTimeZone } from "./names.ts";
import { builtInPermissions, builtInRoleIds, isAssignable, isBuiltIn, lacking, unionOf, unlistable } from "./roles.ts";
import { endingOf, formatKeySecret, parseKeySecret } from "./secrets.ts";
import { planRotation, signerAt } from "./signing_keys.ts";

describe("roles", () => {
  it("are within each other: owner, admin, member, guest", () => {
    const { owner, admin, member, guest } = builtInPermissions;
    expect(lacking(new Set(owner), admin)).toBeUndefined();
    expect(lacking(new Set(admin), member)).toBeUndefined();
    expect(lacking(new Set(member), guest)).toBeUndefined();
    expect(lacking(new Set(admin), owner)).toBe(Permission.WORKSPACE_OWN);
  });

  it("list neither the owner's permission nor any on accounts", () => {
    expect(unlistable([Permission.WORKSPACE_VIEW, Permission.WORKSPACE_OWN])).toBe(Permission.WORKSPACE_OWN);
    expect(unlistable([Permission.INSTANCE_MANAGE])).toBe(Permission.INSTANCE_MANAGE);
    expect(unlistable(builtInPermissions.admin)).toBeUndefined();
  });

  it("of owners are for persons, and not by invitation", () => {
    expect(isAssignable(builtInRoleIds.owner, "person")).toBe(true);
    for (const to of ["group", "application", "invitation"] as const) {
      expect(isAssignable(builtInRoleIds.owner, to)).toBe(false);
      expect(isAssignable(builtInRoleIds.admin, to)).toBe(true);
    }
    expect(isBuiltIn("0198a000-0000-7000-8000-000000000001")).toBe(false);
  });

  it("add up in ascending order", () => {
    expect(unionOf([[30, 1], [10, 1], []])).toEqual([1, 10, 30]);
  });
});

describe("groups", () => {
  const edges = [
    { parent: "b", child: "a" },
    { parent: "c", child: "b" },
    { parent: "d", child: "b" },
    { parent: "e", child: "c" },
    { parent: "e", child: "d" },
  ];

  it("must not hold themselves, at any distance", () => {
    expect(wouldCycle(edges, "a", "a")).toBe(true);
    expect(wouldCycle(edges, "a", "e")).toBe(true);
    expect(wouldCycle(edges, "b", "d")).toBe(true);
    expect(wouldCycle(edges, "e", "a")).toBe(false);
    expect([...above(edges, "a")].sort()).toEqual(["b", "c", "d", "e"]);
  });

  it("are reached by a shortest way, also where rows hold a circle", () => {
    expect(wayUp(edges, ["a"], "e")).toEqual(["a", "b", "c", "e"]);
    expect(wayUp(edges, ["a", "d"], "e")).toEqual(["d", "e"]);
    expect(wayUp([...edges, { parent: "a", child: "e" }], ["a"], "x")).toBeUndefined();
    expect(above([...edges, { parent: "a", child: "e" }], "a").size).toBe(5);
  });
});

describe("access", () => {
  it("to a workspace is hidden from those who are not in it and denied to those whose roles do not allow it", () => {
    const permissions = new Set([Permission.WORKSPACE_VIEW]);
    expect(decideWorkspace({ member: false, permissions }, Permission.WORKSPACE_VIEW)).toBe("hidden");
    expect(decideWorkspace({ member: true, permissions: new Set() }, Permission.WORKSPACE_VIEW)).toBe("hidden");
    expect(decideWorkspace({ member: true, permissions }, Permission.WORKSPACE_VIEW)).toBe("allowed");
    expect(decideWorkspace({ member: true, permissions }, Permission.WORKSPACE_MANAGE)).toBe("denied");
  });

  it("to an account follows from whose it is", () => {
    const none = { exists: true, own: false, sharesWorkspace: false, administrator: false };
    const { USER_VIEW, USER_EDIT, INSTANCE_MANAGE } = Permission;
    expect(decideAccount(none, USER_VIEW)).toBe("hidden");
    expect(decideAccount({ ...none, exists: false, administrator: true }, USER_VIEW)).toBe("hidden");
    expect(decideAccount({ ...none, sharesWorkspace: true }, USER_VIEW)).toBe("allowed");
    expect(decideAccount({ ...none, sharesWorkspace: true }, USER_EDIT)).toBe("denied");
    expect(decideAccount({ ...none, own: true }, USER_EDIT)).toBe("allowed");
    expect(decideAccount({ ...none, own: true }, INSTANCE_MANAGE)).toBe("denied");
    expect(decideAccount({ ...none, administrator: true }, INSTANCE_MANAGE)).toBe("allowed");
    expect(decideAccount({ ...none, administrator: true }, USER_EDIT)).toBe("denied");
    expect(decideAccount({ ...none, own: true }, Permission.DOCUMENT_VIEW)).toBe("denied");
  });

  it("to a session is its owner's alone", () => {
    expect(decideSession(undefined, "a", Permission.USER_EDIT)).toBe("hidden");
    expect(decideSession("b", "a", Permission.USER_EDIT)).toBe("hidden");
    expect(decideSession("a", "a", Permission.USER_EDIT)).toBe("allowed");
    expect(decideSession("a", "a", Permission.INSTANCE_MANAGE)).toBe("denied");
  });
});

describe("names and secrets", () => {
  it("are compared whatever their case and composition", () => {
    expect(foldEmail(" Anna@Example.COM ")).toBe("anna@example.com");
    expect(foldName("Ｃafe\u0301")).toBe(foldName("CAFÉ"));
    expect(isTimeZone("Europe/Zurich")).toBe(true);
    expect(isTimeZone("Mars/Olympus")).toBe(false);
  });

  it("of keys say whose they are, and nothing else is taken for one", () => {
    const id = "0198a000-1111-7222-8333-444455556666";
    const text = formatKeySecret(id, new Uint8Array(32).fill(255));
    expect(parseKeySecret(text)).toBe(id);
    expect(endingOf(text)).toHaveLength(4);
    for (const other of ["", "dk_", text.slice(1), `${text}x`, text.toUpperCase()]) {
      expect(parseKeySecret(other)).toBeUndefined();
    }
  });
});

describe("signing keys", () => {
  const times = { rotationMs: 10_000, cacheMs: 500, tokenMs: 300 };

  it("begin with one that signs at once, and have a successor listed in time", () => {
    expect(planRotation([], times, 50)).toEqual({ create: 50, retire: undefined, remove: [] });
    const first = { id: "a", signsFrom: 0, verifiesUntil: undefined };
    expect(planRotation([first], times, 8999).create).toBeUndefined();
    expect(planRotation([first], times, 9000)).toEqual({
      create: 10_000,
      retire: { id: "a", verifiesUntil: 10_300 },
      remove: [],
    });
    // After a long sleep the old one signs on until others can know the new one.
    expect(planRotation([first], times, 90_000).create).toBe(91_000);
  });

  it("sign from their time on, and go when their last token has ended", () => {
    const keys = [
      { id: "a", signsFrom: 0, verifiesUntil: 10_300 },
      { id: "b", signsFrom: 10_000, verifiesUntil: undefined },
    ];
    expect(signerAt(keys, 9999)?.id).toBe("a");
    expect(signerAt(keys, 10_000)?.id).toBe("b");
    expect(signerAt([], 0)).toBeUndefined();
    expect(planRotation(keys, times, 10_299).remove).toEqual([]);
    expect(planRotation(keys, times, 10_300).remove).toEqual(["a"]);
  });
});
