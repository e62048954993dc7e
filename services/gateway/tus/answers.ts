// What tus clients are told of an upload, and the statuses that tus has for errors.

import { timestampDate } from "@bufbuild/protobuf/wkt";
import { Reason } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import { type Upload, UploadFailureSchema, UploadState } from "@docket/contracts/gen/docket/storage/v1/upload_pb.ts";
import { enumName } from "@docket/contracts/policy";
import { AppError } from "@docket/runtime/errors";
import type { Exchange } from "../http/exchange.ts";
import { problemOf, sendProblem } from "../http/problem.ts";
import { tusVersion } from "./headers.ts";

export function setUploadHeaders({ response }: Exchange, upload: Upload): void {
  response.setHeader("upload-offset", String(upload.offset));
  if (upload.expireTime !== undefined)
    response.setHeader("upload-expires", timestampDate(upload.expireTime).toUTCString());
}

export function setDescription({ response }: Exchange, upload: Upload): void {
  if (upload.size === undefined) response.setHeader("upload-defer-length", "1");
  else response.setHeader("upload-length", String(upload.size));
  if (upload.partial) response.setHeader("upload-concat", "partial");
  const metadata = Object.entries({
    filename: upload.name,
    filetype: upload.mediaType,
    workspace_id: upload.workspaceId,
  })
    .filter(([, value]) => value !== "")
    .map(([key, value]) => `${key} ${Buffer.from(value).toString("base64")}`);
  if (metadata.length > 0) response.setHeader("upload-metadata", metadata.join(","));
}

/** An upload that failed is gone for good: 410. */
export function refuseFailed(upload: Upload): void {
  if (upload.state !== UploadState.FAILED) return;
  const failure = enumName(UploadFailureSchema, upload.failure);
  throw new AppError(Reason.UPLOAD_FAILED, {
    metadata: { failure },
    message: "This upload has ended. Begin another one.",
  });
}

export function isComplete(upload: Upload): boolean {
  return upload.size !== undefined && upload.offset === upload.size;
}

const statuses = new Map<Reason, number>([
  [Reason.CHECKSUM_MISMATCH, 460],
  [Reason.UPLOAD_FAILED, 410],
  [Reason.UPLOAD_OFFSET_CONFLICT, 409],
  [Reason.UPLOAD_SUPERSEDED, 409],
  [Reason.UPLOAD_INCOMPLETE, 400],
  [Reason.UPLOAD_STATE_CONFLICT, 403],
  [Reason.UPLOAD_SIZE_CONFLICT, 400],
]);

export function sendTusProblem(exchange: Exchange, error: unknown): void {
  const { reason, metadata } = problemOf(error, exchange.requestId);
  const { offset } = metadata;
  const headers: Record<string, string> = { "tus-resumable": tusVersion };
  // Where to go on, for clients that would otherwise have to ask.
  if (reason === Reason.UPLOAD_OFFSET_CONFLICT && offset !== undefined) headers["upload-offset"] = offset;
  sendProblem(exchange, error, statuses.get(reason), headers);
}
