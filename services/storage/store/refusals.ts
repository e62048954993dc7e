// Refusals that several stores give.

import { Reason } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import { UploadFailureSchema, UploadStateSchema } from "@docket/contracts/gen/docket/storage/v1/upload_pb.ts";
import { AppError } from "@docket/runtime/errors";
import type { UploadRow } from "./upload_row.ts";
import { failureValue, stateValue } from "./upload_row.ts";

/** The upload's state does not allow it. */
export function stateConflict(row: Pick<UploadRow, "state">): AppError {
  const state = UploadStateSchema.value[stateValue(row.state)]?.name ?? "";
  return new AppError(Reason.UPLOAD_STATE_CONFLICT, {
    metadata: { state },
    message: `The upload is ${row.state}, which does not allow this.`,
  });
}

/** The upload has failed for good. */
export function uploadFailed(row: Pick<UploadRow, "failure">): AppError {
  const failure = UploadFailureSchema.value[failureValue(row.failure)]?.name ?? "";
  return new AppError(Reason.UPLOAD_FAILED, {
    metadata: { failure },
    message: `The upload has failed (${(row.failure ?? "").replaceAll("_", " ")}). Upload the file anew.`,
  });
}

export function offsetConflict(offset: number): AppError {
  return new AppError(Reason.UPLOAD_OFFSET_CONFLICT, {
    metadata: { offset: String(offset) },
    message: `Go on from byte ${offset}.`,
  });
}

export function sizeExceeded(size: number): AppError {
  return new AppError(Reason.UPLOAD_SIZE_EXCEEDED, {
    metadata: { size: String(size) },
    message: `More bytes came than the ${size} that were announced.`,
  });
}

export function sizeConflict(size: number): AppError {
  return new AppError(Reason.UPLOAD_SIZE_CONFLICT, {
    metadata: { size: String(size) },
    message: `The size does not fit what is known: ${size} bytes.`,
  });
}

export function incomplete(offset: number, size: number): AppError {
  return new AppError(Reason.UPLOAD_INCOMPLETE, {
    metadata: { offset: String(offset), size: String(size) },
    message: `The first missing byte is ${offset} of ${size}.`,
  });
}

export function fileTooLarge(limit: number): AppError {
  return new AppError(Reason.FILE_TOO_LARGE, {
    metadata: { limit: String(limit) },
    message: `Files of more than ${limit} bytes are not taken here.`,
  });
}

export function quotaExceeded(limit: number): AppError {
  return new AppError(Reason.QUOTA_EXCEEDED, {
    metadata: { limit: String(limit) },
    message: `There is no room left within the quota of ${limit} bytes.`,
  });
}

export function tooManyParts(limit: number): AppError {
  return new AppError(Reason.TOO_MANY_PARTS, {
    metadata: { limit: String(limit) },
    message: `An upload has at most ${limit} pieces. Write larger ones.`,
  });
}

export function tooManyUploads(limit: number): AppError {
  return new AppError(Reason.TOO_MANY_UPLOADS, {
    metadata: { limit: String(limit) },
    message: `You have ${limit} unfinished uploads. Complete or abort some.`,
  });
}

export function diskFull(cause?: unknown): AppError {
  return new AppError(Reason.DISK_FULL, {
    message: "The disk is nearly full. Tell your operator; what was acknowledged is kept.",
    cause,
  });
}
