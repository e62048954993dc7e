import type { Permission } from "@docket/contracts/gen/docket/policy/v1/policy_pb.ts";

/** A person's account. */
export interface Account {
  readonly id: string;
  readonly email: string;
  readonly displayName: string;
  readonly locale: string;
  readonly timeZone: string;
  readonly passwordHash: string;
  readonly administrator: boolean;
  readonly createdAt: Date;
  readonly disabledAt: Date | undefined;
  readonly resetRequestedAt: Date | undefined;
  readonly version: number;
}

export interface Session {
  readonly id: string;
  readonly userId: string;
  readonly clientName: string;
  readonly clientAddress: string;
  readonly createdAt: Date;
  readonly lastUsedAt: Date;
  /** The latest end; it ends earlier when it is not used. */
  readonly expiresAt: Date;
}

export interface Workspace {
  readonly id: string;
  readonly name: string;
  readonly timeZone: string;
  readonly quotaBytes: number;
  readonly maxFileBytes: number;
  readonly createdBy: string;
  readonly createdAt: Date;
  readonly deletedAt: Date | undefined;
  readonly epoch: number;
  readonly version: number;
}

export interface Member {
  readonly account: Account;
  readonly roleId: string;
  readonly joinedAt: Date;
  readonly version: number;
}

export interface Role {
  readonly id: string;
  /** Empty for built-in roles. */
  readonly workspaceId: string;
  readonly name: string;
  readonly description: string;
  readonly permissions: readonly Permission[];
  /** A number of BuiltInRole, 0 for custom roles. */
  readonly builtIn: number;
  readonly createdAt: Date;
  readonly version: number;
}

/** The kinds of holders of roles and members of groups, as the contract numbers them. */
export const holderKinds = { person: 1, group: 2, application: 3 } as const;
export type HolderKind = (typeof holderKinds)[keyof typeof holderKinds];

export interface Holder {
  readonly kind: HolderKind;
  readonly id: string;
}

export interface RoleBinding extends Holder {
  readonly roleId: string;
  readonly createdAt: Date;
}

export interface Group {
  readonly id: string;
  readonly workspaceId: string;
  readonly name: string;
  readonly description: string;
  readonly createdAt: Date;
  readonly version: number;
}

export interface GroupMember extends Holder {
  readonly addedAt: Date;
}

export interface Invitation {
  readonly id: string;
  readonly workspaceId: string;
  /** Empty: for whoever gets the link. */
  readonly email: string;
  readonly roleId: string;
  readonly createdBy: string;
  readonly createdAt: Date;
  readonly expiresAt: Date;
  readonly acceptedBy: string | undefined;
  readonly revokedAt: Date | undefined;
}

/** What has become of an invitation. What was accepted or revoked stays so when it is old. */
export function invitationState(invitation: Invitation, now: Date): "pending" | "accepted" | "revoked" | "expired" {
  if (invitation.acceptedBy !== undefined) return "accepted";
  if (invitation.revokedAt !== undefined) return "revoked";
  return invitation.expiresAt <= now ? "expired" : "pending";
}

export interface Application {
  readonly id: string;
  readonly workspaceId: string;
  readonly name: string;
  readonly description: string;
  readonly createdBy: string;
  readonly ownerId: string;
  readonly createdAt: Date;
  readonly version: number;
}

export interface ApiKey {
  readonly id: string;
  readonly applicationId: string;
  readonly workspaceId: string;
  readonly name: string;
  readonly scopes: readonly Permission[];
  readonly createdAt: Date;
  readonly expiresAt: Date | undefined;
  readonly lastUsedAt: Date | undefined;
  readonly revokedAt: Date | undefined;
}

export interface ApiKeySecret {
  readonly id: string;
  readonly ending: string;
  readonly createdAt: Date;
}

/** A sign-up that waits for its mailed link. */
export interface PendingSignUp {
  readonly id: string;
  readonly email: string;
  readonly displayName: string;
  readonly locale: string;
  readonly timeZone: string;
  readonly passwordHash: string;
  /** The hash of the secret of the invitation that is accepted with it. */
  readonly invitationHash: string | undefined;
  readonly expiresAt: Date;
}
