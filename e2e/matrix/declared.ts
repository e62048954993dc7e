// What the contract says of one cell: callers, access arm, principals and key scopes from the policy, and from the tables of
// subjects.ts who holds a permission on what the request names. Nothing here is taken from a service's code.

import type { Message } from "@bufbuild/protobuf";
import { GrantLevel } from "@docket/contracts/gen/docket/document/v1/grant_pb.ts";
import { Reason } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import {
  Permission,
  Principal,
  ResourceKind,
  type Workload,
} from "@docket/contracts/gen/docket/policy/v1/policy_pb.ts";
import { scopesOf, workloadOf } from "@docket/contracts/policy";
import type { Rpc } from "@docket/contracts/registry";
import { type Actor, levelNeeded, levelOf, roleGives, roleOf, type SubjectName } from "./subjects.ts";

/**
 * What a thing that is neither the workspace nor in the folder is to the subject: its own, somebody else's, a colleague's
 * account, or a task that stands alone.
 */
export type Relation = "own" | "foreign" | "colleague" | "alone" | "alone, assigned" | "assigned";

/** What is declared of a cell. */
export type Declared = { readonly allowed: true } | { readonly allowed: false; readonly reason: Reason };

const allowed: Declared = { allowed: true };
const refused = (reason: Reason): Declared => ({ allowed: false, reason });
const hidden = refused(Reason.NOT_FOUND);
const denied = refused(Reason.PERMISSION_DENIED);

/** What is declared of a call by a workload on behalf of a subject. */
export function declaredOf(
  rpc: Rpc,
  workload: Workload,
  subject: Actor,
  request: Message | undefined,
  relation: Relation | undefined,
): Declared {
  const { method, policy } = rpc;
  if (!policy.callers.includes(workload)) {
    return refused(workload === workloadOf(rpc.service) ? Reason.CALLER_UNKNOWN : Reason.CALLER_DENIED);
  }
  const { access, principals } = policy;
  if (access.case === "system" || access.case === "anonymous") return allowed;
  if (subject.kind === "nobody") return refused(Reason.SESSION_REQUIRED);
  const isKey = subject.kind === "key";
  if (isKey ? principals === Principal.PERSON : principals === Principal.KEY) return refused(Reason.PRINCIPAL_DENIED);
  if (access.case === "filtered" || access.case === "authenticated") {
    const { keyScope } = access.value;
    if (!isKey) return allowed;
    if (keyScope === Permission.UNSPECIFIED) return refused(Reason.PRINCIPAL_DENIED);
    return subject.scopes.includes(keyScope) ? allowed : refused(Reason.KEY_SCOPE_MISSING);
  }
  const own = access.case === "permission" ? access.value : Permission.UNSPECIFIED;
  for (const scope of scopesOf(method)) {
    const permission = scope.permission ?? own;
    if (isKey && !subject.scopes.includes(permission)) return refused(Reason.KEY_SCOPE_MISSING);
    if (request === undefined || scope.read(request).length === 0) continue;
    const decision = holds(subject.name, scope.kind, permission, relation);
    if (!decision.allowed) return decision;
  }
  return allowed;
}

/** Whether a subject holds a permission on a thing of the world; if not, how it is refused. */
export function holds(
  subject: SubjectName,
  kind: ResourceKind,
  permission: Permission,
  relation: Relation | undefined,
): Declared {
  const belongs = roleOf[subject] !== undefined;
  const manages = roleGives(subject, Permission.WORKSPACE_MANAGE);
  const needed = levelNeeded.get(permission);
  switch (kind) {
    case ResourceKind.WORKSPACE:
      if (!belongs) return hidden;
      if (needed !== undefined) return levelOf(subject, "root") >= needed ? allowed : denied;
      return roleGives(subject, permission) ? allowed : denied;
    case ResourceKind.TASK:
      if (relation === "alone" || relation === "alone, assigned") {
        return byLevel(levelOnTask(subject, relation), needed);
      }
      if (relation === "assigned" && permission === Permission.DOCUMENT_COMMENT) {
        return byLevel(levelOf(subject, "folder"), GrantLevel.VIEWER);
      }
      return byLevel(levelOf(subject, "folder"), needed);
    case ResourceKind.FOLDER:
    case ResourceKind.DOCUMENT:
    case ResourceKind.COMMENT:
      return byLevel(levelOf(subject, "folder"), needed);
    case ResourceKind.UPLOAD:
      // "Belongs to the subject that made it: to everybody else it is NOT_FOUND."
      return relation === "own" ? allowed : hidden;
    case ResourceKind.BLOB_TICKET:
      return relation === "own" ? allowed : refused(Reason.TICKET_INVALID);
    case ResourceKind.SUBSCRIPTION:
      // "May be read and removed by its maker and by owners and admins."
      return belongs && (relation === "own" || manages) ? allowed : hidden;
    case ResourceKind.WEBHOOK:
      // "Make webhooks and see what they deliver": to others they are not there.
      return roleGives(subject, permission) ? allowed : hidden;
    case ResourceKind.OPERATION:
      // "May be seen by who began it and by owners and admins of the workspace."
      return belongs && (relation === "own" || manages) ? allowed : hidden;
    case ResourceKind.SESSION:
      return relation === "own" ? allowed : hidden;
    case ResourceKind.USER:
      return onAccount(subject, permission, relation);
    default:
      return hidden;
  }
}

function byLevel(level: GrantLevel, needed: GrantLevel | undefined): Declared {
  if (level === GrantLevel.UNSPECIFIED) return hidden;
  return needed !== undefined && level >= needed ? allowed : denied;
}

/** As TaskService says it of tasks that stand alone. */
function levelOnTask(subject: SubjectName, relation: "alone" | "alone, assigned"): GrantLevel {
  if (roleGives(subject, Permission.WORKSPACE_MANAGE)) return GrantLevel.OWNER;
  if (roleGives(subject, Permission.TASK_CREATE)) return GrantLevel.EDITOR;
  return relation === "alone, assigned" && roleOf[subject] !== undefined
    ? GrantLevel.COMMENTER
    : GrantLevel.UNSPECIFIED;
}

/** As Permission says it of accounts: one's own, those one shares a workspace with, all for an administrator. */
function onAccount(subject: SubjectName, permission: Permission, relation: Relation | undefined): Declared {
  const administers = subject === "administrator";
  const sees = relation === "own" || administers || (relation === "colleague" && roleOf[subject] !== undefined);
  if (!sees) return hidden;
  if (permission === Permission.USER_VIEW) return allowed;
  if (permission === Permission.USER_EDIT) return relation === "own" ? allowed : denied;
  return administers ? allowed : denied;
}
