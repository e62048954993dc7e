import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { Permission } from "@docket/contracts/gen/docket/policy/v1/policy_pb.ts";
import { PrincipalKind } from "@docket/contracts/gen/docket/user/v1/principal_pb.ts";
import { newId } from "@docket/runtime/ids";
import { describe, expect, it } from "@jest/globals";
import { builtInRoleIds } from "../domain/roles.ts";
import { follow } from "./following.ts";
import { joined, workspaceOf } from "./workspaces.cases.ts";
import { type Person, refusal, type World } from "./world.ts";

const scopes = [Permission.WORKSPACE_VIEW, Permission.DOCUMENT_VIEW];

async function enrolled(host: Person, workspaceId: string, name: string, roleId?: string): Promise<string> {
  const { application } = await host.keys.enrollApplication({ workspaceId, name });
  const id = application?.id ?? "";
  const principal = { kind: PrincipalKind.APPLICATION, id };
  if (roleId !== undefined) await host.roles.setRoleBinding({ workspaceId, principal, roleId });
  return id;
}

export function keyCases(world: () => World): void {
  describe("applications", () => {
    it("are enrolled once, listed by name, changed with an etag and removed with their keys", async () => {
      const host = await world().signUp("Host App");
      const workspaceId = await workspaceOf(host, "App");
      const request = { workspaceId, name: "Robot", requestId: newId() };
      const { application } = await host.keys.enrollApplication(request);
      expect(application).toMatchObject({ createdBy: host.id, ownerId: host.id });
      expect((await host.keys.enrollApplication(request)).application?.id).toBe(application?.id);
      expect(await refusal(host.keys.enrollApplication({ ...request, name: "Y" }))).toBe("REQUEST_ID_REUSED");
      expect(await refusal(host.keys.enrollApplication({ workspaceId, name: "ROBOT" }))).toBe("NAME_TAKEN");
      await enrolled(host, workspaceId, "Archive");
      const first = await host.keys.listApplications({ workspaceId, pageSize: 1 });
      const rest = await host.keys.listApplications({ workspaceId, pageToken: first.nextPageToken });
      expect([...first.applications, ...rest.applications].map(({ name }) => name)).toEqual(["Archive", "Robot"]);
      expect(await refusal(host.keys.listApplications({ workspaceId, pageToken: "x" }))).toBe("PAGE_TOKEN_INVALID");
      const applicationId = application?.id ?? "";
      const heir = await joined(world(), host, workspaceId, "Heir App", builtInRoleIds.member);
      const change = { workspaceId, applicationId, name: "Archive", updateMask: { paths: ["name"] } };
      expect(await refusal(host.keys.updateApplication(change))).toBe("NAME_TAKEN");
      const owner = { ...change, ownerId: heir.id, updateMask: { paths: ["owner_id"] }, etag: "1" };
      expect((await host.keys.updateApplication(owner)).application).toMatchObject({ ownerId: heir.id, etag: "2" });
      expect((await host.keys.getApplication({ workspaceId, applicationId })).application?.ownerId).toBe(heir.id);
      expect(await refusal(host.keys.updateApplication(owner))).toBe("ETAG_MISMATCH");
      expect(await refusal(host.keys.updateApplication({ ...owner, etag: "2", ownerId: newId() }))).toBe("NOT_FOUND");
      const remove = { workspaceId, applicationId, etag: "1" };
      expect(await refusal(host.keys.removeApplication(remove))).toBe("ETAG_MISMATCH");
      const key = await host.keys.createApiKey({ workspaceId, applicationId, name: "Key", scopes });
      await using watch = await follow(world());
      await host.keys.removeApplication({ ...remove, etag: "2" });
      await watch.until("applicationRemoved");
      expect(watch.kinds()).toContain("keyRevoked");
      expect(await refusal(host.keys.getApplication({ workspaceId, applicationId }))).toBe("NOT_FOUND");
      expect(await refusal(world().tokens.exchangeKey({ keySecret: key.secret }))).toBe("KEY_INVALID");
    });
  });

  describe("keys", () => {
    it("do what both the application's role and their scopes allow, in one workspace, and no more", async () => {
      const host = await world().signUp("Host Key");
      const workspaceId = await workspaceOf(host, "Key");
      const elsewhere = await workspaceOf(host, "Key elsewhere");
      const applicationId = await enrolled(host, workspaceId, "Robot");
      const made = await host.keys.createApiKey({ workspaceId, applicationId, name: "Key", scopes });
      expect(made.secret).toMatch(/^dk_[0-9a-f]{32}_[\w-]{43}$/);
      const robot = world().withKey(made.secret);
      // Without a role it is nobody.
      expect(await refusal(robot.workspaces.getWorkspace({ workspaceId }))).toBe("NOT_FOUND");
      const principal = { kind: PrincipalKind.APPLICATION, id: applicationId };
      await host.roles.setRoleBinding({ workspaceId, principal, roleId: builtInRoleIds.admin });
      expect((await robot.workspaces.getWorkspace({ workspaceId })).workspace?.name).toBe("Key");
      expect((await robot.workspaces.listWorkspaces({})).workspaces.map(({ id }) => id)).toEqual([workspaceId]);
      expect(await refusal(robot.workspaces.getWorkspace({ workspaceId: elsewhere }))).toBe("NOT_FOUND");
      expect(await refusal(robot.sessions.getSession({}))).toBe("PRINCIPAL_DENIED");
      expect(await refusal(robot.keys.listApplications({ workspaceId }))).toBe("PRINCIPAL_DENIED");
      const narrow = await host.keys.createApiKey({
        workspaceId,
        applicationId,
        name: "Narrow",
        scopes: [Permission.DOCUMENT_VIEW],
      });
      const narrowed = world().withKey(narrow.secret);
      expect(await refusal(narrowed.workspaces.getWorkspace({ workspaceId }))).toBe("KEY_SCOPE_MISSING");
      const wide = { workspaceId, applicationId, name: "Wide", scopes: [Permission.WORKSPACE_MANAGE] };
      expect(await refusal(host.keys.createApiKey(wide))).toBe("INVALID_ARGUMENT");
      const about = { subject: principal, workspaceId };
      expect((await world().memberships.getMembership(about)).permissions).toContain(Permission.WORKSPACE_MANAGE);
    });

    it("show a secret once, take a second one for the change-over, and note their last use", async () => {
      const host = await world().signUp("Host Rotate");
      const workspaceId = await workspaceOf(host, "Rotate");
      const applicationId = await enrolled(host, workspaceId, "Robot", builtInRoleIds.guest);
      const request = { workspaceId, applicationId, name: "Key", scopes, requestId: newId() };
      const made = await host.keys.createApiKey(request);
      expect(await refusal(host.keys.createApiKey(request))).toBe("SECRET_ALREADY_SHOWN");
      expect(await refusal(host.keys.createApiKey({ ...request, name: "Z" }))).toBe("REQUEST_ID_REUSED");
      const keyId = made.key?.id ?? "";
      const again = { workspaceId, keyId, requestId: newId() };
      const second = await host.keys.createApiKeySecret(again);
      expect(await refusal(host.keys.createApiKeySecret(again))).toBe("SECRET_ALREADY_SHOWN");
      expect(await refusal(host.keys.createApiKeySecret({ ...again, keyId: newId() }))).toBe("REQUEST_ID_REUSED");
      expect(await refusal(host.keys.createApiKeySecret({ workspaceId, keyId }))).toBe("KEY_SECRETS_FULL");
      const first = world().withKey(made.secret);
      const other = world().withKey(second.secret);
      await first.workspaces.getWorkspace({ workspaceId });
      await other.workspaces.getWorkspace({ workspaceId });
      const listed = await host.keys.listApiKeys({ workspaceId, applicationId });
      expect(listed.keys).toHaveLength(1);
      expect(listed.keys[0]?.lastUseTime).toBeDefined();
      expect(listed.keys[0]?.secrets.map(({ ending }) => ending)).toEqual([
        made.secret.slice(-4),
        second.secret.slice(-4),
      ]);
      const revoke = { workspaceId, keyId, secretId: listed.keys[0]?.secrets[0]?.id ?? "" };
      expect((await host.keys.revokeApiKeySecret(revoke)).key?.secrets).toHaveLength(1);
      await host.keys.revokeApiKeySecret(revoke);
      expect(await refusal(first.workspaces.getWorkspace({ workspaceId }))).toBe("KEY_INVALID");
      await other.workspaces.getWorkspace({ workspaceId });
      const third = await host.keys.createApiKeySecret({ workspaceId, keyId });
      await world().withKey(third.secret).workspaces.getWorkspace({ workspaceId });
    });

    it("pass to an owner of the workspace when the person who answers for them leaves", async () => {
      const host = await world().signUp("Host Heir");
      const workspaceId = await workspaceOf(host, "Heir");
      const admin = await joined(world(), host, workspaceId, "Admin Heir", builtInRoleIds.admin);
      const applicationId = await enrolled(admin, workspaceId, "Robot", builtInRoleIds.guest);
      const { secret } = await admin.keys.createApiKey({ workspaceId, applicationId, name: "Key", scopes });
      await admin.workspaces.leaveWorkspace({ workspaceId });
      const { application } = await host.keys.getApplication({ workspaceId, applicationId });
      expect(application).toMatchObject({ ownerId: host.id, createdBy: admin.id });
      await world().withKey(secret).workspaces.getWorkspace({ workspaceId });
    });

    it("end by revocation and by their expiry, and outlive who made them", async () => {
      const host = await world().signUp("Host End");
      const workspaceId = await workspaceOf(host, "End");
      const maker = await joined(world(), host, workspaceId, "Maker End", builtInRoleIds.admin);
      const applicationId = await enrolled(host, workspaceId, "Robot", builtInRoleIds.guest);
      const expiresAt = timestampFromDate(new Date(Date.now() + 86_400_000));
      const brief = await maker.keys.createApiKey({
        workspaceId,
        applicationId,
        name: "Brief",
        scopes,
        expireTime: expiresAt,
      });
      const lasting = await maker.keys.createApiKey({ workspaceId, applicationId, name: "Lasting", scopes });
      const past = { workspaceId, applicationId, name: "P", scopes, expireTime: timestampFromDate(new Date(0)) };
      expect(await refusal(maker.keys.createApiKey(past))).toBe("INVALID_ARGUMENT");
      await host.workspaces.removeMember({ workspaceId, userId: maker.id });
      await world().withKey(brief.secret).workspaces.getWorkspace({ workspaceId });
      const page = await host.keys.listApiKeys({ workspaceId, applicationId, pageSize: 1 });
      expect(page.keys.map(({ name }) => name)).toEqual(["Lasting"]);
      const rest = await host.keys.listApiKeys({ workspaceId, applicationId, pageToken: page.nextPageToken });
      expect(rest.keys.map(({ name }) => name)).toEqual(["Brief"]);
      const bad = host.keys.listApiKeys({ workspaceId, applicationId, pageToken: "x" });
      expect(await refusal(bad)).toBe("PAGE_TOKEN_INVALID");
      await using watch = await follow(world());
      const keyId = lasting.key?.id ?? "";
      expect((await host.keys.revokeApiKey({ workspaceId, keyId })).key).toMatchObject({ secrets: [] });
      await host.keys.revokeApiKey({ workspaceId, keyId });
      await watch.until("keyRevoked");
      expect(await refusal(world().tokens.exchangeKey({ keySecret: lasting.secret }))).toBe("KEY_INVALID");
      expect(await refusal(host.keys.createApiKeySecret({ workspaceId, keyId }))).toBe("NOT_FOUND");
      world().advance(2 * 86_400_000);
      expect(await refusal(world().tokens.exchangeKey({ keySecret: brief.secret }))).toBe("KEY_INVALID");
      const forged = `${brief.secret.slice(0, -1)}${brief.secret.endsWith("A") ? "B" : "A"}`;
      for (const keySecret of [forged, "dk_nonsense", "x"]) {
        expect(await refusal(world().tokens.exchangeKey({ keySecret }))).toBe("KEY_INVALID");
      }
    });
  });
}
