/** The tables of the user service. Tables of a workspace's things lead their keys with the workspace. */

import { runtimeEntities } from "@docket/runtime/db/entities";
import {
  bytesColumn,
  countColumn,
  defineEntity,
  flagColumn,
  idColumn,
  jsonColumn,
  p,
  timeColumn,
} from "@docket/runtime/db/schema";
import type { InferKyselyDB } from "@mikro-orm/sql";

const nameColumn = () => p.string().length(255);
const hashColumn = () => p.string().length(64);

/** One row, whose lock serialises what concerns the instance as a whole: the first account, the last administrator. */
const InstanceEntity = defineEntity({
  name: "Instance",
  tableName: "instance",
  properties: { id: p.integer().primary(), writes: countColumn() },
});

const AccountEntity = defineEntity({
  name: "Account",
  tableName: "account",
  properties: {
    id: idColumn().primary(),
    email: p.string().length(254),
    displayName: nameColumn(),
    /** The display name folded, for order. */
    nameKey: nameColumn(),
    locale: p.string().length(35),
    timeZone: p.string().length(64),
    passwordHash: p.string().length(255),
    administrator: flagColumn(),
    createdAt: timeColumn(),
    disabledAt: timeColumn().nullable(),
    resetRequestedAt: timeColumn().nullable(),
    version: countColumn(),
  },
  uniques: [{ name: "account_email", properties: ["email"] }],
  indexes: [{ name: "account_name", properties: ["nameKey", "id"] }],
});

const SessionEntity = defineEntity({
  name: "Session",
  tableName: "session",
  properties: {
    id: idColumn().primary(),
    userId: idColumn(),
    secretHash: hashColumn(),
    clientName: nameColumn(),
    clientAddress: p.string().length(64),
    createdAt: timeColumn(),
    lastUsedAt: timeColumn(),
    expiresAt: timeColumn(),
  },
  uniques: [{ name: "session_secret", properties: ["secretHash"] }],
  indexes: [
    { name: "session_user", properties: ["userId", "id"] },
    { name: "session_expires", properties: ["expiresAt"] },
  ],
});

/** A sign-up that waits for the mailed link to be opened. */
const PendingSignUpEntity = defineEntity({
  name: "PendingSignUp",
  tableName: "pending_sign_up",
  properties: {
    id: idColumn().primary(),
    email: p.string().length(254),
    secretHash: hashColumn(),
    displayName: nameColumn(),
    locale: p.string().length(35),
    timeZone: p.string().length(64),
    passwordHash: p.string().length(255),
    /** Of the invitation that is accepted with it. */
    invitationHash: hashColumn().nullable(),
    createdAt: timeColumn(),
    expiresAt: timeColumn(),
  },
  uniques: [
    { name: "pending_sign_up_email", properties: ["email"] },
    { name: "pending_sign_up_secret", properties: ["secretHash"] },
  ],
  indexes: [{ name: "pending_sign_up_expires", properties: ["expiresAt"] }],
});

const PasswordResetEntity = defineEntity({
  name: "PasswordReset",
  tableName: "password_reset",
  properties: {
    id: idColumn().primary(),
    userId: idColumn(),
    secretHash: hashColumn(),
    createdAt: timeColumn(),
    expiresAt: timeColumn(),
  },
  uniques: [
    { name: "password_reset_secret", properties: ["secretHash"] },
    { name: "password_reset_user", properties: ["userId"] },
  ],
});

/** How often something was tried of late, by the hash of what is slowed. */
const ThrottleEntity = defineEntity({
  name: "Throttle",
  tableName: "throttle",
  properties: {
    bucket: hashColumn().primary(),
    failures: p.integer(),
    lastAt: timeColumn(),
    blockedUntil: timeColumn(),
  },
  indexes: [{ name: "throttle_last", properties: ["lastAt"] }],
});

/** Where an account has been signed in to successfully. */
const KnownSourceEntity = defineEntity({
  name: "KnownSource",
  tableName: "known_source",
  properties: { userId: idColumn().primary(), sourceHash: hashColumn().primary(), lastAt: timeColumn() },
  indexes: [{ name: "known_source_last", properties: ["lastAt"] }],
});

const WorkspaceEntity = defineEntity({
  name: "Workspace",
  tableName: "workspace",
  properties: {
    id: idColumn().primary(),
    name: nameColumn(),
    timeZone: p.string().length(64),
    quotaBytes: countColumn(),
    maxFileBytes: countColumn(),
    createdBy: idColumn(),
    createdAt: timeColumn(),
    deletedAt: timeColumn().nullable(),
    /** Grows with whatever bears on access in the workspace; writing it takes the workspace's lock. */
    epoch: countColumn(),
    version: countColumn(),
  },
  indexes: [{ name: "workspace_created_by", properties: ["createdBy"] }],
});

const MemberEntity = defineEntity({
  name: "Member",
  tableName: "member",
  properties: {
    workspaceId: idColumn().primary(),
    userId: idColumn().primary(),
    /** The account's name key again, so that members are listed in order by an index. */
    nameKey: nameColumn(),
    joinedAt: timeColumn(),
    version: countColumn(),
  },
  indexes: [
    { name: "member_user", properties: ["userId", "workspaceId"] },
    { name: "member_name", properties: ["workspaceId", "nameKey", "userId"] },
  ],
});

