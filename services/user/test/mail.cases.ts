import { eventually } from "@docket/runtime/testing/eventually";
import { describe, expect, it } from "@jest/globals";
import { defaultLimits } from "../domain/limits.ts";
import { builtInRoleIds } from "../domain/roles.ts";
import { secretOf } from "./sessions.cases.ts";
import { workspaceOf } from "./workspaces.cases.ts";
import { type Person, password, refusal, startWorld, type World } from "./world.ts";

async function withAdmin(env: Record<string, string> = {}): Promise<World & { admin: Person }> {
  const world = await startWorld(env, { mail: true });
  const first = await world.anonymous.sessions.signUp({ email: "admin@example.com", password, displayName: "Admin" });
  return Object.assign(world, { admin: world.person(first) });
}

/** The secret of the link in the newest mail to somebody. */
async function mailed(world: World, to: string, subject: RegExp): Promise<string> {
  const mail = await eventually(
    () => world.mails.findLast((one) => one.to === to && subject.test(one.subject)) ?? (false as const),
  );
  return secretOf(/https:\/\/docket\.test\/\S+/.exec(mail.text)?.[0] ?? "");
}

export function mailCases(seen: (world: World) => void): void {
  describe("with mail", () => {
    it("signing up answers the same for a new and a known address, and a mail tells which", async () => {
      await using world = await withAdmin();
      const sign = (email: string) =>
        world.anonymous.sessions.signUp({ email, password: "unguessable 12", displayName: "Somebody" });
      const fresh = await sign("new@example.com");
      const known = await sign("admin@example.com");
      expect(fresh).toEqual(known);
      expect(fresh).toMatchObject({ confirmationPending: true, sessionSecret: "" });
      await mailed(world, "admin@example.com", /already/);
      const secret = await mailed(world, "new@example.com", /Confirm/);
      expect(await refusal(world.signIn("new@example.com", "", "unguessable 12"))).toBe("CREDENTIALS_INVALID");
      const grant = await world.anonymous.sessions.confirmSignUp({ secret, password: "unguessable 12" });
      expect(grant.user).toMatchObject({ email: "new@example.com", administrator: false });
      expect(await refusal(world.anonymous.sessions.confirmSignUp({ secret, password: "unguessable 12" }))).toBe(
        "LINK_INVALID",
      );
      await world.signIn("new@example.com", "", "unguessable 12");
      // Asked twice within a minute, one mail goes out, and its link is good.
      await sign("twice@example.com");
      await sign("twice@example.com");
      const twice = await mailed(world, "twice@example.com", /Confirm/);
      const confirm = (given: string) => world.anonymous.sessions.confirmSignUp({ secret: twice, password: given });
      const answers: string[] = [];
      for (let tries = 0; tries < 12; tries += 1) answers.push(await refusal(confirm("of somebody else")));
      expect(new Set(answers)).toEqual(new Set(["CREDENTIALS_INVALID", "ATTEMPTS_SLOWED"]));
      world.advance(10 * 60_000);
      await confirm("unguessable 12");
      expect(world.mails.filter(({ to }) => to === "twice@example.com")).toHaveLength(1);
      seen(world);
    });

    it("a confirmation that comes after another account with the address is refused", async () => {
      await using world = await withAdmin({ SIGN_UP: "open" });
      const sign = () =>
        world.anonymous.sessions.signUp({ email: "late@example.com", password: "unguessable 12", displayName: "Late" });
      await sign();
      const first = await mailed(world, "late@example.com", /Confirm/);
      world.mails.length = 0;
      world.failMail(true);
      world.advance(2 * 60_000);
      await sign();
      world.failMail(false);
      // The second sign-up has taken the place of the first, whose link is worth nothing now.
      expect(await refusal(world.anonymous.sessions.confirmSignUp({ secret: first, password: "unguessable 12" }))).toBe(
        "LINK_INVALID",
      );
      world.advance(2 * 60_000);
      const second = await mailed(world, "late@example.com", /Confirm/);
      const both = await Promise.allSettled([
        world.anonymous.sessions.confirmSignUp({ secret: second, password: "unguessable 12" }),
        world.anonymous.sessions.confirmSignUp({ secret: second, password: "unguessable 12" }),
      ]);
      expect(both.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
      seen(world);
    });

    it("a confirmation is refused when the address got an account meanwhile, while there was no mail", async () => {
      const options = { mail: true };
      await using world = await startWorld({}, options);
      await world.signUp("First");
      const email = "meanwhile@example.com";
      const sign = { email, password: "unguessable 12", displayName: "Meanwhile" };
      await world.anonymous.sessions.signUp(sign);
      const secret = await mailed(world, email, /Confirm/);
      options.mail = false;
      await world.restart();
      await world.anonymous.sessions.signUp(sign);
      const confirm = world.anonymous.sessions.confirmSignUp({ secret, password: "unguessable 12" });
      expect(await refusal(confirm)).toBe("EMAIL_TAKEN");
      seen(world);
    });

    it("an invitation goes by mail, and its sign-up is confirmed into the workspace", async () => {
      await using world = await withAdmin({ SIGN_UP: "invitation" });
      const workspaceId = await workspaceOf(world.admin, "Harbour");
      const email = "invited@example.com";
      await world.admin.workspaces.createInvitation({ workspaceId, roleId: builtInRoleIds.member, email });
      const invitationSecret = await mailed(world, email, /invited to Harbour/);
      const sign = { email, password: "unguessable 12", displayName: "Invited" };
      expect(await refusal(world.anonymous.sessions.signUp(sign))).toBe("SIGN_UP_CLOSED");
      await world.anonymous.sessions.signUp({ ...sign, invitationSecret });
      const secret = await mailed(world, email, /Confirm/);
      const person = world.person(await world.anonymous.sessions.confirmSignUp({ secret, password: "unguessable 12" }));
      expect((await person.workspaces.listWorkspaces({})).workspaces.map(({ name }) => name)).toEqual(["Harbour"]);
      seen(world);
    });

    it("a password reset comes by mail, to accounts only, and no secret is logged", async () => {
      await using world = await withAdmin();
      const ask = (email: string) => world.anonymous.sessions.requestPasswordReset({ email });
      expect(await ask("nobody@example.com")).toEqual(await ask("Admin@example.com"));
      const secret = await mailed(world, "admin@example.com", /new password/);
      const grant = await world.anonymous.sessions.resetPassword({ secret, newPassword: "entirely different 5" });
      expect(grant.sessionSecret).not.toBe("");
      expect(world.mails.map(({ to }) => to)).toEqual(["admin@example.com"]);
      expect(world.logLines.join("")).not.toContain(secret);
      seen(world);
    });

    it("a mail that could not be sent goes out later, also after a restart, with a link that works", async () => {
      await using world = await withAdmin();
      world.failMail(true);
      await world.anonymous.sessions.requestPasswordReset({ email: "admin@example.com" });
      await eventually(() => expect(world.logLines.join("")).toContain("the mail server is away"));
      await world.restart();
      world.failMail(false);
      world.advance(10 * 60_000);
      const secret = await mailed(world, "admin@example.com", /new password/);
      await world.anonymous.sessions.resetPassword({ secret, newPassword: "entirely different 5" });
      seen(world);
    });
  });

  describe("limits", () => {
    it("hold for everything that people make", async () => {
      await using world = await startWorld(
        {},
        {
          limits: {
            ...defaultLimits,
            memberships: 1,
            rolesPerWorkspace: 1,
            groupsPerWorkspace: 1,
            membersPerGroup: 1,
            openInvitationsPerWorkspace: 1,
            applicationsPerWorkspace: 1,
            keysPerApplication: 1,
          },
        },
      );
      const anna = await world.signUp("Anna");
      const ben = await world.signUp("Ben");
      const workspaceId = await workspaceOf(anna, "One");
      await workspaceOf(ben, "Own");
      expect(await refusal(anna.workspaces.createWorkspace({ name: "Two" }))).toBe("LIMIT_REACHED");
      const invite = () => anna.workspaces.createInvitation({ workspaceId, roleId: builtInRoleIds.guest });
      const { secret } = await invite();
      expect(await refusal(invite())).toBe("LIMIT_REACHED");
      expect(await refusal(ben.workspaces.acceptInvitation({ secret }))).toBe("LIMIT_REACHED");
      const carl = await world.signUp("Carl");
      await carl.workspaces.acceptInvitation({ secret });
      const role = (name: string) => anna.roles.createRole({ workspaceId, name, permissions: [1] });
      await role("One");
      expect(await refusal(role("Two"))).toBe("LIMIT_REACHED");
      const group = (name: string) => anna.groups.createGroup({ workspaceId, name });
      const groupId = (await group("One")).group?.id ?? "";
      expect(await refusal(group("Two"))).toBe("LIMIT_REACHED");
      const put = (id: string) => anna.groups.addGroupMember({ workspaceId, groupId, principal: { kind: 1, id } });
      await put(anna.id);
      expect(await refusal(put(carl.id))).toBe("LIMIT_REACHED");
      const enroll = (name: string) => anna.keys.enrollApplication({ workspaceId, name });
      const applicationId = (await enroll("One")).application?.id ?? "";
      expect(await refusal(enroll("Two"))).toBe("LIMIT_REACHED");
      const key = () => anna.keys.createApiKey({ workspaceId, applicationId, name: "Key", scopes: [1] });
      await key();
      expect(await refusal(key())).toBe("LIMIT_REACHED");
      seen(world);
    });
  });
}
