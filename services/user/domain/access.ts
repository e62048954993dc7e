import { Permission } from "@docket/contracts/gen/docket/policy/v1/policy_pb.ts";

/** Why somebody may or may not; `hidden` is told as "there is none". */
export type Verdict = "allowed" | "denied" | "hidden";

/** What somebody is in a workspace. */
export interface Standing {
  readonly member: boolean;
  readonly permissions: ReadonlySet<Permission>;
}

/** Whoever is in a workspace may know that it exists; the rest follows from the roles. */
export function decideWorkspace(standing: Standing, permission: Permission): Verdict {
  if (!standing.member || !standing.permissions.has(Permission.WORKSPACE_VIEW)) return "hidden";
  return standing.permissions.has(permission) ? "allowed" : "denied";
}

/** What somebody has to do with an account. */
export interface Relation {
  readonly exists: boolean;
  /** It is the caller's own. */
  readonly own: boolean;
  readonly sharesWorkspace: boolean;
  /** The caller administers the instance. */
  readonly administrator: boolean;
}

export function decideAccount(relation: Relation, permission: Permission): Verdict {
  const { exists, own, sharesWorkspace, administrator } = relation;
  if (!exists || !(own || sharesWorkspace || administrator)) return "hidden";
  if (permission === Permission.USER_VIEW) return "allowed";
  if (permission === Permission.USER_EDIT) return own ? "allowed" : "denied";
  if (permission === Permission.INSTANCE_MANAGE) return administrator ? "allowed" : "denied";
  return "denied";
}

/** Sessions are their owner's alone. */
export function decideSession(ownerId: string | undefined, callerId: string, permission: Permission): Verdict {
  if (ownerId === undefined || ownerId !== callerId) return "hidden";
  return permission === Permission.USER_EDIT || permission === Permission.USER_VIEW ? "allowed" : "denied";
}
