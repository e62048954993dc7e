import { Permission } from "@docket/contracts/gen/docket/policy/v1/policy_pb.ts";
import { PrincipalKind } from "@docket/contracts/gen/docket/user/v1/principal_pb.ts";
import { newId } from "@docket/runtime/ids";
import { describe, expect, it } from "@jest/globals";
import { builtInPermissions, builtInRoleIds } from "../domain/roles.ts";
import { joined, workspaceOf } from "./workspaces.cases.ts";
import { refusal, type World } from "./world.ts";

const { PERSON, GROUP, APPLICATION } = PrincipalKind;

export function roleCases(world: () => World): void {
  describe("roles", () => {
    it("begin with the built-in ones, whose rows say what the rules say and cannot change", async () => {
      const host = await world().signUp("Host Roles");
      const workspaceId = await workspaceOf(host, "Roles");
      const { roles } = await host.roles.listRoles({ workspaceId });
      expect(roles.map(({ id, permissions }) => ({ id, permissions }))).toEqual(
        Object.entries(builtInRoleIds).map(([name, id]) => ({
          id,
          permissions: builtInPermissions[name as keyof typeof builtInRoleIds],
        })),
      );
      const roleId = builtInRoleIds.member;
      const change = { workspaceId, roleId, name: "Mine", updateMask: { paths: ["name"] } };
      expect(await refusal(host.roles.updateRole(change))).toBe("ROLE_BUILT_IN");
      expect(await refusal(host.roles.deleteRole({ workspaceId, roleId }))).toBe("ROLE_BUILT_IN");
    });

    it("are made, listed, changed and deleted, with names of their own", async () => {
      const host = await world().signUp("Host Custom");
      const workspaceId = await workspaceOf(host, "Custom");
      const requestId = newId();
      const permissions = [Permission.DOCUMENT_VIEW, Permission.WORKSPACE_VIEW];
      const request = { workspaceId, name: "Auditor", description: "Looks", permissions, requestId };
      const { role } = await host.roles.createRole(request);
      expect((await host.roles.createRole(request)).role?.id).toBe(role?.id);
      expect(role?.permissions).toEqual([Permission.WORKSPACE_VIEW, Permission.DOCUMENT_VIEW]);
      expect(await refusal(host.roles.createRole({ ...request, name: "Else" }))).toBe("REQUEST_ID_REUSED");
      const make = (name: string, more: Permission[] = []) =>
        host.roles.createRole({ workspaceId, name, permissions: [...permissions, ...more] });
      expect(await refusal(make("AUDITOR"))).toBe("NAME_TAKEN");
      expect(await refusal(make("owner"))).toBe("NAME_TAKEN");
      expect(await refusal(make("Boss", [Permission.WORKSPACE_OWN]))).toBe("INVALID_ARGUMENT");
      expect(await refusal(make("Root", [Permission.INSTANCE_MANAGE]))).toBe("INVALID_ARGUMENT");
      await make("Zeta");
      const roleId = role?.id ?? "";
      const change = { workspaceId, roleId, name: "Zeta", updateMask: { paths: ["name"] } };
      expect(await refusal(host.roles.updateRole(change))).toBe("NAME_TAKEN");
      const renamed = await host.roles.updateRole({ ...change, name: "Reader", etag: role?.etag ?? "" });
      expect(renamed.role?.name).toBe("Reader");
      expect(await refusal(host.roles.updateRole({ ...change, etag: role?.etag ?? "" }))).toBe("ETAG_MISMATCH");
      expect((await host.roles.getRole({ workspaceId, roleId })).role?.name).toBe("Reader");
      expect(await refusal(host.roles.getRole({ workspaceId, roleId: newId() }))).toBe("NOT_FOUND");
      const first = await host.roles.listRoles({ workspaceId, pageSize: 1 });
      expect(first.roles.at(-1)?.name).toBe("Reader");
      const rest = await host.roles.listRoles({ workspaceId, pageSize: 1, pageToken: first.nextPageToken });
      expect(rest.roles.map(({ name }) => name)).toEqual(["Zeta"]);
      expect(await refusal(host.roles.listRoles({ workspaceId, pageToken: "x" }))).toBe("PAGE_TOKEN_INVALID");
      expect(await refusal(host.roles.deleteRole({ workspaceId, roleId, etag: "1" }))).toBe("ETAG_MISMATCH");
      const bound = await joined(world(), host, workspaceId, "Bound Custom", roleId);
      expect(await refusal(host.roles.deleteRole({ workspaceId, roleId }))).toBe("ROLE_IN_USE");
      await host.workspaces.updateMember({ workspaceId, userId: bound.id, roleId: builtInRoleIds.guest });
      await host.roles.deleteRole({ workspaceId, roleId });
      expect(await refusal(host.roles.getRole({ workspaceId, roleId }))).toBe("NOT_FOUND");
    });

    it("change at once what those who hold them may do", async () => {
      const host = await world().signUp("Host Change");
      const workspaceId = await workspaceOf(host, "Change");
      const permissions = [Permission.WORKSPACE_VIEW, Permission.WORKSPACE_MANAGE];
      const { role } = await host.roles.createRole({ workspaceId, name: "Manager", permissions });
      const roleId = role?.id ?? "";
      const held = await joined(world(), host, workspaceId, "Held Change", roleId);
      const about = { subject: { kind: PERSON, id: held.id }, workspaceId };
      const before = await world().memberships.getMembership(about);
      expect(before).toMatchObject({ member: true, permissions, roleId });
      await held.groups.createGroup({ workspaceId, name: "Mine" });
      // What it lacks itself it can neither put into a role nor give.
      const more = [...permissions, Permission.DOCUMENT_OWN];
      expect(await refusal(held.roles.createRole({ workspaceId, name: "More", permissions: more }))).toBe(
        "PERMISSION_DENIED",
      );
      const grow = { workspaceId, roleId, permissions: more, updateMask: { paths: ["permissions"] } };
      expect(await refusal(held.roles.updateRole(grow))).toBe("PERMISSION_DENIED");
      await host.roles.updateRole({ ...grow, permissions: [Permission.WORKSPACE_VIEW] });
      const after = await world().memberships.getMembership(about);
      expect(after.permissions).toEqual([Permission.WORKSPACE_VIEW]);
      expect(after.epoch).not.toBe(before.epoch);
      expect(await refusal(held.groups.createGroup({ workspaceId, name: "More" }))).toBe("PERMISSION_DENIED");
    });

    it("are bound to persons, groups and applications, one to each", async () => {
      const host = await world().signUp("Host Bind");
      const workspaceId = await workspaceOf(host, "Bind");
      const manager = await joined(world(), host, workspaceId, "Manager Bind", builtInRoleIds.admin);
      const { group } = await host.groups.createGroup({ workspaceId, name: "Crew" });
      const { application } = await host.keys.enrollApplication({ workspaceId, name: "Robot" });
      const crew = { kind: GROUP, id: group?.id ?? "" };
      const robot = { kind: APPLICATION, id: application?.id ?? "" };
      const bind = (principal: { kind: PrincipalKind; id: string }, roleId: string, by = host) =>
        by.roles.setRoleBinding({ workspaceId, principal, roleId });
      expect((await bind(crew, builtInRoleIds.member)).binding).toMatchObject({ principalName: "Crew" });
      await bind(crew, builtInRoleIds.admin);
      await bind(robot, builtInRoleIds.guest);
      expect(await refusal(bind(crew, builtInRoleIds.owner))).toBe("ROLE_NOT_ASSIGNABLE");
      expect(await refusal(bind({ kind: PERSON, id: host.id }, builtInRoleIds.admin))).toBe("LAST_OWNER");
      expect(await refusal(bind({ kind: PERSON, id: newId() }, builtInRoleIds.admin))).toBe("NOT_FOUND");
      expect(await refusal(bind({ kind: GROUP, id: newId() }, builtInRoleIds.admin))).toBe("NOT_FOUND");
      expect(await refusal(bind({ kind: PERSON, id: host.id }, builtInRoleIds.guest, manager))).toBe(
        "PERMISSION_DENIED",
      );
      const all = await manager.roles.listRoleBindings({ workspaceId });
      expect(all.bindings.map(({ principalName, roleId }) => [principalName, roleId])).toEqual([
        ["Host Bind", builtInRoleIds.owner],
        ["Manager Bind", builtInRoleIds.admin],
        ["Crew", builtInRoleIds.admin],
        ["Robot", builtInRoleIds.guest],
      ]);
      const groups = await manager.roles.listRoleBindings({ workspaceId, kind: GROUP });
      expect(groups.bindings).toHaveLength(1);
      const page = await manager.roles.listRoleBindings({ workspaceId, pageSize: 3 });
      const last = await manager.roles.listRoleBindings({ workspaceId, pageSize: 3, pageToken: page.nextPageToken });
      expect(last.bindings.map(({ principalName }) => principalName)).toEqual(["Robot"]);
      const foreign = { workspaceId, kind: GROUP, pageToken: page.nextPageToken };
      expect(await refusal(manager.roles.listRoleBindings(foreign))).toBe("PAGE_TOKEN_INVALID");
      const person = { kind: PERSON, id: manager.id };
      expect(await refusal(host.roles.removeRoleBinding({ workspaceId, principal: person }))).toBe(
        "MEMBER_ROLE_NEEDED",
      );
      await host.roles.removeRoleBinding({ workspaceId, principal: crew });
      await host.roles.removeRoleBinding({ workspaceId, principal: crew });
      expect((await manager.roles.listRoleBindings({ workspaceId, kind: GROUP })).bindings).toEqual([]);
    });
  });
}
