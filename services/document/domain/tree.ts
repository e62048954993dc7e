// The rules of the tree of folders.

import { Reason } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import { AppError } from "@docket/runtime/errors";

/** How deep folders may be nested; a folder in the root is at 1. */
export const deepest = 32;

/** What a move must know. */
export interface Move {
  readonly folderId: string;
  /** The target, or undefined for the root. */
  readonly targetId: string | undefined;
  /** The folders from the target up, itself among them. */
  readonly targetAncestorIds: readonly string[];
  /** How many levels the moved folder has, itself among them. */
  readonly height: number;
}

/** Throws FOLDER_CYCLE or FOLDER_TOO_DEEP. */
export function checkMove({ folderId, targetAncestorIds, height }: Move): void {
  if (targetAncestorIds.includes(folderId)) {
    throw new AppError(Reason.FOLDER_CYCLE, {
      metadata: { folder_id: folderId },
      message: "A folder cannot move into itself or below itself.",
    });
  }
  checkDepth(targetAncestorIds.length + height);
}

/** Throws FOLDER_TOO_DEEP. */
export function checkDepth(depth: number): void {
  if (depth <= deepest) return;
  throw new AppError(Reason.FOLDER_TOO_DEEP, {
    metadata: { limit: String(deepest) },
    message: `Folders can be nested ${deepest} deep.`,
  });
}
