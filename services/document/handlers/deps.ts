// What handlers are made from, and the few steps that several of them take.
import type { HandlerContext } from "@connectrpc/connect";
import { Reason } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import { Permission, PermissionSchema } from "@docket/contracts/gen/docket/policy/v1/policy_pb.ts";
import { enumName } from "@docket/contracts/policy";
import { callOf, subjectOf } from "@docket/runtime/call";
import type { Clock } from "@docket/runtime/clock";
import { AppError, invalidArgument, notFound } from "@docket/runtime/errors";
import type { MembershipCache } from "@docket/runtime/membership";
import type { DocumentAuthorizer, Standpoint } from "../authorizer.ts";
import type { Clients } from "../clients.ts";
import { isTrashed, state } from "../domain/state.ts";
import type { Events } from "../events.ts";
import type { Confirmations } from "../jobs/references.ts";
import { type DocumentRow, readDocument } from "../store/documents.ts";
import type { DocumentDatabase, Query } from "../store/entities.ts";
import { type FolderRow, readFolder } from "../store/folders.ts";
import { ancestorsOf } from "../store/places.ts";

/** What handlers are made from. */
export interface Deps {
  readonly db: DocumentDatabase;
  readonly membership: MembershipCache;
  readonly authorizer: DocumentAuthorizer;
  readonly clients: Clients;
  readonly confirmations: Confirmations;
  readonly events: Events;
  readonly clock: Clock;
}

/** Who calls, as rows write it. */
export function actorOf(context: HandlerContext): string {
  const { kind, id } = subjectOf(context);
  return `${kind}:${id}`;
}

/** The workspace's root, or a folder. */
export type Parent =
  | { readonly case: "workspaceId" | "targetWorkspaceId"; readonly value: string }
  | { readonly case: "folderId" | "targetFolderId"; readonly value: string }
  | { readonly case: undefined; readonly value?: undefined };

/** Where something is to lie. */
export interface Spot {
  readonly workspaceId: string;
  /** Empty: the root. */
  readonly folderId: string;
  /** The folder and those above it, the nearest first. */
  readonly ancestorIds: readonly string[];
}

/** Reads where something is to lie, inside the transaction that puts it there. Throws NOT_FOUND or TRASHED. */
export async function spotOf(query: Query, parent: Parent): Promise<Spot> {
  if (parent.case === undefined)
    throw invalidArgument([{ field: "parent", rule: "required", description: "is needed" }]);
  if (parent.case === "workspaceId" || parent.case === "targetWorkspaceId") {
    return { workspaceId: parent.value, folderId: "", ancestorIds: [] };
  }
  const folder = await liveFolder(query, parent.value);
  const ancestorIds = await ancestorsOf(query, folder.workspace_id, folder.id);
  return { workspaceId: folder.workspace_id, folderId: folder.id, ancestorIds };
}

/**
 * The workspace of a parent, read before a transaction. Whether the parent is in the trash is for the transaction to say:
 * a replay gets its answer also when the folder went there meanwhile.
 */
export async function workspaceOf(query: Query, parent: Parent): Promise<string> {
  if (parent.case === "folderId" || parent.case === "targetFolderId") {
    return (await folderOf(query, parent.value)).workspace_id;
  }
  return (await spotOf(query, parent)).workspaceId;
}

export async function folderOf(query: Query, id: string): Promise<FolderRow> {
  const row = await readFolder(query, id);
  if (row === undefined) throw notFound("folder", id);
  return row;
}

/** A folder that is not in the trash. */
export async function liveFolder(query: Query, id: string): Promise<FolderRow> {
  const row = await folderOf(query, id);
  if (row.state !== state.live) throw trashed("folder", id);
  return row;
}

export async function documentOf(query: Query, id: string): Promise<DocumentRow> {
  const row = await readDocument(query, id);
  if (row === undefined) throw notFound("document", id);
  return row;
}

/** A document that is not in the trash. */
export async function liveDocument(query: Query, id: string): Promise<DocumentRow> {
  const row = await documentOf(query, id);
  if (row.state !== state.live) throw trashed("document", id);
  return row;
}

/** Throws TRASHED unless the folder is the root or not in the trash. */
export async function refuseTrashedFolder(query: Query, folderId: string): Promise<void> {
  if (folderId !== "") await liveFolder(query, folderId);
}

/** Throws NOT_TRASHED. */
export function refuseLive(kind: "document" | "folder", row: { readonly id: string; readonly state: number }): void {
  if (!isTrashed(row.state)) {
    throw new AppError(Reason.NOT_TRASHED, {
      metadata: { kind, id: row.id },
      message: `Only a ${kind} in the trash can be removed for good.`,
    });
  }
}

/** Throws OTHER_WORKSPACE. */
export function refuseOtherWorkspace(a: string, b: string): void {
  if (a !== b) throw new AppError(Reason.OTHER_WORKSPACE, { message: "The target is in another workspace." });
}

/**
 * Throws PERMISSION_DENIED when a move would give who moves more than they have: an editor must not become the owner of
 * somebody else's things by taking them into a folder of their own.
 */
export function refuseGain(before: Standpoint | undefined, target: Standpoint | undefined): void {
  if ((target?.access.level ?? 0) <= (before?.access.level ?? 0)) return;
  throw new AppError(Reason.PERMISSION_DENIED, {
    metadata: { permission: enumName(PermissionSchema, Permission.DOCUMENT_OWN) },
    message: "Only an owner may move this to a place where you would own it.",
  });
}

/** What the target of a move is to who moves. */
export async function targetFor(
  { authorizer }: Pick<Deps, "authorizer">,
  context: HandlerContext,
  target: Parent,
): Promise<Standpoint | undefined> {
  const [subject, call] = [subjectOf(context), callOf(context)];
  if (target.case === undefined) return undefined;
  const toFolder = target.case === "folderId" || target.case === "targetFolderId";
  return toFolder ? authorizer.folderFor(subject, target.value, call) : authorizer.rootFor(subject, target.value, call);
}

function trashed(kind: "document" | "folder", id: string): AppError {
  return new AppError(Reason.TRASHED, { metadata: { kind, id }, message: `The ${kind} lies in the trash.` });
}
