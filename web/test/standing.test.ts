import type { ConnectRouter } from "@connectrpc/connect";
import { Permission } from "@docket/contracts/gen/docket/policy/v1/policy_pb.ts";
import { GroupService } from "@docket/contracts/gen/docket/user/v1/group_service_pb.ts";
import { PrincipalKind } from "@docket/contracts/gen/docket/user/v1/principal_pb.ts";
import { RoleService } from "@docket/contracts/gen/docket/user/v1/role_service_pb.ts";
import { describe, expect, it } from "vitest";
import { anna, harbour, openPortal } from "./portal.ts";

const { WORKSPACE_VIEW, WORKSPACE_MANAGE, DOCUMENT_VIEW } = Permission;
const roles = [
  { id: "admin", name: "Admin", permissions: [WORKSPACE_VIEW, WORKSPACE_MANAGE, DOCUMENT_VIEW] },
  { id: "guest", name: "Guest", permissions: [WORKSPACE_VIEW] },
];
const memberOf = (kind: PrincipalKind) => (id: string) => ({ principal: { kind, id } });
const person = memberOf(PrincipalKind.PERSON);
const group = memberOf(PrincipalKind.GROUP);
/** Groups that hold each other cannot come to be, but nothing may hang where they did. */
const groups: Record<string, ReturnType<typeof person>[]> = {
  board: [group("harbour masters")],
  "harbour masters": [group("board"), person(anna.id)],
  strangers: [person("somebody else")],
};

const openAs = (ownRoleId: string, bound: readonly string[] = []) =>
  openPortal({
    visitor: { workspaces: [{ ...harbour, ownRoleId }] },
    routes: (router: ConnectRouter) => {
      router.service(RoleService, {
        listRoles: () => ({ roles }),
        listRoleBindings: () => ({ bindings: bound.map((id) => ({ ...group(id), roleId: "admin" })) }),
      });
      router.service(GroupService, { listGroupMembers: ({ groupId }) => ({ members: groups[groupId] ?? [] }) });
    },
  });

describe("what one may do in a workspace", () => {
  it("is what one's role allows", async () => {
    await using portal = await openAs("admin");
    const { standingIn } = await portal.run(() => useStandings());
    const { permissions } = await standingIn(harbour.id);
    expect(permissions).toContain(WORKSPACE_MANAGE);
    // Nothing that groups could add matters then.
    expect(portal.calls.map(({ name }) => name)).toEqual(["ListRoles"]);
  });

  it("is more by a group that one is in, through another one too", async () => {
    await using portal = await openAs("guest", ["board"]);
    const { standingIn } = await portal.run(() => useStandings());
    expect((await standingIn(harbour.id)).permissions).toContain(WORKSPACE_MANAGE);
  });

  it("is not more by a group that one is not in", async () => {
    await using portal = await openAs("guest", ["strangers"]);
    const { standingIn } = await portal.run(() => useStandings());
    expect((await standingIn(harbour.id)).permissions).toEqual([WORKSPACE_VIEW]);
  });
});