/** Who and what was of a workspace, with the name of then: what they made there stays. */
const FormerPrincipalEntity = defineEntity({
  name: "FormerPrincipal",
  tableName: "former_principal",
  properties: {
    workspaceId: idColumn().primary(),
    principalId: idColumn().primary(),
    kind: p.integer(),
    name: nameColumn(),
  },
});

/** Built-in roles have an empty workspace. */
const RoleEntity = defineEntity({
  name: "Role",
  tableName: "role",
  properties: {
    workspaceId: idColumn().primary(),
    id: idColumn().primary(),
    name: nameColumn(),
    nameKey: nameColumn(),
    description: p.string().length(1000),
    /** A JSON list of permission numbers. */
    permissions: jsonColumn(),
    builtIn: p.integer(),
    createdAt: timeColumn(),
    version: countColumn(),
  },
  uniques: [{ name: "role_name", properties: ["workspaceId", "nameKey"] }],
});

/** At most one role for each holder: persons (1), groups (2) and applications (3). */
const RoleBindingEntity = defineEntity({
  name: "RoleBinding",
  tableName: "role_binding",
  properties: {
    workspaceId: idColumn().primary(),
    kind: p.integer().primary(),
    principalId: idColumn().primary(),
    roleId: idColumn(),
    createdAt: timeColumn(),
  },
  indexes: [{ name: "role_binding_role", properties: ["workspaceId", "roleId"] }],
});

const GroupEntity = defineEntity({
  name: "UserGroup",
  tableName: "user_group",
  properties: {
    workspaceId: idColumn().primary(),
    id: idColumn().primary(),
    name: nameColumn(),
    nameKey: nameColumn(),
    description: p.string().length(1000),
    createdAt: timeColumn(),
    version: countColumn(),
  },
  uniques: [{ name: "user_group_name", properties: ["workspaceId", "nameKey"] }],
});

const GroupMemberEntity = defineEntity({
  name: "GroupMember",
  tableName: "group_member",
  properties: {
    workspaceId: idColumn().primary(),
    groupId: idColumn().primary(),
    kind: p.integer().primary(),
    principalId: idColumn().primary(),
    addedAt: timeColumn(),
  },
  indexes: [{ name: "group_member_principal", properties: ["workspaceId", "kind", "principalId"] }],
});

const InvitationEntity = defineEntity({
  name: "Invitation",
  tableName: "invitation",
  properties: {
    workspaceId: idColumn().primary(),
    id: idColumn().primary(),
    email: p.string().length(254),
    roleId: idColumn(),
    secretHash: hashColumn(),
    createdBy: idColumn(),
    createdAt: timeColumn(),
    expiresAt: timeColumn(),
    acceptedBy: idColumn().nullable(),
    acceptedAt: timeColumn().nullable(),
    revokedAt: timeColumn().nullable(),
  },
  uniques: [{ name: "invitation_secret", properties: ["secretHash"] }],
});

const ApplicationEntity = defineEntity({
  name: "Application",
  tableName: "application",
  properties: {
    workspaceId: idColumn().primary(),
    id: idColumn().primary(),
    name: nameColumn(),
    nameKey: nameColumn(),
    description: p.string().length(1000),
    createdBy: idColumn(),
    ownerId: idColumn(),
    createdAt: timeColumn(),
    version: countColumn(),
  },
  uniques: [{ name: "application_name", properties: ["workspaceId", "nameKey"] }],
  indexes: [{ name: "application_owner", properties: ["ownerId"] }],
});

const ApiKeyEntity = defineEntity({
  name: "ApiKey",
  tableName: "api_key",
  properties: {
    id: idColumn().primary(),
    workspaceId: idColumn(),
    applicationId: idColumn(),
    name: nameColumn(),
    /** A JSON list of permission numbers. */
    scopes: jsonColumn(),
    createdAt: timeColumn(),
    expiresAt: timeColumn().nullable(),
    lastUsedAt: timeColumn().nullable(),
    revokedAt: timeColumn().nullable(),
  },
  indexes: [{ name: "api_key_application", properties: ["workspaceId", "applicationId", "id"] }],
});

const ApiKeySecretEntity = defineEntity({
  name: "ApiKeySecret",
  tableName: "api_key_secret",
  properties: {
    keyId: idColumn().primary(),
    id: idColumn().primary(),
    secretHash: hashColumn(),
    ending: p.string().length(4),
    createdAt: timeColumn(),
  },
});

const SigningKeyEntity = defineEntity({
  name: "SigningKey",
  tableName: "signing_key",
  properties: {
    id: idColumn().primary(),
    publicX: p.string().length(64),
    privateEncrypted: bytesColumn(),
    createdAt: timeColumn(),
    signsFrom: timeColumn(),
    /** Null while no successor is known. */
    verifiesUntil: timeColumn().nullable(),
  },
});

export const entities = [
  ...runtimeEntities,
  InstanceEntity,
  AccountEntity,
  SessionEntity,
  PendingSignUpEntity,
  PasswordResetEntity,
  ThrottleEntity,
  KnownSourceEntity,
  WorkspaceEntity,
  MemberEntity,
  FormerPrincipalEntity,
  RoleEntity,
  RoleBindingEntity,
  GroupEntity,
  GroupMemberEntity,
  InvitationEntity,
  ApplicationEntity,
  ApiKeyEntity,
  ApiKeySecretEntity,
  SigningKeyEntity,
] as const;

/** The tables as Kysely knows them. */
export type Tables = InferKyselyDB<(typeof entities)[number]>;
