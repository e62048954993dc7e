/** The members of a workspace: their roles, and how they leave. Part of WorkspaceService. */
import type { ServiceImpl } from "@connectrpc/connect";
import { Reason } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import { Permission } from "@docket/contracts/gen/docket/policy/v1/policy_pb.ts";
import type { WorkspaceService } from "@docket/contracts/gen/docket/user/v1/workspace_service_pb.ts";
import { type Subject, subjectOf } from "@docket/runtime/call";
import { openPage } from "@docket/runtime/db/page";
import { AppError, notFound } from "@docket/runtime/errors";
import { type Holder, holderKinds, type Member, type Role } from "../domain/model.ts";
import { builtInRoleIds, lacking } from "../domain/roles.ts";
import { handOverApplications } from "../store/application_store.ts";
import type { Db } from "../store/database.ts";
import { namesIn, noteFormer } from "../store/name_store.ts";
import { findBinding, findRole, setBinding } from "../store/role_store.ts";
import { permissionsThrough, standingOf } from "../store/standing_store.ts";
import {
  deleteMember,
  findWorkspace,
  isMember,
  listMembers,
  otherOwners,
  touchMember,
} from "../store/workspace_store.ts";
import type { Deps } from "./deps.ts";
import { toMember, toPrincipal, toWorkspace } from "./messages.ts";
import { afterKeyOf, checkEtag, cutPage, holderOfSubject, refuseLacking, type Write, writing } from "./writing.ts";

type MemberRpcs =
  | "listMembers"
  | "resolveNames"
  | "updateMember"
  | "removeMember"
  | "leaveWorkspace"
  | "handOverWorkspace";

/** Refuses to give, or to take from somebody, permissions that one lacks oneself. */
export async function refuseBeyondOwn(
  { tx }: Write,
  subject: Subject,
  workspaceId: string,
  permissions: readonly Permission[],
): Promise<void> {
  const { permissions: own } = await standingOf(tx, workspaceId, holderOfSubject(subject));
  // Looked at again under the lock: the caller may have been demoted since the chain asked.
  refuseLacking(lacking(own, [Permission.WORKSPACE_MANAGE, ...permissions]));
}

/** Refuses what would leave the workspace without an owner who can sign in. */
async function refuseLastOwner(tx: Db, workspaceId: string, userId: string): Promise<void> {
  const binding = await findBinding(tx, workspaceId, { kind: holderKinds.person, id: userId });
  if (binding?.roleId !== builtInRoleIds.owner) return;
  if ((await otherOwners(tx, workspaceId, userId)).length > 0) return;
  throw new AppError(Reason.LAST_OWNER, { metadata: { workspace_id: workspaceId } });
}

export async function memberOf(db: Db, workspaceId: string, userId: string): Promise<Member> {
  const [found] = await listMembers(db, workspaceId, { userId, limit: 1 });
  if (found === undefined) throw notFound("user", userId);
  return found.member;
}

export async function roleOf(db: Db, workspaceId: string, roleId: string): Promise<Role> {
  const role = await findRole(db, workspaceId, roleId);
  if (role === undefined) throw notFound("role", roleId);
  return role;
}

/** Gives a member another role; both the old and the new one must be within what the caller may do. */
export async function giveMemberRole(
  write: Write,
  subject: Subject,
  workspaceId: string,
  member: Member,
  role: Role,
): Promise<void> {
  const { tx, now } = write;
  const held = await findRole(tx, workspaceId, member.roleId);
  await refuseBeyondOwn(write, subject, workspaceId, [...role.permissions, ...(held?.permissions ?? [])]);
  if (role.id !== builtInRoleIds.owner) await refuseLastOwner(tx, workspaceId, member.account.id);
  await setBinding(tx, workspaceId, { kind: holderKinds.person, id: member.account.id }, role.id, now);
  await touchMember(tx, workspaceId, member.account.id);
}

