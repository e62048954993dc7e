// Which changes a watcher wants, and which of several watchers that share the work a change is for.
import { crc32 } from "node:zlib";
import { ChangeKind } from "@docket/contracts/gen/docket/document/v1/change_pb.ts";

/** What a change is about, as filters look at it. */
export interface ChangeFacts {
  readonly workspaceId: string;
  readonly kind: ChangeKind;
  readonly documentId?: string | undefined;
  readonly folderId?: string | undefined;
  readonly taskId?: string | undefined;
}

/** One of several watchers that share the work. */
export interface ShardOf {
  readonly index: number;
  readonly count: number;
}

/** What a watcher wants; empty sets want everything. */
export interface Wanted {
  readonly documentIds: ReadonlySet<string>;
  readonly kinds: ReadonlySet<ChangeKind>;
  readonly shard: ShardOf | undefined;
}

/** Whether a watcher wants to be told. */
export function wants({ documentIds, kinds, shard }: Wanted, change: ChangeFacts): boolean {
  if (kinds.size > 0 && !kinds.has(change.kind)) return false;
  if (documentIds.size > 0 && !bearsOn(documentIds, change)) return false;
  return shard === undefined || shardOf(change, shard.count) === shard.index;
}

/** A change of access to a folder or workspace may bear on any document, so that it passes every filter by document. */
function bearsOn(documentIds: ReadonlySet<string>, { kind, documentId }: ChangeFacts): boolean {
  if (documentId !== undefined) return documentIds.has(documentId);
  return kind === ChangeKind.ACCESS_GAINED || kind === ChangeKind.ACCESS_LOST;
}

/**
 * Which shard a change is for. Whatever concerns a document goes to the same one, so that its order is kept; what
 * concerns none goes by its task, folder or workspace.
 */
export function shardOf({ documentId, taskId, folderId, workspaceId }: ChangeFacts, count: number): number {
  return crc32(documentId ?? taskId ?? folderId ?? workspaceId) % count;
}

/** The kinds after which somebody may see more or less than before. */
export const accessKinds: ReadonlySet<ChangeKind> = new Set([
  ChangeKind.GRANT_SET,
  ChangeKind.GRANT_REVOKED,
  ChangeKind.ACCESS_GAINED,
  ChangeKind.ACCESS_LOST,
  ChangeKind.DOCUMENT_MOVED,
  ChangeKind.FOLDER_MOVED,
  ChangeKind.DOCUMENT_PURGED,
  ChangeKind.FOLDER_PURGED,
]);
