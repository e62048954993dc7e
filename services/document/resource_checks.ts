// Whether a subject may do something to a task, comment, subscription or operation: the authorizer's answers for what
// hangs on documents or stands in a workspace by itself.
import { Permission, ResourceKind } from "@docket/contracts/gen/docket/policy/v1/policy_pb.ts";
import { allowed, type Decision, denied, hidden } from "@docket/runtime/access";
import type { Subject } from "@docket/runtime/call";
import type { Membership, MembershipCache } from "@docket/runtime/membership";
import { type DocumentAuthorizer, decisionOf, type ResourceCheck } from "./authorizer.ts";
import { assigneesOf, levelFor, levelOnTask } from "./domain/access.ts";
import { readComment } from "./store/comments.ts";
import type { DocumentDatabase } from "./store/entities.ts";
import { readOperation } from "./store/operations.ts";
import { readSubscription } from "./store/subscriptions.ts";
import { readTask } from "./store/tasks.ts";

/** What the checks are made from. */
export interface CheckOptions {
  readonly db: DocumentDatabase;
  readonly membership: MembershipCache;
}

/** The checks by kind, for createAuthorizer. */
export function resourceChecks({ db, membership }: CheckOptions) {
  return (authorizer: DocumentAuthorizer): ReadonlyMap<ResourceKind, ResourceCheck> => {
    const task: ResourceCheck = async (subject, scope, call) => {
      const row = await readTask(db.query, scope.id);
      if (row === undefined) return hidden;
      const needed = levelFor(scope.permission);
      if (row.document_id === "") {
        const standing = await membership.of(subject, row.workspace_id, call);
        const level = levelOnTask(subject, standing, row.assignee);
        return level === 0 ? hidden : needed !== undefined && level >= needed ? allowed : denied;
      }
      const standpoint = await authorizer.documentFor(subject, row.document_id, call);
      const decision = decisionOf(standpoint, scope.permission);
      if (standpoint === undefined || decision.allowed || !decision.visible) return decision;
      const theirs = assigneesOf(subject, standpoint.standing).includes(row.assignee);
      return theirs && scope.permission === Permission.DOCUMENT_COMMENT ? allowed : decision;
    };

    const comment: ResourceCheck = async (subject, scope, call) => {
      const row = await readComment(db.query, scope.id);
      if (row === undefined) return hidden;
      const [kind, id = ""] = row.subject.split(":");
      if (kind === "task") return task(subject, { ...scope, kind: ResourceKind.TASK, id }, call);
      return authorizer.check(subject, { ...scope, kind: ResourceKind.DOCUMENT, id }, call);
    };

    const subscription: ResourceCheck = async (subject, scope, call) => {
      const row = await readSubscription(db.query, scope.id);
      if (row === undefined) return hidden;
      const standing = await membership.of(subject, row.workspace_id, call);
      if (!madeOrManages(subject, standing, row.created_by)) return hidden;
      return standing.permissions.has(scope.permission) ? allowed : denied;
    };

    const operation: ResourceCheck = async (subject, scope, call): Promise<Decision> => {
      const row = await readOperation(db.query, scope.id);
      if (row === undefined) return hidden;
      const standing = await membership.of(subject, row.workspace_id, call);
      return madeOrManages(subject, standing, row.created_by) ? allowed : hidden;
    };

    return new Map([
      [ResourceKind.TASK, task],
      [ResourceKind.COMMENT, comment],
      [ResourceKind.SUBSCRIPTION, subscription],
      [ResourceKind.OPERATION, operation],
    ]);
  };
}

/** What somebody began alone is theirs, and the workspace's owners' and admins'. */
export function madeOrManages(subject: Subject, standing: Membership, createdBy: string): boolean {
  if (!standing.member) return false;
  return createdBy === `${subject.kind}:${subject.id}` || standing.permissions.has(Permission.WORKSPACE_MANAGE);
}
