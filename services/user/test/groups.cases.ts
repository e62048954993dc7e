import { Permission } from "@docket/contracts/gen/docket/policy/v1/policy_pb.ts";
import { PrincipalKind } from "@docket/contracts/gen/docket/user/v1/principal_pb.ts";
import { newId } from "@docket/runtime/ids";
import { describe, expect, it } from "@jest/globals";
import { builtInRoleIds } from "../domain/roles.ts";
import { follow } from "./following.ts";
import { joined, workspaceOf } from "./workspaces.cases.ts";
import { type Person, refusal, type World } from "./world.ts";

const { PERSON, GROUP } = PrincipalKind;

async function made(person: Person, workspaceId: string, name: string): Promise<string> {
  return (await person.groups.createGroup({ workspaceId, name })).group?.id ?? "";
}

export function groupCases(world: () => World): void {
  describe("groups", () => {
    it("are made once, listed by name, changed with an etag and deleted", async () => {
      const host = await world().signUp("Host Group");
      const workspaceId = await workspaceOf(host, "Group");
      const request = { workspaceId, name: "Crew", requestId: newId() };
      const { group } = await host.groups.createGroup(request);
      expect((await host.groups.createGroup(request)).group?.id).toBe(group?.id);
      expect(await refusal(host.groups.createGroup({ ...request, name: "X" }))).toBe("REQUEST_ID_REUSED");
      expect(await refusal(host.groups.createGroup({ workspaceId, name: "CREW" }))).toBe("NAME_TAKEN");
      await made(host, workspaceId, "Board");
      const first = await host.groups.listGroups({ workspaceId, pageSize: 1 });
      const rest = await host.groups.listGroups({ workspaceId, pageToken: first.nextPageToken });
      expect([...first.groups, ...rest.groups].map(({ name }) => name)).toEqual(["Board", "Crew"]);
      expect(await refusal(host.groups.listGroups({ workspaceId, pageToken: "x" }))).toBe("PAGE_TOKEN_INVALID");
      const groupId = group?.id ?? "";
      const change = { workspaceId, groupId, name: "Board", description: "All", updateMask: { paths: ["name"] } };
      expect(await refusal(host.groups.updateGroup(change))).toBe("NAME_TAKEN");
      const renamed = await host.groups.updateGroup({ ...change, name: "Team", etag: "1" });
      expect(renamed.group).toMatchObject({ name: "Team", description: "", etag: "2" });
      expect(await refusal(host.groups.updateGroup({ ...change, etag: "1" }))).toBe("ETAG_MISMATCH");
      expect(await refusal(host.groups.deleteGroup({ workspaceId, groupId, etag: "1" }))).toBe("ETAG_MISMATCH");
      expect((await host.groups.getGroup({ workspaceId, groupId })).group?.name).toBe("Team");
      await using watch = await follow(world());
      await host.groups.deleteGroup({ workspaceId, groupId });
      await watch.until("groupDeleted");
      expect(await refusal(host.groups.getGroup({ workspaceId, groupId }))).toBe("NOT_FOUND");
      const elsewhere = await workspaceOf(host, "Elsewhere");
      const other = first.groups[0]?.id ?? "";
      expect(await refusal(host.groups.getGroup({ workspaceId: elsewhere, groupId: other }))).toBe("NOT_FOUND");
    });

    it("hold persons and groups, give their roles through several levels, and are explained", async () => {
      const host = await world().signUp("Host Nested");
      const workspaceId = await workspaceOf(host, "Nested");
      const person = await joined(world(), host, workspaceId, "Person Nested", builtInRoleIds.guest);
      const [inner, middle, outer] = await Promise.all(
        ["Inner", "Middle", "Outer"].map((name) => made(host, workspaceId, name)),
      );
      const put = (groupId = "", kind: PrincipalKind = GROUP, id = "") =>
        host.groups.addGroupMember({ workspaceId, groupId, principal: { kind, id } });
      await put(inner, PERSON, person.id);
      await put(inner, PERSON, person.id);
      await put(middle, GROUP, inner);
      await put(outer, GROUP, middle);
      await host.roles.setRoleBinding({
        workspaceId,
        principal: { kind: GROUP, id: outer ?? "" },
        roleId: builtInRoleIds.admin,
      });
      const about = { subject: { kind: PERSON, id: person.id }, workspaceId };
      const membership = await world().memberships.getMembership(about);
      expect(membership.groupIds).toEqual([inner, middle, outer].sort());
      expect(membership.permissions).toContain(Permission.WORKSPACE_MANAGE);
      expect(membership.roleId).toBe(builtInRoleIds.guest);
      const explained = await world().memberships.explainMembership(about);
      expect(explained.roles.map(({ roleName, via }) => [roleName, via.map(({ name }) => name)])).toEqual([
        ["Guest", []],
        ["Admin", ["Inner", "Middle", "Outer"]],
      ]);
      for (const [group, child] of [
        [inner, outer],
        [inner, inner],
        [inner, middle],
      ]) {
        expect(await refusal(put(group, GROUP, child))).toBe("GROUP_CYCLE");
      }
      expect(await refusal(put(inner, PrincipalKind.APPLICATION, newId()))).toBe("INVALID_ARGUMENT");
      expect(await refusal(put(inner, PERSON, newId()))).toBe("NOT_FOUND");

      const take = { workspaceId, groupId: middle ?? "", principal: { kind: GROUP, id: inner ?? "" } };
      await host.groups.removeGroupMember(take);
      await host.groups.removeGroupMember(take);
      const after = await world().memberships.getMembership(about);
      expect(after.groupIds).toEqual([inner]);
      expect(after.permissions).not.toContain(Permission.WORKSPACE_MANAGE);
      expect(after.epoch).not.toBe(membership.epoch);
      await host.workspaces.removeMember({ workspaceId, userId: person.id });
      const members = await host.groups.listGroupMembers({ workspaceId, groupId: inner ?? "" });
      expect(members.members).toEqual([]);
    });

    it("cannot be made to hold themselves by two requests at once", async () => {
      const host = await world().signUp("Host Circle");
      const workspaceId = await workspaceOf(host, "Circle");
      const [one, two] = [await made(host, workspaceId, "One"), await made(host, workspaceId, "Two")];
      const put = (groupId: string, id: string) =>
        host.groups.addGroupMember({ workspaceId, groupId, principal: { kind: GROUP, id } });
      const results = await Promise.allSettled([put(one, two), put(two, one)]);
      expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    });

    it("let nobody rise by putting oneself into a stronger one", async () => {
      const host = await world().signUp("Host Rise");
      const workspaceId = await workspaceOf(host, "Rise");
      const permissions = [Permission.WORKSPACE_VIEW, Permission.WORKSPACE_MANAGE];
      const { role } = await host.roles.createRole({ workspaceId, name: "Clerk", permissions });
      const clerk = await joined(world(), host, workspaceId, "Clerk Rise", role?.id ?? "");
      const [strong, inside] = [await made(host, workspaceId, "Strong"), await made(host, workspaceId, "Inside")];
      const principal = { kind: GROUP, id: strong };
      await host.roles.setRoleBinding({ workspaceId, principal, roleId: builtInRoleIds.admin });
      await host.groups.addGroupMember({ workspaceId, groupId: strong, principal: { kind: GROUP, id: inside } });
      const self = { kind: PERSON, id: clerk.id };
      for (const groupId of [strong, inside]) {
        const rise = clerk.groups.addGroupMember({ workspaceId, groupId, principal: self });
        expect(await refusal(rise)).toBe("PERMISSION_DENIED");
      }
      expect(await refusal(clerk.groups.deleteGroup({ workspaceId, groupId: strong }))).toBe("PERMISSION_DENIED");
      const weak = await made(clerk, workspaceId, "Weak");
      await clerk.groups.addGroupMember({ workspaceId, groupId: weak, principal: self });
      const listed = await clerk.groups.listGroupMembers({ workspaceId, groupId: weak });
      expect(listed.members).toMatchObject([{ name: "Clerk Rise" }]);
      const badPage = { workspaceId, groupId: weak, pageToken: "x" };
      expect(await refusal(clerk.groups.listGroupMembers(badPage))).toBe("PAGE_TOKEN_INVALID");
    });

    it("give names to those who ask, and leave out whom they do not know", async () => {
      const host = await world().signUp("Host Resolve");
      const workspaceId = await workspaceOf(host, "Resolve");
      const gone = await joined(world(), host, workspaceId, "Gone Resolve", builtInRoleIds.member);
      await gone.workspaces.leaveWorkspace({ workspaceId });
      const group = await made(host, workspaceId, "Crew");
      const { principals } = await world().memberships.resolvePrincipals({
        workspaceId,
        principals: [
          { kind: GROUP, id: group },
          { kind: PERSON, id: newId() },
          { kind: PERSON, id: gone.id },
          { kind: PERSON, id: host.id },
        ],
      });
      expect(principals.map(({ name, active }) => [name, active])).toEqual([
        ["Crew", true],
        ["Gone Resolve", false],
        ["Host Resolve", true],
      ]);
      expect(await refusal(world().memberships.getWorkspaceFacts({ workspaceId: newId() }))).toBe("NOT_FOUND");
    });
  });
}
