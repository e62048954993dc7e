// Whether a subject may do something to a folder, a document or in a workspace: reads what domain/access.ts decides
// from. Other kinds of resources are answered by their own checks, given at composition.
import { Permission, PermissionSchema, ResourceKind } from "@docket/contracts/gen/docket/policy/v1/policy_pb.ts";
import { Reason } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import { enumName, resourceName } from "@docket/contracts/policy";
import { allowed, type Authorizer, type Decision, denied, hidden, type ScopeCheck } from "@docket/runtime/access";
import { type Call, callOf, type Subject, subjectOf } from "@docket/runtime/call";
import { AppError, notFound } from "@docket/runtime/errors";
import type { Member, Membership, MembershipCache } from "@docket/runtime/membership";
import type { HandlerContext } from "@connectrpc/connect";
import { type Access, accessOf, type GrantFact, levelFor, type Place, principalsOf, root } from "./domain/access.ts";
import type { DocumentDatabase } from "./store/entities.ts";
import { grantsReaching, locateDocument, locateFolder } from "./store/places.ts";

/** What a folder or document is to somebody. */
export interface Standpoint {
  readonly workspaceId: string;
  readonly place: Place;
  readonly standing: Membership;
  readonly principals: readonly string[];
  /** The grants that reach the place. */
  readonly grants: readonly GrantFact[];
  readonly access: Access;
}

/** Answers for one kind of resource. */
export type ResourceCheck = (subject: Subject, scope: ScopeCheck, call: Call) => Promise<Decision>;

/** The service's answers about access. */
export interface DocumentAuthorizer extends Authorizer {
  /** What the root of a workspace is to somebody. */
  rootFor(subject: Member, workspaceId: string, call: Call): Promise<Standpoint>;
  /** What a folder is to somebody; undefined when there is none. */
  folderFor(subject: Member, folderId: string, call: Call): Promise<Standpoint | undefined>;
  /** What a document is to somebody; undefined when there is none. */
  documentFor(subject: Member, documentId: string, call: Call): Promise<Standpoint | undefined>;
  /**
   * For what a scope in the contract cannot say, such as the folder of a filtered list. Throws NOT_FOUND or
   * PERMISSION_DENIED.
   */
  require(context: HandlerContext, kind: ResourceKind, id: string, permission: Permission): Promise<void>;
}

/** What the authorizer is made from. */
export interface AuthorizerOptions {
  readonly db: DocumentDatabase;
  readonly membership: MembershipCache;
  /** The checks of tasks, comments, subscriptions and operations. */
  readonly others?: (authorizer: DocumentAuthorizer) => ReadonlyMap<ResourceKind, ResourceCheck>;
}

export function createAuthorizer({ db, membership, others }: AuthorizerOptions): DocumentAuthorizer {
  const standpoint = async (subject: Member, workspaceId: string, place: Place, call: Call): Promise<Standpoint> => {
    const standing = await membership.of(subject, workspaceId, call);
    const principals = principalsOf(subject, standing);
    const above = [...(place.documentId === undefined ? [] : [place.documentId]), ...place.folderIds, root];
    const grants = await grantsReaching(db.query, workspaceId, above, principals);
    return { workspaceId, place, standing, principals, grants, access: accessOf(subject, standing, place, grants) };
  };

  const authorizer: DocumentAuthorizer = {
    rootFor: (subject, workspaceId, call) =>
      once(call, `${subject.id} root ${workspaceId}`, () => standpoint(subject, workspaceId, { folderIds: [] }, call)),

    folderFor: (subject, folderId, call) =>
      once(call, `${subject.id} folder ${folderId}`, async () => {
        const located = await locateFolder(db.query, folderId);
        return located && standpoint(subject, located.workspaceId, { folderIds: located.folderIds }, call);
      }),

    documentFor: (subject, documentId, call) =>
      once(call, `${subject.id} document ${documentId}`, async () => {
        const located = await locateDocument(db.query, documentId);
        if (located === undefined) return undefined;
        return standpoint(subject, located.workspaceId, { documentId, folderIds: located.folderIds }, call);
      }),

    async check(subject, scope, call) {
      switch (scope.kind) {
        case ResourceKind.WORKSPACE:
          return inWorkspace(await authorizer.rootFor(subject, scope.id, call), scope.permission);
        case ResourceKind.FOLDER:
          return decisionOf(await authorizer.folderFor(subject, scope.id, call), scope.permission);
        case ResourceKind.DOCUMENT:
          return decisionOf(await authorizer.documentFor(subject, scope.id, call), scope.permission);
        default:
          return (await checks.get(scope.kind)?.(subject, scope, call)) ?? hidden;
      }
    },

    async require(context, kind, id, permission) {
      const decision = await authorizer.check(subjectOf(context), { kind, id, permission, field: "" }, callOf(context));
      if (decision.allowed) return;
      if (!decision.visible) throw notFound(resourceName(kind), id);
      throw new AppError(Reason.PERMISSION_DENIED, {
        metadata: { permission: enumName(PermissionSchema, permission) },
      });
    },
  };
  const checks = others?.(authorizer) ?? new Map<ResourceKind, ResourceCheck>();
  return authorizer;
}

const answers = new WeakMap<Call, Map<string, Promise<unknown>>>();

/**
 * The chain and the handler of a unary call ask the same: it is answered once. A stream lives long, and asks anew each
 * time.
 */
function once<Answer>(call: Call, key: string, ask: () => Promise<Answer>): Promise<Answer> {
  if (call.method.methodKind !== "unary") return ask();
  const known = answers.get(call) ?? new Map<string, Promise<unknown>>();
  answers.set(call, known);
  const answer = (known.get(key) as Promise<Answer> | undefined) ?? ask();
  known.set(key, answer);
  return answer;
}

/** The decision about a folder or document. */
export function decisionOf(standpoint: Standpoint | undefined, permission: Permission): Decision {
  if (standpoint === undefined || standpoint.access.level === 0) return hidden;
  const needed = levelFor(permission);
  return needed !== undefined && standpoint.access.level >= needed ? allowed : denied;
}

/** The decision about a workspace: of documents, what its root allows; of the rest, what the role lists. */
function inWorkspace({ standing, access }: Standpoint, permission: Permission): Decision {
  if (!standing.member) return hidden;
  const needed = levelFor(permission);
  const passes = needed === undefined ? standing.permissions.has(permission) : access.level >= needed;
  if (passes) return allowed;
  return standing.permissions.has(Permission.WORKSPACE_VIEW) ? denied : hidden;
}
