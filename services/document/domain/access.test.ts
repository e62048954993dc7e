import { describe, expect, it } from "@jest/globals";
import { Permission } from "@docket/contracts/gen/docket/policy/v1/policy_pb.ts";
import { accessOf, type GrantFact, levelFor, type Place, principalsOf, root, type Standing } from "./access.ts";

const ann = { kind: "person", id: "ann" } as const;
const standing = (permissions: Permission[], groupIds: string[] = []): Standing => ({
  member: true,
  permissions: new Set(permissions),
  groupIds,
});
const reader = standing([Permission.DOCUMENT_VIEW]);
const member = standing([Permission.DOCUMENT_VIEW, Permission.DOCUMENT_COMMENT, Permission.DOCUMENT_EDIT]);
const owner = standing([Permission.DOCUMENT_OWN]);
const guest = standing([Permission.WORKSPACE_VIEW]);
const nobody: Standing = { member: false, permissions: new Set([Permission.DOCUMENT_OWN]), groupIds: ["g"] };
const place: Place = { documentId: "doc", folderIds: ["near", "top"] };
const grant = (resourceId: string, principal: string, level: GrantFact["level"]): GrantFact => ({
  resourceId,
  principal,
  level,
});

describe("access", () => {
  it.each([
    ["an owner or admin owns everything", owner, [], 4],
    ["a member edits everything while the root says nothing", member, [], 3],
    ["a guest sees nothing without a grant", guest, [], 0],
    ["a role of readers caps what members are granted", reader, [], 1],
    ["the members' grant on the root can be lowered", member, [grant(root, "members", 2)], 2],
    ["the members' grant on the root can be taken away", member, [grant(root, "members", 0)], 0],
    ["a guest is not among the members", guest, [grant("doc", "members", 4)], 0],
    ["a grant to a person is not capped by the role", reader, [grant("doc", "person:ann", 4)], 4],
    ["a grant on a folder above reaches down", guest, [grant("top", "person:ann", 2)], 2],
    [
      "the highest grant holds, wherever it is",
      guest,
      [grant("doc", "person:ann", 1), grant("top", "person:ann", 3)],
      3,
    ],
    ["a grant to somebody else gives nothing", guest, [grant("doc", "person:ben", 4)], 0],
    ["a grant to an application of the same id gives a person nothing", guest, [grant("doc", "application:ann", 4)], 0],
    ["a grant elsewhere gives nothing", guest, [grant("other", "person:ann", 4)], 0],
    ["a grant of a member who left gives nothing", nobody, [grant("doc", "person:ann", 4)], 0],
  ] as const)("%s", (_, standing, grants, level) => {
    expect(accessOf(ann, standing, place, grants).level).toBe(level);
  });

  it("names the grounds, the deciding one first, with group and way", () => {
    const inGroup = standing([Permission.DOCUMENT_VIEW], ["g"]);
    const { grounds } = accessOf(ann, inGroup, place, [grant("top", "group:g", 3)]);
    expect(grounds).toMatchObject([
      { layer: "grant", level: 3, groupId: "g", folderIds: ["top", "near"], implicit: false },
      { layer: "grant", level: 1, groupId: undefined, folderIds: [], implicit: true },
    ]);
  });

  it("takes a folder's own grant for one on the resource, not on the way", () => {
    const { grounds } = accessOf(ann, guest, { folderIds: ["near", "top"] }, [grant("near", "person:ann", 1)]);
    expect(grounds).toMatchObject([{ folderIds: [] }]);
  });

  it("lets nobody's groups count who is not a member", () => {
    expect(principalsOf(ann, nobody)).toEqual([]);
  });

  it("knows levels only for permissions on documents", () => {
    expect([Permission.DOCUMENT_VIEW, Permission.DOCUMENT_OWN, Permission.WORKSPACE_VIEW].map(levelFor)).toEqual([
      1,
      4,
      undefined,
    ]);
  });
});
