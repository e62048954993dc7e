import { ConnectError } from "@connectrpc/connect";
import { ErrorInfoSchema } from "@docket/contracts/gen/docket/error/v1/error_info_pb.ts";
import { SignUpMode } from "@docket/contracts/gen/docket/user/v1/session_service_pb.ts";
import { describe, expect, it } from "@jest/globals";
import { readConfig } from "../config.ts";
import { openUserAdmin } from "../admin.ts";
import { password, refusal, startWorld, type World } from "./world.ts";

export function sessionCases(world: () => World, seen: (world: World) => void): void {
  describe("signing up and in", () => {
    it("tells how one may get in, and makes the first account the administrator", async () => {
      await using fresh = await startWorld({ SIGN_UP: "invitation" });
      expect(await fresh.anonymous.sessions.getSignInOptions({})).toMatchObject({
        signUpMode: SignUpMode.INVITATION,
        mail: false,
        firstAccount: true,
      });
      const first = await fresh.anonymous.sessions.signUp({ email: "A@Example.com", password, displayName: "Anna" });
      expect(first.user).toMatchObject({ email: "a@example.com", administrator: true });
      expect((await fresh.anonymous.sessions.getSignInOptions({})).firstAccount).toBe(false);
      const second = fresh.anonymous.sessions.signUp({ email: "b@example.com", password, displayName: "Ben" });
      expect(await refusal(second)).toBe("SIGN_UP_CLOSED");
      seen(fresh);
    });

    it("makes one administrator only when two sign up first at once", async () => {
      await using fresh = await startWorld();
      const both = await Promise.all([fresh.signUp("Anna"), fresh.signUp("Ben")]);
      const users = await Promise.all(both.map(async (person) => (await person.sessions.getSession({})).user));
      expect(users.filter((user) => user?.administrator)).toHaveLength(1);
    });

    it("signs up, in whatever case, once for each address", async () => {
      const anna = await world().signUp("Anna Sign-Up");
      const again = world().anonymous.sessions.signUp({
        email: anna.email.toUpperCase(),
        password,
        displayName: "Another",
      });
      expect(await refusal(again)).toBe("EMAIL_TAKEN");
      const signedIn = await world().signIn(anna.email.toUpperCase());
      expect(await signedIn.sessions.getSession({})).toMatchObject({
        user: { id: anna.id, displayName: "Anna Sign-Up" },
        session: { current: true, userId: anna.id, clientAddress: "198.51.100.7" },
      });
    });

    it("refuses passwords that are easy to guess, and zones that do not exist", async () => {
      const sign = (secret: string) =>
        world().anonymous.sessions.signUp({ email: "weak@example.com", password: secret, displayName: "Weak" });
      expect(await refusal(sign("Password123!"))).toBe("PASSWORD_WEAK");
      expect(await refusal(sign("aaaaaaaaaa"))).toBe("PASSWORD_WEAK");
      expect(await refusal(sign("weak@example.com"))).toBe("PASSWORD_WEAK");
      expect(await refusal(sign("short"))).toBe("INVALID_ARGUMENT");
      expect(await refusal(sign("x".repeat(1025)))).toBe("INVALID_ARGUMENT");
      const zone = { email: "zone@example.com", password, displayName: "Zone", timeZone: "Mars/Olympus" };
      expect(await refusal(world().anonymous.sessions.signUp(zone))).toBe("INVALID_ARGUMENT");
    });

    it("takes passwords of a thousand characters whole", async () => {
      const long = "entirely unguessable ".repeat(48).slice(0, 1000);
      const email = "long.password@example.com";
      await world().anonymous.sessions.signUp({ email, password: long, displayName: "Long" });
      await world().signIn(email, "198.51.100.7", long);
      expect(await refusal(world().signIn(email, "198.51.100.7", `${long.slice(0, -1)}?`))).toBe("CREDENTIALS_INVALID");
    });

    it("gives the same answer for an unknown address and a wrong password", async () => {
      const ben = await world().signUp("Ben Same");
      const answers = await Promise.all(
        [ben.email, "nobody.at.all@example.com"].map((email) =>
          world()
            .from("203.0.113.1")
            .sessions.signIn({ email, password: "wrong wrong wrong" })
            .catch((error: unknown) => ConnectError.from(error)),
        ),
      );
      const [known, unknown] = answers.map((error) => {
        const info = (error as ConnectError).findDetails(ErrorInfoSchema)[0];
        return { message: (error as ConnectError).rawMessage, reason: info?.reason, metadata: info?.metadata };
      });
      expect(known).toEqual(unknown);
    });

    it("keeps only a hash of the session's secret, and writes no secret to the log", async () => {
      const carl = await world().signUp("Carl Hash");
      expect(carl.secret).toMatch(/^[\w-]{43}$/);
      const log = world().logLines.join("");
      expect(log).not.toContain(carl.secret);
      expect(log).not.toContain(password);
      expect(log).not.toContain(carl.email);
    });
  });

  describe("sessions", () => {
    it("are listed page by page, newest first, and revoked one by one", async () => {
      const dora = await world().signUp("Dora Sessions");
      const laptop = await world().signIn(dora.email);
      const phone = await world().signIn(dora.email);
      const first = await phone.sessions.listSessions({ pageSize: 2 });
      expect(first.sessions.map(({ current }) => current)).toEqual([true, false]);
      const rest = await phone.sessions.listSessions({ pageSize: 2, pageToken: first.nextPageToken });
      expect(rest).toMatchObject({ sessions: [{ current: false }], nextPageToken: "" });
      expect(await refusal(phone.sessions.listSessions({ pageToken: "nonsense" }))).toBe("PAGE_TOKEN_INVALID");

      await phone.sessions.revokeSession({ sessionId: first.sessions[1]?.id ?? "" });
      expect(await refusal(laptop.sessions.getSession({}))).toBe("SESSION_INVALID");
      await dora.sessions.getSession({});
      const stranger = await world().signUp("Stranger Sessions");
      const foreign = stranger.sessions.revokeSession({ sessionId: first.sessions[0]?.id ?? "" });
      expect(await refusal(foreign)).toBe("NOT_FOUND");
    });

    it("end by signing out, also for a token that was signed before", async () => {
      const emil = await world().signUp("Emil Out");
      const { token } = await world().tokens.exchangeSession({ sessionSecret: emil.secret });
      const headers = { authorization: `Bearer ${token}` };
      await world().anonymous.sessions.getSession({}, { headers });
      await world().anonymous.sessions.signOut({}, { headers });
      expect(await refusal(world().anonymous.sessions.getSession({}, { headers }))).toBe("SESSION_INVALID");
      expect(await refusal(world().tokens.exchangeSession({ sessionSecret: emil.secret }))).toBe("SESSION_INVALID");
    });

    it("end when they are not used, and when they are old, however much they are used", async () => {
      await using fresh = await startWorld({ SESSION_IDLE_TIMEOUT: "2h", SESSION_LIFETIME: "5h" });
      const hour = 3_600_000;
      const used = await fresh.signUp("Used");
      const idle = await fresh.signUp("Idle");
      for (let hours = 1; hours <= 4; hours += 1) {
        fresh.advance(hour);
        await used.sessions.getSession({});
      }
      expect(await refusal(idle.sessions.getSession({}))).toBe("SESSION_INVALID");
      fresh.advance(hour);
      expect(await refusal(used.sessions.getSession({}))).toBe("SESSION_INVALID");
    });
  });

  describe("resetting a password without mail", () => {
    it("goes by a link that the operator makes, where no administrator can sign in", async () => {
      const gina = await world().signUp("Gina Operator");
      const config = readConfig(world().env);
      await using operator = await openUserAdmin(config);
      const { link } = await operator.makeResetLink(gina.email.toUpperCase());
      const reset = { secret: secretOf(link), newPassword: "by the operator 4" };
      await world().anonymous.sessions.resetPassword(reset);
      await world().signIn(gina.email, "", "by the operator 4");
      await expect(operator.makeResetLink("nobody.here@example.com")).rejects.toThrow("No account");
    });

    it("goes by a link that an administrator hands over, works once and ends all sessions", async () => {
      const fritz = await world().signUp("Fritz Reset");
      expect(await world().anonymous.sessions.requestPasswordReset({ email: fritz.email })).toMatchObject({
        mail: false,
      });
      await world().anonymous.sessions.requestPasswordReset({ email: "nobody.reset@example.com" });
      const admin = await world().signIn("admin@example.com");
      const seen = await admin.users.getUser({ userId: fritz.id });
      expect(seen.user?.resetRequestTime).toBeDefined();
      expect((await fritz.users.getUser({ userId: fritz.id })).user?.resetRequestTime).toBeUndefined();
      expect(await refusal(fritz.users.createPasswordReset({ userId: fritz.id }))).toBe("PERMISSION_DENIED");

      const old = secretOf((await admin.users.createPasswordReset({ userId: fritz.id })).link);
      const { link } = await admin.users.createPasswordReset({ userId: fritz.id });
      expect(link).toMatch(/^https:\/\/docket\.test\/reset-password\/[\w-]{43}$/);
      const reset = (secret: string, newPassword = "a completely new one 9") =>
        world().anonymous.sessions.resetPassword({ secret, newPassword });
      expect(await refusal(reset(old))).toBe("LINK_INVALID");
      expect(await refusal(reset(secretOf(link), "iloveyou1"))).toBe("PASSWORD_WEAK");
      const [one, other] = await Promise.allSettled([reset(secretOf(link)), reset(secretOf(link))]);
      expect([one.status, other.status].sort()).toEqual(["fulfilled", "rejected"]);
      expect(await refusal(reset(secretOf(link)))).toBe("LINK_INVALID");
      expect(await refusal(fritz.sessions.getSession({}))).toBe("SESSION_INVALID");
      expect(await refusal(world().signIn(fritz.email))).toBe("CREDENTIALS_INVALID");
      await world().signIn(fritz.email, "198.51.100.7", "a completely new one 9");
      expect((await admin.users.getUser({ userId: fritz.id })).user?.resetRequestTime).toBeUndefined();
    });
  });
}

/** The secret in a link. */
export function secretOf(link: string): string {
  return link.split("/").at(-1) ?? "";
}
