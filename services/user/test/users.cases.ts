import { PrincipalKind } from "@docket/contracts/gen/docket/user/v1/principal_pb.ts";
import { UserState } from "@docket/contracts/gen/docket/user/v1/user_pb.ts";
import { describe, expect, it } from "@jest/globals";
import { builtInRoleIds } from "../domain/roles.ts";
import { follow } from "./following.ts";
import { secretOf } from "./sessions.cases.ts";
import { password, refusal, startWorld, type World } from "./world.ts";

export function userCases(world: () => World, seen: (world: World) => void): void {
  describe("accounts", () => {
    it("are seen by those who share a workspace and by administrators, and by nobody else", async () => {
      const anna = await world().signUp("Anna Seen");
      const ben = await world().signUp("Ben Seen");
      const stranger = await world().signUp("Stranger Seen");
      const admin = await world().signIn("admin@example.com");
      const { workspace } = await anna.workspaces.createWorkspace({ name: "Seen" });
      const workspaceId = workspace?.id ?? "";
      const invited = await anna.workspaces.createInvitation({ workspaceId, roleId: builtInRoleIds.guest });
      expect(await refusal(anna.users.getUser({ userId: ben.id }))).toBe("NOT_FOUND");
      await ben.workspaces.acceptInvitation({ secret: invited.secret });
      expect((await anna.users.getUser({ userId: ben.id })).user?.displayName).toBe("Ben Seen");
      expect(await refusal(stranger.users.getUser({ userId: ben.id }))).toBe("NOT_FOUND");
      await admin.users.getUser({ userId: ben.id });

      const names = async (person: typeof anna, request = {}) =>
        (await person.users.listUsers(request)).users.map((user) => user.displayName);
      expect(await names(anna)).toEqual(["Anna Seen", "Ben Seen"]);
      expect(await names(stranger)).toEqual(["Stranger Seen"]);
      expect(await names(anna, { workspaceId })).toEqual(["Anna Seen", "Ben Seen"]);
      expect(await names(stranger, { workspaceId })).toEqual([]);
      expect((await names(admin, { pageSize: 200 })).length).toBeGreaterThan(3);
    });

    it("are listed page by page without a gap", async () => {
      const admin = await world().signIn("admin@example.com");
      const all = (await admin.users.listUsers({ pageSize: 200 })).users.map(({ id }) => id);
      const paged: string[] = [];
      let pageToken = "";
      do {
        const page = await admin.users.listUsers({ pageSize: 3, pageToken });
        paged.push(...page.users.map(({ id }) => id));
        pageToken = page.nextPageToken;
      } while (pageToken !== "");
      expect(paged).toEqual(all);
      const token = (await admin.users.listUsers({ pageSize: 1 })).nextPageToken;
      const other = admin.users.listUsers({ pageToken: token, state: UserState.DISABLED });
      expect(await refusal(other)).toBe("PAGE_TOKEN_INVALID");
    });

    it("change by their owner alone, with an etag", async () => {
      const carl = await world().signUp("Carl Profile");
      const admin = await world().signIn("admin@example.com");
      const change = {
        userId: carl.id,
        profile: { displayName: "Carl / Ops", locale: "de-CH", timeZone: "Europe/Zurich" },
        updateMask: { paths: ["display_name", "locale", "time_zone"] },
      };
      const { user } = await carl.users.updateUser({ ...change, etag: "1" });
      expect(user).toMatchObject({ displayName: "Carl / Ops", locale: "de-CH", timeZone: "Europe/Zurich", etag: "2" });
      expect(await refusal(carl.users.updateUser({ ...change, etag: "1" }))).toBe("ETAG_MISMATCH");
      expect(await refusal(admin.users.updateUser(change))).toBe("PERMISSION_DENIED");
      const blank = { ...change, profile: { displayName: "  " }, updateMask: { paths: ["display_name"] } };
      expect(await refusal(carl.users.updateUser(blank))).toBe("INVALID_ARGUMENT");
      const untouched = { ...change, profile: { displayName: "", locale: "fr" }, updateMask: { paths: ["locale"] } };
      expect((await carl.users.updateUser(untouched)).user).toMatchObject({ displayName: "Carl / Ops", locale: "fr" });
    });

    it("change their password with the old one, which ends all other sessions", async () => {
      const dora = await world().signUp("Dora Password");
      const elsewhere = await world().signIn(dora.email);
      const change = (currentPassword: string, newPassword: string) =>
        dora.users.changePassword({ userId: dora.id, currentPassword, newPassword });
      expect(await refusal(change("not this one", "something else 3"))).toBe("CREDENTIALS_INVALID");
      expect(await refusal(change(password, "letmein123"))).toBe("PASSWORD_WEAK");
      await change(password, "something else 3");
      await dora.sessions.getSession({});
      expect(await refusal(elsewhere.sessions.getSession({}))).toBe("SESSION_INVALID");
      await world().signIn(dora.email, "198.51.100.7", "something else 3");
    });

    it("slow down guesses at the old password by a stolen session", async () => {
      await using fresh = await startWorld();
      const emil = await fresh.signUp("Emil Guess");
      const guess = () =>
        refusal(
          emil.users.changePassword({
            userId: emil.id,
            currentPassword: "wrong one 1",
            newPassword: "something else 3",
          }),
        );
      const answers: string[] = [];
      for (let tries = 0; tries < 12; tries += 1) answers.push(await guess());
      expect(answers).toContain("ATTEMPTS_SLOWED");
      seen(fresh);
    });
  });

  describe("disabling an account", () => {
    it("ends sessions and keys at once, is published, and can be undone", async () => {
      const owner = await world().signUp("Owner Disable");
      const fritz = await world().signUp("Fritz Disable");
      const admin = await world().signIn("admin@example.com");
      const { workspace } = await owner.workspaces.createWorkspace({ name: "Disable" });
      const workspaceId = workspace?.id ?? "";
      const invited = await owner.workspaces.createInvitation({ workspaceId, roleId: builtInRoleIds.admin });
      await fritz.workspaces.acceptInvitation({ secret: invited.secret });
      const { application } = await fritz.keys.enrollApplication({ workspaceId, name: "Robot" });
      const applicationId = application?.id ?? "";
      await fritz.roles.setRoleBinding({
        workspaceId,
        principal: { kind: 3, id: applicationId },
        roleId: builtInRoleIds.member,
      });
      const made = await fritz.keys.createApiKey({ workspaceId, applicationId, name: "Key", scopes: [1] });
      const robot = world().withKey(made.secret);
      await robot.workspaces.getWorkspace({ workspaceId });
      const { token } = await world().tokens.exchangeKey({ keySecret: made.secret });
      expect(await refusal(owner.users.disableUser({ userId: fritz.id }))).toBe("PERMISSION_DENIED");

      await using watch = await follow(world());
      await admin.users.disableUser({ userId: fritz.id });
      await admin.users.disableUser({ userId: fritz.id });
      expect(await refusal(fritz.sessions.getSession({}))).toBe("SESSION_INVALID");
      expect(await refusal(world().signIn(fritz.email))).toBe("ACCOUNT_DISABLED");
      expect(await refusal(world().signIn(fritz.email, "198.51.100.7", "wrong again 1"))).toBe("CREDENTIALS_INVALID");
      expect(await refusal(robot.workspaces.getWorkspace({ workspaceId }))).toBe("KEY_INVALID");
      const stale = { headers: { authorization: `Bearer ${token}` } };
      expect(await refusal(world().anonymous.workspaces.getWorkspace({ workspaceId }, stale))).toBe("KEY_INVALID");
      const about = { subject: { kind: PrincipalKind.PERSON, id: fritz.id }, workspaceId };
      expect((await world().memberships.getMembership(about)).member).toBe(false);
      expect(await world().memberships.explainMembership(about)).toMatchObject({ member: false, disabled: true });
      await watch.until("userDisabled");
      expect(watch.kinds()).toEqual(
        expect.arrayContaining(["sessionEnded", "userDisabled", "accessChanged", "keyRevoked"]),
      );
      const listed = await admin.users.listUsers({ state: UserState.DISABLED });
      expect(listed.users.map(({ id }) => id)).toEqual([fritz.id]);

      const link = await admin.users.createPasswordReset({ userId: fritz.id });
      const reset = { secret: secretOf(link.link), newPassword: "something new 55" };
      expect(await refusal(world().anonymous.sessions.resetPassword(reset))).toBe("ACCOUNT_DISABLED");
      await admin.users.enableUser({ userId: fritz.id });
      await admin.users.enableUser({ userId: fritz.id });
      expect(await refusal(fritz.sessions.getSession({}))).toBe("SESSION_INVALID");
      await world().signIn(fritz.email);
      await robot.workspaces.getWorkspace({ workspaceId });
      await watch.until("userEnabled");
    });

    it("is refused where a workspace would lose its last owner, or the instance its last administrator", async () => {
      const owner = await world().signUp("Owner Last");
      const admin = await world().signIn("admin@example.com");
      await owner.workspaces.createWorkspace({ name: "Last" });
      expect(await refusal(admin.users.disableUser({ userId: owner.id }))).toBe("LAST_OWNER");
      expect(await refusal(admin.users.disableUser({ userId: admin.id }))).toBe("LAST_ADMINISTRATOR");
      const step = (userId: string, administrator: boolean) => admin.users.setAdministrator({ userId, administrator });
      expect(await refusal(step(admin.id, false))).toBe("LAST_ADMINISTRATOR");
      expect((await step(owner.id, true)).user?.administrator).toBe(true);
      expect((await step(owner.id, true)).user?.administrator).toBe(true);
      await owner.users.setAdministrator({ userId: owner.id, administrator: false });
      expect(await refusal(owner.users.enableUser({ userId: owner.id }))).toBe("PERMISSION_DENIED");
    });
  });
}
