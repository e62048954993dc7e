import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { InvitationState } from "@docket/contracts/gen/docket/user/v1/invitation_pb.ts";
import { newId } from "@docket/runtime/ids";
import { describe, expect, it } from "@jest/globals";
import { builtInRoleIds } from "../domain/roles.ts";
import { follow } from "./following.ts";
import { type Person, refusal, type World } from "./world.ts";

const { owner, admin, member, guest } = builtInRoleIds;

/** A workspace of somebody's, and others in it by role. */
export async function workspaceOf(person: Person, name: string): Promise<string> {
  return (await person.workspaces.createWorkspace({ name })).workspace?.id ?? "";
}

/** Somebody new in the workspace. */
export async function joined(
  world: World,
  host: Person,
  workspaceId: string,
  name: string,
  roleId: string,
): Promise<Person> {
  const person = await world.signUp(name);
  const { secret } = await host.workspaces.createInvitation({ workspaceId, roleId });
  await person.workspaces.acceptInvitation({ secret });
  return person;
}

export function workspaceCases(world: () => World): void {
  describe("names", () => {
    it("are told of who and what is or was of a workspace, and of nobody else", async () => {
      const anna = await world().signUp("Anna Names");
      const workspaceId = await workspaceOf(anna, "Names");
      const ben = await joined(world(), anna, workspaceId, "Ben Names", member);
      const eve = await joined(world(), anna, workspaceId, "Eve Names", guest);
      const stranger = await world().signUp("Stranger Names");
      const { group } = await anna.groups.createGroup({ workspaceId, name: "Crew" });
      const { application } = await anna.keys.enrollApplication({ workspaceId, name: "Robot" });
      const [groupId, applicationId] = [group?.id ?? "", application?.id ?? ""];
      const ids = [ben.id, stranger.id, groupId, newId(), applicationId, anna.id];
      const names = async (of: Person) =>
        (await of.workspaces.resolveNames({ workspaceId, ids })).names.map(
          ({ name, former, principal }) => `${name} ${principal?.kind}${former ? " former" : ""}`,
        );
      expect(await names(eve)).toEqual(["Ben Names 1", "Crew 2", "Robot 3", "Anna Names 1"]);

      await ben.workspaces.leaveWorkspace({ workspaceId });
      const updateMask = { paths: ["display_name"] };
      await ben.users.updateUser({ userId: ben.id, profile: { displayName: "Benjamin" }, updateMask });
      await anna.groups.deleteGroup({ workspaceId, groupId });
      await anna.keys.removeApplication({ workspaceId, applicationId });
      const left = ["Ben Names 1 former", "Crew 2 former", "Robot 3 former", "Anna Names 1"];
      expect(await names(eve)).toEqual(left);
      expect(await refusal(names(ben))).toBe("NOT_FOUND");

      const { secret } = await anna.workspaces.createInvitation({ workspaceId, roleId: member });
      await ben.workspaces.acceptInvitation({ secret });
      expect((await names(eve))[0]).toBe("Benjamin 1");
      await anna.workspaces.removeMember({ workspaceId, userId: ben.id });
      expect((await names(eve))[0]).toBe("Benjamin 1 former");
      const other = await workspaceOf(stranger, "Other names");
      expect((await stranger.workspaces.resolveNames({ workspaceId: other, ids })).names).toHaveLength(1);
    });
  });

  describe("workspaces", () => {
    it("are made once for each request_id, listed by name, changed with an etag, and deleted for good", async () => {
      const anna = await world().signUp("Anna Workspace");
      const requestId = newId();
      const made = await anna.workspaces.createWorkspace({ name: "Beta", timeZone: "Europe/Zurich", requestId });
      const again = await anna.workspaces.createWorkspace({ name: "Beta", timeZone: "Europe/Zurich", requestId });
      expect(again.workspace?.id).toBe(made.workspace?.id);
      const reused = anna.workspaces.createWorkspace({ name: "Other", requestId });
      expect(await refusal(reused)).toBe("REQUEST_ID_REUSED");
      await workspaceOf(anna, "Alpha");
      await workspaceOf(anna, "Gamma");
      const first = await anna.workspaces.listWorkspaces({ pageSize: 2 });
      const rest = await anna.workspaces.listWorkspaces({ pageSize: 2, pageToken: first.nextPageToken });
      expect([...first.workspaces, ...rest.workspaces].map(({ name }) => name)).toEqual(["Alpha", "Beta", "Gamma"]);
      expect(first.workspaces[0]).toMatchObject({ ownRoleId: owner, timeZone: "UTC", createdBy: anna.id });
      expect(first.workspaces[0]?.quotaBytes).toBe(100n * 2n ** 30n);
      expect(await refusal(anna.workspaces.listWorkspaces({ pageToken: "bm9uc2Vuc2U" }))).toBe("PAGE_TOKEN_INVALID");

      const workspaceId = made.workspace?.id ?? "";
      const etag = made.workspace?.etag ?? "";
      const rename = { workspaceId, name: "Beta 2", updateMask: { paths: ["name"] }, etag };
      expect((await anna.workspaces.updateWorkspace(rename)).workspace).toMatchObject({
        name: "Beta 2",
        timeZone: "Europe/Zurich",
      });
      expect(await refusal(anna.workspaces.updateWorkspace(rename))).toBe("ETAG_MISMATCH");
      expect(await refusal(anna.workspaces.deleteWorkspace({ workspaceId, etag }))).toBe("ETAG_MISMATCH");
      const stranger = await world().signUp("Stranger Workspace");
      expect(await refusal(stranger.workspaces.getWorkspace({ workspaceId }))).toBe("NOT_FOUND");
      expect(await refusal(stranger.workspaces.deleteWorkspace({ workspaceId }))).toBe("NOT_FOUND");

      await using watch = await follow(world());
      const { secret } = await anna.workspaces.createInvitation({ workspaceId, roleId: guest });
      await anna.workspaces.deleteWorkspace({ workspaceId });
      await watch.until("workspaceDeleted");
      expect(await refusal(anna.workspaces.getWorkspace({ workspaceId }))).toBe("NOT_FOUND");
      expect(await refusal(stranger.workspaces.acceptInvitation({ secret }))).toBe("LINK_INVALID");
      const facts = await world().memberships.getWorkspaceFacts({ workspaceId });
      expect(facts).toMatchObject({ name: "Beta 2", timeZone: "Europe/Zurich" });
      expect(facts.deleteTime).toBeDefined();
    });

    it("refuse names with paths, controls and marks that turn text round", async () => {
      const ben = await world().signUp("Ben Names");
      for (const name of ["", "../x", "a\\b", "..", "a\u0000b", "a\u202eb", "x".repeat(256), "  "]) {
        expect(await refusal(ben.workspaces.createWorkspace({ name }))).toBe("INVALID_ARGUMENT");
      }
    });
  });

  describe("members", () => {
    it("join by an invitation that works once, also when two accept it at the same moment", async () => {
      const host = await world().signUp("Host Race");
      const workspaceId = await workspaceOf(host, "Race");
      const { secret, link, invitation } = await host.workspaces.createInvitation({
        workspaceId,
        roleId: member,
        email: "Guest@Example.com",
      });
      expect(link).toBe(`https://docket.test/invitations/${secret}`);
      expect(await world().anonymous.workspaces.getInvitation({ secret })).toMatchObject({
        workspaceName: "Race",
        inviterName: "Host Race",
        roleName: "Member",
        email: "guest@example.com",
      });
      const people = await Promise.all([world().signUp("One Race"), world().signUp("Two Race")]);
      const results = await Promise.allSettled(people.map((person) => person.workspaces.acceptInvitation({ secret })));
      expect(results.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
      const winner = people[results.findIndex(({ status }) => status === "fulfilled")] as Person;
      const loser = people.find((person) => person !== winner) as Person;
      expect(await refusal(loser.workspaces.acceptInvitation({ secret }))).toBe("LINK_INVALID");
      // The answer got lost, and the client asks again.
      expect((await winner.workspaces.acceptInvitation({ secret })).workspace?.ownRoleId).toBe(member);
      expect(await refusal(world().anonymous.workspaces.getInvitation({ secret }))).toBe("LINK_INVALID");
      const listed = await host.workspaces.listInvitations({ workspaceId });
      expect(listed.invitations).toMatchObject([
        { id: invitation?.id, state: InvitationState.ACCEPTED, acceptedBy: winner.id },
      ]);
      const second = await host.workspaces.createInvitation({ workspaceId, roleId: guest });
      expect(await refusal(winner.workspaces.acceptInvitation({ secret: second.secret }))).toBe("ALREADY_MEMBER");
    });

    it("join while signing up, and not by a link that was revoked, or is too old or unknown", async () => {
      const host = await world().signUp("Host Link");
      const workspaceId = await workspaceOf(host, "Link");
      const invite = async (expiresInMs?: number) =>
        await host.workspaces.createInvitation({
          workspaceId,
          roleId: member,
          ...(expiresInMs !== undefined && { expireTime: timestampFromDate(new Date(Date.now() + expiresInMs)) }),
        });
      const sign = (invitationSecret: string, email: string) =>
        world().anonymous.sessions.signUp({ email, password: "unguessable 12", displayName: "New", invitationSecret });
      const good = await invite();
      const grant = await sign(good.secret, "new.by.link@example.com");
      const person = world().person(grant);
      expect((await person.workspaces.getWorkspace({ workspaceId })).workspace?.ownRoleId).toBe(member);
      expect(await refusal(sign(good.secret, "another.by.link@example.com"))).toBe("LINK_INVALID");

      const revoked = await invite();
      const { invitation } = await host.workspaces.revokeInvitation({
        workspaceId,
        invitationId: revoked.invitation?.id ?? "",
      });
      expect(invitation?.state).toBe(InvitationState.REVOKED);
      expect(await refusal(person.workspaces.acceptInvitation({ secret: revoked.secret }))).toBe("LINK_INVALID");
      expect(await refusal(person.workspaces.acceptInvitation({ secret: "unknown" }))).toBe("LINK_INVALID");
      expect(await refusal(invite(-1000))).toBe("INVALID_ARGUMENT");
      expect(await refusal(invite(91 * 86_400_000))).toBe("INVALID_ARGUMENT");
      const short = await invite(2000);
      world().advance(3000);
      expect(await refusal(world().anonymous.workspaces.getInvitation({ secret: short.secret }))).toBe("LINK_INVALID");
      const page = await host.workspaces.listInvitations({ workspaceId, pageSize: 1 });
      expect(page.invitations[0]?.state).toBe(InvitationState.EXPIRED);
      expect(await refusal(host.workspaces.listInvitations({ workspaceId, pageToken: "x" }))).toBe(
        "PAGE_TOKEN_INVALID",
      );
      const missing = host.workspaces.revokeInvitation({ workspaceId, invitationId: newId() });
      expect(await refusal(missing)).toBe("NOT_FOUND");
    });

    it("do not join by the link of somebody who may no longer give its role", async () => {
      const host = await world().signUp("Host Revenge");
      const workspaceId = await workspaceOf(host, "Revenge");
      const leaver = await joined(world(), host, workspaceId, "Leaver Revenge", admin);
      const friend = await world().signUp("Friend Revenge");
      const invite = async (roleId: string) =>
        (await leaver.workspaces.createInvitation({ workspaceId, roleId })).secret;
      const [asAdmin, asGuest, forFriend] = [await invite(admin), await invite(guest), await invite(guest)];
      await friend.workspaces.acceptInvitation({ secret: forFriend });

      await host.workspaces.updateMember({ workspaceId, userId: leaver.id, roleId: member });
      const other = await world().signUp("Other Revenge");
      expect(await refusal(other.workspaces.acceptInvitation({ secret: asGuest }))).toBe("LINK_INVALID");
      await host.workspaces.removeMember({ workspaceId, userId: leaver.id });
      expect(await refusal(leaver.workspaces.acceptInvitation({ secret: asAdmin }))).toBe("LINK_INVALID");
      expect(await refusal(world().anonymous.workspaces.getInvitation({ secret: asAdmin }))).toBe("LINK_INVALID");
      // Who joined by such a link before stays.
      expect((await friend.workspaces.getWorkspace({ workspaceId })).workspace?.ownRoleId).toBe(guest);
    });

    it("are invited once for each request_id, and the link is shown once", async () => {
      const host = await world().signUp("Host Once");
      const workspaceId = await workspaceOf(host, "Once");
      const request = { workspaceId, roleId: member, requestId: newId() };
      await host.workspaces.createInvitation(request);
      expect(await refusal(host.workspaces.createInvitation(request))).toBe("SECRET_ALREADY_SHOWN");
      expect(await refusal(host.workspaces.createInvitation({ ...request, roleId: guest }))).toBe("REQUEST_ID_REUSED");
      expect((await host.workspaces.listInvitations({ workspaceId })).invitations).toHaveLength(1);
      const asOwner = host.workspaces.createInvitation({ workspaceId, roleId: owner });
      expect(await refusal(asOwner)).toBe("ROLE_NOT_ASSIGNABLE");
      expect(await refusal(host.workspaces.createInvitation({ workspaceId, roleId: newId() }))).toBe("NOT_FOUND");
    });

    it("are listed by name, page by page, and see what their role allows", async () => {
      const host = await world().signUp("Host List");
      const workspaceId = await workspaceOf(host, "List");
      const zoe = await joined(world(), host, workspaceId, "Zoe List", guest);
      const bob = await joined(world(), host, workspaceId, "Bob List", member);
      const first = await zoe.workspaces.listMembers({ workspaceId, pageSize: 2 });
      const rest = await zoe.workspaces.listMembers({ workspaceId, pageSize: 2, pageToken: first.nextPageToken });
      expect([...first.members, ...rest.members].map(({ user }) => user?.displayName)).toEqual([
        "Bob List",
        "Host List",
        "Zoe List",
      ]);
      await zoe.users.updateUser({
        userId: zoe.id,
        profile: { displayName: "Aaron List" },
        updateMask: { paths: ["display_name"] },
      });
      const renamed = await bob.workspaces.listMembers({ workspaceId });
      expect(renamed.members[0]).toMatchObject({ user: { displayName: "Aaron List" }, roleId: guest });
      expect(await refusal(bob.workspaces.listMembers({ workspaceId, pageToken: "x" }))).toBe("PAGE_TOKEN_INVALID");
      const rename = { workspaceId, name: "Mine", updateMask: { paths: ["name"] } };
      for (const person of [zoe, bob]) {
        expect(await refusal(person.workspaces.updateWorkspace(rename))).toBe("PERMISSION_DENIED");
        expect(await refusal(person.workspaces.listInvitations({ workspaceId }))).toBe("PERMISSION_DENIED");
      }
    });

    it("can give or take no role that allows more than their own", async () => {
      const host = await world().signUp("Host Power");
      const workspaceId = await workspaceOf(host, "Power");
      const manager = await joined(world(), host, workspaceId, "Manager Power", admin);
      const worker = await joined(world(), host, workspaceId, "Worker Power", member);
      const give = (person: Person, userId: string, roleId: string, etag?: string) =>
        person.workspaces.updateMember({ workspaceId, userId, roleId, ...(etag !== undefined && { etag }) });
      expect(await refusal(give(manager, worker.id, owner))).toBe("PERMISSION_DENIED");
      expect(await refusal(give(manager, host.id, member))).toBe("PERMISSION_DENIED");
      const remove = { workspaceId, userId: host.id };
      expect(await refusal(manager.workspaces.removeMember(remove))).toBe("PERMISSION_DENIED");
      expect((await give(manager, worker.id, admin, "1")).member).toMatchObject({ roleId: admin, etag: "2" });
      expect(await refusal(give(manager, worker.id, guest, "1"))).toBe("ETAG_MISMATCH");
      await using watch = await follow(world());
      await manager.workspaces.removeMember({ workspaceId, userId: worker.id });
      await watch.until("memberRemoved");
      expect(await refusal(worker.workspaces.getWorkspace({ workspaceId }))).toBe("NOT_FOUND");
      expect(await refusal(manager.workspaces.removeMember({ workspaceId, userId: worker.id }))).toBe("NOT_FOUND");
    });

    it("always have an owner among them", async () => {
      const host = await world().signUp("Host Owner");
      const workspaceId = await workspaceOf(host, "Owner");
      const self = { workspaceId, userId: host.id };
      expect(await refusal(host.workspaces.leaveWorkspace({ workspaceId }))).toBe("LAST_OWNER");
      expect(await refusal(host.workspaces.removeMember(self))).toBe("LAST_OWNER");
      expect(await refusal(host.workspaces.updateMember({ ...self, roleId: admin }))).toBe("LAST_OWNER");
      const heir = await joined(world(), host, workspaceId, "Heir Owner", member);
      const stranger = await world().signUp("Stranger Owner");
      const toStranger = host.workspaces.handOverWorkspace({ workspaceId, userId: stranger.id });
      expect(await refusal(toStranger)).toBe("NOT_FOUND");
      const handed = await host.workspaces.handOverWorkspace({ workspaceId, userId: heir.id });
      expect(handed.workspace?.ownRoleId).toBe(admin);
      expect(await refusal(host.workspaces.deleteWorkspace({ workspaceId }))).toBe("PERMISSION_DENIED");
      await host.workspaces.leaveWorkspace({ workspaceId });
      expect((await heir.workspaces.getWorkspace({ workspaceId })).workspace?.ownRoleId).toBe(owner);
    });

    it("always have an owner among them, also when the last two leave at once", async () => {
      for (let round = 0; round < 5; round += 1) {
        const one = await world().signUp("One Leaves");
        const workspaceId = await workspaceOf(one, "Leaves");
        const two = await joined(world(), one, workspaceId, "Two Leaves", member);
        await one.workspaces.updateMember({ workspaceId, userId: two.id, roleId: owner });
        const results = await Promise.allSettled([
          one.workspaces.leaveWorkspace({ workspaceId }),
          two.workspaces.updateMember({ workspaceId, userId: two.id, roleId: admin }),
        ]);
        expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
      }
    });
  });
}
