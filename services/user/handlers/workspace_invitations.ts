/** How one gets into a workspace. Part of WorkspaceService. */
import { create } from "@bufbuild/protobuf";
import { timestampDate, timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { ServiceImpl } from "@connectrpc/connect";
import { Reason } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import { CreateInvitationResponseSchema } from "@docket/contracts/gen/docket/user/v1/invitation_pb.ts";
import { WorkspaceService } from "@docket/contracts/gen/docket/user/v1/workspace_service_pb.ts";
import { subjectOf } from "@docket/runtime/call";
import { openPage } from "@docket/runtime/db/page";
import { idempotent } from "@docket/runtime/db/request_record";
import { AppError, invalidArgument, notFound } from "@docket/runtime/errors";
import { newId } from "@docket/runtime/ids";
import { enqueue } from "@docket/runtime/queue/queue";
import { hashSecret } from "../credentials/vault.ts";
import { holderKinds, type Invitation, invitationState } from "../domain/model.ts";
import { foldEmail } from "../domain/names.ts";
import { isAssignable } from "../domain/roles.ts";
import { findAccount } from "../store/account_store.ts";
import {
  countOpenInvitations,
  findInvitation,
  findInvitationBySecret,
  insertInvitation,
  listInvitations,
  markRevoked,
} from "../store/invitation_store.ts";
import { findBinding, findRole } from "../store/role_store.ts";
import { findWorkspace, isMember } from "../store/workspace_store.ts";
import type { Deps } from "./deps.ts";
import { isStoodBehind, join } from "./joining.ts";
import { jobs, linkOf } from "./mailing.ts";
import { toInvitation, toWorkspace } from "./messages.ts";
import { refuseBeyondOwn, roleOf } from "./workspace_members.ts";
import { afterKeyOf, cutPage, refuseAtLimit, writeIn, writing } from "./writing.ts";

type InvitationRpcs =
  | "createInvitation"
  | "listInvitations"
  | "revokeInvitation"
  | "getInvitation"
  | "acceptInvitation";

const day = 86_400_000;
/** How long an invitation is open unless it says otherwise, and at most, in milliseconds. */
const invitationLifeMs = { default: 7 * day, longest: 90 * day } as const;

export function invitationHandlers(deps: Deps): Pick<ServiceImpl<typeof WorkspaceService>, InvitationRpcs> {
  const { db, clock, rules, vault, events } = deps;

  const expiryOf = (asked: Date | undefined, now: Date) => {
    const expiresAt = asked ?? new Date(now.getTime() + invitationLifeMs.default);
    if (expiresAt.getTime() <= now.getTime() + invitationLifeMs.longest) return expiresAt;
    throw invalidArgument([{ field: "expires_at", rule: "timestamp.within", description: "must be within 90 days" }]);
  };

  return {
    async createInvitation(request, context) {
      const subject = subjectOf(context);
      const { workspaceId, roleId } = request;
      const call = {
        subject,
        method: WorkspaceService.method.createInvitation,
        requestId: request.requestId,
        request,
        now: clock,
        keep: ({ invitation }: { invitation?: ReturnType<typeof toInvitation> | undefined }) =>
          create(CreateInvitationResponseSchema, invitation === undefined ? {} : { invitation }),
        recheck({ invitation }: { invitation?: { id: string } | undefined }) {
          throw new AppError(Reason.SECRET_ALREADY_SHOWN, { metadata: { id: invitation?.id ?? "" } });
        },
      };
      return await idempotent(db, call, (tx) =>
        writeIn(deps, tx, async (write) => {
          const { now } = write;
          await write.lock(workspaceId);
          const role = await roleOf(tx, workspaceId, roleId);
          if (!isAssignable(roleId, "invitation")) {
            throw new AppError(Reason.ROLE_NOT_ASSIGNABLE, { metadata: { role_id: roleId } });
          }
          await refuseBeyondOwn(write, subject, workspaceId, role.permissions);
          refuseAtLimit(await countOpenInvitations(tx, workspaceId, now), rules.limits.openInvitationsPerWorkspace);
          const invitation: Invitation = {
            id: newId(),
            workspaceId,
            email: foldEmail(request.email ?? ""),
            roleId,
            createdBy: subject.id,
            createdAt: now,
            expiresAt: expiryOf(request.expireTime && timestampDate(request.expireTime), now),
            acceptedBy: undefined,
            revokedAt: undefined,
          };
          const secret = vault.linkSecret("invitation", invitation.id);
          await insertInvitation(tx, invitation, hashSecret(secret));
          if (rules.mail && invitation.email !== "") {
            await enqueue(tx, { kind: jobs.invitation, payload: { workspaceId, id: invitation.id } });
          }
          return create(CreateInvitationResponseSchema, {
            invitation: toInvitation(invitation, now),
            link: linkOf(rules.publicUrl(), "invitations", secret),
            secret,
          });
        }),
      );
    },

    async listInvitations(request) {
      const { workspaceId } = request;
      const page = openPage(request, ["invitations", workspaceId]);
      const [before] = afterKeyOf(page, "string") ?? [];
      const found = await listInvitations(db.query, workspaceId, before, page.size + 1);
      const { rows, nextPageToken } = cutPage(found, page, ({ id }) => [id]);
      const now = clock();
      return { invitations: rows.map((invitation) => toInvitation(invitation, now)), nextPageToken };
    },

    async revokeInvitation({ workspaceId, invitationId }) {
      const invitation = await writing(deps, async ({ tx, now }) => {
        await markRevoked(tx, workspaceId, invitationId, now);
        return await findInvitation(tx, workspaceId, invitationId);
      });
      if (invitation === undefined) throw notFound("invitation", invitationId);
      return { invitation: toInvitation(invitation, clock()) };
    },

    async getInvitation({ secret }) {
      const invitation = await findInvitationBySecret(db.query, hashSecret(secret));
      if (invitation === undefined || invitationState(invitation, clock()) !== "pending") {
        throw new AppError(Reason.LINK_INVALID);
      }
      if (!(await isStoodBehind(db.query, invitation))) throw new AppError(Reason.LINK_INVALID);
      const [workspace, inviter, role] = await Promise.all([
        findWorkspace(db.query, invitation.workspaceId),
        findAccount(db.query, invitation.createdBy),
        findRole(db.query, invitation.workspaceId, invitation.roleId),
      ]);
      return {
        workspaceName: workspace?.name ?? "",
        inviterName: inviter?.displayName ?? "",
        roleName: role?.name ?? "",
        email: invitation.email,
        expireTime: timestampFromDate(invitation.expiresAt),
      };
    },

    async acceptInvitation({ secret }, context) {
      const { id } = subjectOf(context);
      const { workspace, roleId } = await writing(deps, async (write) => {
        const { tx, now } = write;
        const account = await findAccount(tx, id);
        const invitation = await findInvitationBySecret(tx, hashSecret(secret));
        if (account === undefined || invitation === undefined) throw new AppError(Reason.LINK_INVALID);
        const { workspaceId } = invitation;
        // The same person again, still a member: the answer got lost.
        const repeated = invitation.acceptedBy === id && (await isMember(tx, workspaceId, id));
        if (!repeated) {
          if (invitationState(invitation, now) !== "pending") throw new AppError(Reason.LINK_INVALID);
          await join(write, rules, account, invitation);
          events.memberAdded(workspaceId, id);
        }
        const binding = await findBinding(tx, workspaceId, { kind: holderKinds.person, id });
        return { workspace: await findWorkspace(tx, workspaceId), roleId: binding?.roleId ?? "" };
      });
      if (workspace === undefined) throw new AppError(Reason.LINK_INVALID);
      return { workspace: toWorkspace(workspace, roleId) };
    },
  };
}