export function memberHandlers(deps: Deps): Pick<ServiceImpl<typeof WorkspaceService>, MemberRpcs> {
  const { db, events } = deps;

  const takeOut = async ({ tx, tell }: Write, workspaceId: string, userId: string) => {
    await refuseLastOwner(tx, workspaceId, userId);
    await noteFormer(tx, workspaceId, { kind: holderKinds.person, id: userId });
    await deleteMember(tx, workspaceId, userId);
    // Keys outlive people: an owner of the workspace answers for them now.
    const [heir] = await otherOwners(tx, workspaceId, userId);
    if (heir !== undefined) await handOverApplications(tx, workspaceId, userId, heir);
    tell({ case: "memberRemoved", value: { workspaceId, userId } });
  };

  return {
    async listMembers(request) {
      const { workspaceId } = request;
      const page = openPage(request, ["members", workspaceId]);
      const after = afterKeyOf(page, "string", "string");
      const found = await listMembers(db.query, workspaceId, { after, limit: page.size + 1 });
      const { rows, nextPageToken } = cutPage(found, page, ({ member, nameKey }) => [nameKey, member.account.id]);
      return { members: rows.map(({ member }) => toMember(member)), nextPageToken };
    },

    async resolveNames({ workspaceId, ids }) {
      const names = await namesIn(db.query, workspaceId, ids);
      return { names: names.map((one) => ({ principal: toPrincipal(one), name: one.name, former: one.former })) };
    },

    async updateMember({ workspaceId, userId, roleId, etag }, context) {
      const subject = subjectOf(context);
      const member = await writing(deps, async (write) => {
        await write.lock(workspaceId);
        const current = await memberOf(write.tx, workspaceId, userId);
        checkEtag(etag, current.version);
        await giveMemberRole(write, subject, workspaceId, current, await roleOf(write.tx, workspaceId, roleId));
        return await memberOf(write.tx, workspaceId, userId);
      });
      events.roleGiven(workspaceId, userId, roleId, subject.id);
      return { member: toMember(member) };
    },

    async removeMember({ workspaceId, userId }, context) {
      const subject = subjectOf(context);
      await writing(deps, async (write) => {
        await write.lock(workspaceId);
        const holder: Holder = { kind: holderKinds.person, id: userId };
        await memberOf(write.tx, workspaceId, userId);
        const held = await permissionsThrough(write.tx, workspaceId, holder);
        await refuseBeyondOwn(write, subject, workspaceId, held);
        await takeOut(write, workspaceId, userId);
      });
      events.memberRemoved(workspaceId, userId, subject.id);
      return {};
    },

    async leaveWorkspace({ workspaceId }, context) {
      const { id } = subjectOf(context);
      await writing(deps, async (write) => {
        await write.lock(workspaceId);
        if (!(await isMember(write.tx, workspaceId, id))) throw notFound("workspace", workspaceId);
        await takeOut(write, workspaceId, id);
      });
      events.memberRemoved(workspaceId, id, id);
      return {};
    },

    async handOverWorkspace({ workspaceId, userId }, context) {
      const subject = subjectOf(context);
      const workspace = await writing(deps, async (write) => {
        const { tx, now } = write;
        await write.lock(workspaceId);
        await refuseBeyondOwn(write, subject, workspaceId, [Permission.WORKSPACE_OWN]);
        const { account } = await memberOf(tx, workspaceId, userId);
        // Who cannot sign in cannot own.
        if (account.disabledAt !== undefined) throw notFound("user", userId);
        for (const [id, roleId] of [
          [subject.id, builtInRoleIds.admin],
          [userId, builtInRoleIds.owner],
        ] as const) {
          await setBinding(tx, workspaceId, { kind: holderKinds.person, id }, roleId, now);
          await touchMember(tx, workspaceId, id);
        }
        return await findWorkspace(tx, workspaceId);
      });
      events.roleGiven(workspaceId, userId, builtInRoleIds.owner, subject.id);
      if (workspace === undefined) throw notFound("workspace", workspaceId);
      const own = userId === subject.id ? builtInRoleIds.owner : builtInRoleIds.admin;
      return { workspace: toWorkspace(workspace, own) };
    },
  };
}
