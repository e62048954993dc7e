// How the chain asks a service whether a subject may do something to a resource. Which permission is needed is in
// the contract; who has it is each service's domain/access.ts.

import type { Permission, ResourceKind } from "@docket/contracts/gen/docket/policy/v1/policy_pb.ts";
import type { Call, Subject } from "./call.ts";

/** Allowed, or not; and if not, whether the subject may know that the resource exists. */
export type Decision = { readonly allowed: true } | { readonly allowed: false; readonly visible: boolean };

/** One field of a request that names a resource, with the permission needed on it. */
export interface ScopeCheck {
  readonly kind: ResourceKind;
  readonly id: string;
  readonly permission: Permission;
  /** The path of the field in the request. */
  readonly field: string;
}

/** A service's answer to "may this subject?". Unknown resources are not allowed and not visible. */
export interface Authorizer {
  check(subject: Subject, scope: ScopeCheck, call: Call): Promise<Decision>;
}

export const allowed: Decision = { allowed: true };
/** Refused as NOT_FOUND. */
export const hidden: Decision = { allowed: false, visible: false };
/** Refused as PERMISSION_DENIED. */
export const denied: Decision = { allowed: false, visible: true };
