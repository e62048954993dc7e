/** Domain types as messages of the contract. */
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { ApiKeySchema } from "@docket/contracts/gen/docket/user/v1/api_key_pb.ts";
import { ApplicationSchema } from "@docket/contracts/gen/docket/user/v1/application_pb.ts";
import { GroupSchema } from "@docket/contracts/gen/docket/user/v1/group_pb.ts";
import { InvitationSchema, InvitationState } from "@docket/contracts/gen/docket/user/v1/invitation_pb.ts";
import { MemberSchema } from "@docket/contracts/gen/docket/user/v1/member_pb.ts";
import {
  type PrincipalKind,
  type PrincipalRef,
  PrincipalRefSchema,
} from "@docket/contracts/gen/docket/user/v1/principal_pb.ts";
import { type BuiltInRole, RoleSchema } from "@docket/contracts/gen/docket/user/v1/role_pb.ts";
import { SessionSchema } from "@docket/contracts/gen/docket/user/v1/session_pb.ts";
import { UserSchema, UserState } from "@docket/contracts/gen/docket/user/v1/user_pb.ts";
import { WorkspaceSchema } from "@docket/contracts/gen/docket/user/v1/workspace_pb.ts";
import * as model from "../domain/model.ts";

function optionalTime(date: Date | undefined) {
  return date && timestampFromDate(date);
}

/** `asAdministrator`: whether the reader administers the instance. */
export function toUser(account: model.Account, { asAdministrator = false } = {}) {
  return create(UserSchema, {
    id: account.id,
    email: account.email,
    displayName: account.displayName,
    locale: account.locale,
    timeZone: account.timeZone,
    state: account.disabledAt === undefined ? UserState.ACTIVE : UserState.DISABLED,
    administrator: account.administrator,
    createTime: timestampFromDate(account.createdAt),
    disableTime: optionalTime(account.disabledAt),
    resetRequestTime: asAdministrator ? optionalTime(account.resetRequestedAt) : undefined,
    etag: String(account.version),
  });
}

export function toSession(session: model.Session, currentId: string | undefined) {
  return create(SessionSchema, {
    id: session.id,
    userId: session.userId,
    clientName: session.clientName,
    clientAddress: session.clientAddress,
    createTime: timestampFromDate(session.createdAt),
    lastUseTime: timestampFromDate(session.lastUsedAt),
    expireTime: timestampFromDate(session.expiresAt),
    current: session.id === currentId,
  });
}

export function toWorkspace(workspace: model.Workspace, ownRoleId: string) {
  return create(WorkspaceSchema, {
    id: workspace.id,
    name: workspace.name,
    timeZone: workspace.timeZone,
    quotaBytes: BigInt(workspace.quotaBytes),
    maxFileBytes: BigInt(workspace.maxFileBytes),
    createTime: timestampFromDate(workspace.createdAt),
    createdBy: workspace.createdBy,
    etag: String(workspace.version),
    ownRoleId,
  });
}

export function toMember(member: model.Member) {
  return create(MemberSchema, {
    user: toUser(member.account),
    roleId: member.roleId,
    joinTime: timestampFromDate(member.joinedAt),
    etag: String(member.version),
  });
}

const invitationStates = {
  pending: InvitationState.PENDING,
  accepted: InvitationState.ACCEPTED,
  revoked: InvitationState.REVOKED,
  expired: InvitationState.EXPIRED,
} as const;

export function toInvitation(invitation: model.Invitation, now: Date) {
  return create(InvitationSchema, {
    id: invitation.id,
    workspaceId: invitation.workspaceId,
    email: invitation.email,
    roleId: invitation.roleId,
    state: invitationStates[model.invitationState(invitation, now)],
    createdBy: invitation.createdBy,
    createTime: timestampFromDate(invitation.createdAt),
    expireTime: timestampFromDate(invitation.expiresAt),
    acceptedBy: invitation.acceptedBy ?? "",
  });
}

export function toRole(role: model.Role) {
  return create(RoleSchema, {
    id: role.id,
    workspaceId: role.workspaceId,
    name: role.name,
    description: role.description,
    permissions: [...role.permissions],
    builtIn: role.builtIn as BuiltInRole,
    createTime: timestampFromDate(role.createdAt),
    etag: String(role.version),
  });
}

export function toGroup(group: model.Group) {
  return create(GroupSchema, {
    id: group.id,
    workspaceId: group.workspaceId,
    name: group.name,
    description: group.description,
    createTime: timestampFromDate(group.createdAt),
    etag: String(group.version),
  });
}

export function toApplication(application: model.Application) {
  return create(ApplicationSchema, {
    id: application.id,
    workspaceId: application.workspaceId,
    name: application.name,
    description: application.description,
    createdBy: application.createdBy,
    ownerId: application.ownerId,
    createTime: timestampFromDate(application.createdAt),
    etag: String(application.version),
  });
}

export function toApiKey(key: model.ApiKey, secrets: readonly model.ApiKeySecret[]) {
  return create(ApiKeySchema, {
    id: key.id,
    applicationId: key.applicationId,
    workspaceId: key.workspaceId,
    name: key.name,
    scopes: [...key.scopes],
    createTime: timestampFromDate(key.createdAt),
    expireTime: optionalTime(key.expiresAt),
    lastUseTime: optionalTime(key.lastUsedAt),
    revokeTime: optionalTime(key.revokedAt),
    secrets: secrets.map(({ id, ending, createdAt }) => ({ id, ending, createTime: timestampFromDate(createdAt) })),
  });
}

export function toPrincipal({ kind, id }: model.Holder) {
  return create(PrincipalRefSchema, { kind: kind as number as PrincipalKind, id });
}

/** The rules of the contract have seen to it that the kind is one of the three. */
export function holderOf(
  principal: PrincipalRef | MessageInitShape<typeof PrincipalRefSchema> | undefined,
): model.Holder {
  return { kind: (principal?.kind ?? 0) as number as model.HolderKind, id: principal?.id ?? "" };
}
