import { timestampMs } from "@bufbuild/protobuf/wkt";
import { createTokenVerifier, jwksOf } from "@docket/runtime/token";
import { describe, expect, it } from "@jest/globals";
import { builtInRoleIds } from "../domain/roles.ts";
import { joined } from "./workspaces.cases.ts";
import { refusal, startWorld, type World } from "./world.ts";

const minute = 60_000;

export function tokenCases(seen: (world: World) => void): void {
  describe("tokens", () => {
    it("are verified by others with the published keys, through rotations that nobody notices", async () => {
      await using world = await startWorld({ SIGNING_KEY_ROTATION: "2h" });
      const anna = await world.signUp("Anna");
      let now = Date.now();
      const verifier = createTokenVerifier({
        clock: () => new Date(now),
        fetchKeys: async () => jwksOf((await world.tokens.listPublicKeys({})).keys),
      });
      const used = new Set<string>();
      for (let step = 0; step < 40; step += 1) {
        const { token } = await world.tokens.exchangeSession({ sessionSecret: anna.secret });
        used.add(JSON.parse(Buffer.from(token.split(".")[0] ?? "", "base64url").toString()).kid);
        expect(await verifier.verify(token)).toMatchObject({ kind: "person", id: anna.id });
        world.advance(10 * minute);
        now += 10 * minute;
      }
      expect(used.size).toBeGreaterThan(2);
      const { keys, maxAgeSeconds } = await world.tokens.listPublicKeys({});
      // Retired keys have gone.
      expect(keys.length).toBeLessThanOrEqual(3);
      expect(maxAgeSeconds).toBe(300);
      seen(world);
    });

    it("are signed by a key that was listed twice the cache's time before", async () => {
      await using world = await startWorld({ SIGNING_KEY_ROTATION: "1h" });
      const first = (await world.tokens.listPublicKeys({})).keys;
      expect(first).toHaveLength(1);
      world.advance(55 * minute);
      const listedAt = Date.now() + 55 * minute;
      const { keys } = await world.tokens.listPublicKeys({});
      expect(keys).toHaveLength(2);
      const next = keys.find(({ id }) => id !== first[0]?.id);
      expect(timestampMs(next?.signsFrom ?? ({ seconds: 0n, nanos: 0 } as never)) - listedAt).toBeGreaterThanOrEqual(
        10 * minute - 2000,
      );
      seen(world);
    });
  });

  describe("a restart", () => {
    it("keeps sessions, keys, workspaces and signing keys, and forgets no request_id", async () => {
      await using world = await startWorld();
      const anna = await world.signUp("Anna");
      const requestId = "0198c0de-0000-7000-8000-000000000001";
      const { workspace } = await anna.workspaces.createWorkspace({ name: "Kept", requestId });
      const workspaceId = workspace?.id ?? "";
      const ben = await joined(world, anna, workspaceId, "Ben", builtInRoleIds.member);
      const { application } = await anna.keys.enrollApplication({ workspaceId, name: "Robot" });
      const applicationId = application?.id ?? "";
      const { secret } = await anna.keys.createApiKey({ workspaceId, applicationId, name: "Key", scopes: [1] });
      const { token } = await world.tokens.exchangeSession({ sessionSecret: ben.secret });
      const { keys } = await world.tokens.listPublicKeys({});
      await world.restart();
      expect((await world.tokens.listPublicKeys({})).keys).toEqual(keys);
      const headers = { authorization: `Bearer ${token}` };
      expect((await world.anonymous.sessions.getSession({}, { headers })).user?.id).toBe(ben.id);
      expect((await anna.workspaces.createWorkspace({ name: "Kept", requestId })).workspace?.id).toBe(workspaceId);
      expect((await anna.workspaces.listMembers({ workspaceId })).members).toHaveLength(2);
      await world.tokens.exchangeKey({ keySecret: secret });
      seen(world);
    });

    it("with another KEY_ENCRYPTION_SECRET makes new signing keys and signs nobody out", async () => {
      const secrets = ["first secret of thirty-two characters", "other secret of thirty-two characters"];
      const env: Record<string, string> = { KEY_ENCRYPTION_SECRET: secrets[0] ?? "" };
      await using world = await startWorld(env);
      const anna = await world.signUp("Anna");
      env.KEY_ENCRYPTION_SECRET = secrets[1] ?? "";
      await world.restart();
      await anna.sessions.getSession({});
      expect(world.logLines.join("")).toContain("another KEY_ENCRYPTION_SECRET");
      seen(world);
    });

    it("refuses what is not a session", async () => {
      await using world = await startWorld();
      expect(await refusal(world.tokens.exchangeSession({ sessionSecret: "nonsense" }))).toBe("SESSION_INVALID");
      seen(world);
    });
  });
}
