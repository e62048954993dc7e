// What happened, as it goes into the log: ids only, never titles or contents.

import type { ChangeKind } from "@docket/contracts/gen/docket/document/v1/change_pb.ts";
import type { Level, PrincipalKey } from "./access.ts";

/** One change, said by who makes it. */
export interface NewChange {
  readonly kind: ChangeKind;
  /** Who did it, as rows write it (`person:<id>`); empty: the system. */
  readonly actor: string;
  readonly documentId?: string;
  /** The folder it concerns, or the one that the document lies in now; empty or absent: the root. */
  readonly folderId?: string;
  /** For moves: the folder before; empty or absent: the root. */
  readonly fromFolderId?: string;
  readonly version?: { readonly id: string; readonly number: number; readonly digest: Uint8Array; readonly size: number };
  readonly taskId?: string;
  readonly commentId?: string;
  /** For GRANT kinds; of a revoked grant, the level that it gave. */
  readonly grant?: {
    readonly resourceKind: "document" | "folder" | "root";
    readonly resourceId: string;
    readonly principal: PrincipalKey;
    readonly level: Level;
  };
  /** The etag of the resource after the change; absent: it is gone, or has none. */
  readonly etag?: string;
}

/** What a change is about first of all: the thing whose changes keep their order, and that a shard is chosen by. */
export function subjectOfChange(change: Pick<NewChange, "documentId" | "folderId" | "taskId">): string | undefined {
  return change.documentId || change.taskId || change.folderId || undefined;
}
