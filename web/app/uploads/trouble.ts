// What went wrong, and what follows from it.

import { Code, ConnectError } from "@connectrpc/connect";
import { ErrorInfoSchema } from "@docket/contracts/gen/docket/error/v1/error_info_pb.ts";
import { ReasonSchema } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import type { Trouble } from "./types.ts";

/**
 * again: by itself, after a while. soon: by itself, at once. signIn: when somebody has signed in. anew: with a new
 * upload. never: not by itself.
 */
export type Verdict = "again" | "soon" | "signIn" | "anew" | "never";

/** An error whose cause is known. */
export class UploadFault extends Error {
  readonly trouble: Trouble;

  constructor(trouble: Partial<Trouble>) {
    super(trouble.reason);
    this.trouble = {
      reason: "NETWORK",
      status: 0,
      retryAfterMs: 0,
      message: "",
      requestId: "",
      metadata: {},
      ...trouble,
    };
  }
}

/** Stopped because somebody wanted it. */
export class Stopped extends Error {}

/** The trouble that an HTTP answer tells of. */
export function troubleOfAnswer(status: number, body: string, retryAfter: string | null, now: number): Trouble {
  const told = parsed(body);
  return {
    reason: typeof told.reason === "string" ? told.reason : status === 401 ? "SESSION_INVALID" : "",
    status,
    retryAfterMs: retryAfterMs(retryAfter, now),
    message: typeof told.message === "string" ? told.message : "",
    requestId: typeof told.request_id === "string" ? told.request_id : "",
    metadata: (told.metadata ?? {}) as Record<string, string>,
  };
}

/** Retry-After is a number of seconds or a date. */
export function retryAfterMs(header: string | null, now: number): number {
  if (header === null || header.trim() === "") return 0;
  const seconds = Number(header);
  if (Number.isFinite(seconds)) return Math.max(0, seconds * 1000);
  const date = Date.parse(header);
  return Number.isNaN(date) ? 0 : Math.max(0, date - now);
}

/** The trouble behind anything that was thrown. */
export function troubleOf(error: unknown): Trouble {
  if (error instanceof UploadFault) return error.trouble;
  if (error instanceof ConnectError) return troubleOfCall(error);
  const name = error instanceof Error || error instanceof DOMException ? error.name : "";
  if (name === "NotReadableError" || name === "NotFoundError") return new UploadFault({ reason: "FILE_GONE" }).trouble;
  const message = error instanceof Error ? error.message : String(error);
  return new UploadFault({ reason: "UNEXPECTED", message }).trouble;
}

function troubleOfCall(error: ConnectError): Trouble {
  const info = error.findDetails(ErrorInfoSchema)[0];
  if (info === undefined) {
    const signedOut = error.code === Code.Unauthenticated;
    return new UploadFault(signedOut ? { reason: "SESSION_INVALID", status: 401 } : {}).trouble;
  }
  const { seconds = 0n, nanos = 0 } = info.retryAfter ?? {};
  return {
    reason: ReasonSchema.value[info.reason]?.localName ?? "",
    status: statuses[error.code] ?? 400,
    retryAfterMs: Number(seconds) * 1000 + nanos / 1e6,
    message: error.rawMessage,
    requestId: info.requestId,
    metadata: { ...info.metadata },
  };
}

const statuses: Readonly<Record<number, number>> = {
  [Code.Internal]: 500,
  [Code.Unknown]: 500,
  [Code.Unavailable]: 503,
  [Code.DeadlineExceeded]: 504,
  [Code.Unauthenticated]: 401,
  [Code.PermissionDenied]: 403,
  [Code.NotFound]: 404,
};

const verdicts: Readonly<Record<string, Verdict>> = {
  NETWORK: "again",
  SESSION_REQUIRED: "signIn",
  SESSION_INVALID: "signIn",
  UPLOAD_OFFSET_CONFLICT: "soon",
  UPLOAD_SUPERSEDED: "soon",
  UPLOAD_STATE_CONFLICT: "soon",
  CHECKSUM_MISMATCH: "soon",
  CANCELLED: "soon",
  RATE_LIMITED: "again",
  OVERLOADED: "again",
  UNAVAILABLE: "again",
  DEADLINE_EXCEEDED: "again",
  CONFLICT: "soon",
  INTERNAL: "again",
  TOO_MANY_UPLOADS: "again",
  UPLOAD_FAILED: "anew",
  UPLOAD_NOT_READY: "soon",
  QUOTA_EXCEEDED: "never",
  FILE_TOO_LARGE: "never",
  DISK_FULL: "never",
  PERMISSION_DENIED: "never",
  NOT_FOUND: "never",
  TRASHED: "never",
  FILE_GONE: "never",
  UNEXPECTED: "never",
};

/** What follows from a trouble. `ofUpload`: whether it was an upload that was asked for, which may just have expired. */
export function verdictOf({ reason, status }: Trouble, ofUpload: boolean): Verdict {
  if (ofUpload && (status === 404 || status === 410)) return "anew";
  const known = verdicts[reason];
  if (known !== undefined) return known;
  if (status === 401) return "signIn";
  const passing = [0, 408, 423, 425, 429, 499, 500, 502, 503, 504].includes(status);
  return passing ? "again" : "never";
}

/** Troubles that pass only with time, however long that takes; of others one tires. */
export function passesByItself({ reason, status }: Trouble): boolean {
  return reason === "NETWORK" || reason === "TOO_MANY_UPLOADS" || [429, 502, 503, 504].includes(status);
}

function parsed(body: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
