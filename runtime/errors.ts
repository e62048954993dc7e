// The one error type of Docket's services. A fault says its reason (docket.error.v1.Reason); the code it
// travels with, and whether any RPC may give it, are options of that reason and stand nowhere else.

import { create } from "@bufbuild/protobuf";
import { durationFromMs } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import { ErrorInfoSchema, type FieldViolation } from "@docket/contracts/gen/docket/error/v1/error_info_pb.ts";
import { Reason, ReasonSchema } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import { enumName, reasonOptions } from "@docket/contracts/policy";

/** One field that breaks one rule. */
export type Violation = Pick<FieldViolation, "field" | "rule" | "description">;

/** What may be said of an error beside its reason. */
export interface AppErrorOptions {
  /** The values of the reason's metadata keys. */
  metadata?: Record<string, string>;
  /** A sentence for people. Default: one made from the reason. */
  message?: string;
  /** For INVALID_ARGUMENT: the fields at fault. */
  violations?: Violation[];
  /** How long the caller should wait, in milliseconds. */
  retryAfterMs?: number;
  /** What lies beneath; kept for the log, never sent. */
  cause?: unknown;
  /** The link of the chain that refused the call; for the log, never sent. */
  refusedBy?: string;
}

/** A fault that the contract promises. Thrown by domain, stores and handlers alike. */
export class AppError extends Error {
  override name = "AppError";
  readonly reason: Reason;
  readonly metadata: Record<string, string>;
  readonly violations: Violation[];
  readonly retryAfterMs: number | undefined;
  readonly refusedBy: string | undefined;

  constructor(reason: Reason, options: AppErrorOptions = {}) {
    super(options.message ?? sentenceOf(reason), options.cause === undefined ? undefined : { cause: options.cause });
    this.reason = reason;
    this.metadata = options.metadata ?? {};
    this.violations = options.violations ?? [];
    this.retryAfterMs = options.retryAfterMs;
    this.refusedBy = options.refusedBy;
  }
}

/** A process cannot start, for a cause that its operator can mend; the message is the one sentence to print. */
export class StartError extends Error {
  override name = "StartError";
}

/** "There is none, or you may not see it". */
export function notFound(kind: string, id: string): AppError {
  return new AppError(Reason.NOT_FOUND, { metadata: { kind, id }, message: `There is no such ${kind}.` });
}

/** The request breaks rules; at most 20 of them are told. */
export function invalidArgument(violations: Violation[]): AppError {
  const first = violations[0];
  return new AppError(Reason.INVALID_ARGUMENT, {
    violations: violations.slice(0, 20),
    message: first ? `${first.field}: ${first.description}` : "The request breaks a rule.",
  });
}

/** The Docket reason of an error that came over the wire or was thrown here, or undefined. */
export function reasonOf(error: unknown): Reason | undefined {
  if (error instanceof AppError) return error.reason;
  if (error instanceof ConnectError) return error.findDetails(ErrorInfoSchema)[0]?.reason;
  return undefined;
}

/**
 * Makes what goes over the wire. An AppError keeps its reason; an error of a service called passes as it is, when it
 * carries a reason; everything else becomes INTERNAL with a generic sentence and its cause stays here.
 */
export function toConnectError(error: unknown, requestId: string): ConnectError {
  if (error instanceof AppError) return encode(error, requestId);
  if (error instanceof ConnectError) {
    const [info] = error.findDetails(ErrorInfoSchema);
    // Packed anew, so that Connect's JSON says it in words as well (the detail's `debug`).
    if (info !== undefined) {
      const details = [{ desc: ErrorInfoSchema, value: info }];
      return new ConnectError(error.rawMessage, error.code, error.metadata, details, error.cause);
    }
    const reason = chainReasonByCode.get(error.code);
    if (reason !== undefined) return encode(new AppError(reason, { cause: error }), requestId);
  }
  return encode(new AppError(Reason.INTERNAL, { cause: error }), requestId);
}

/** Codes that a transport gives by itself, without a reason of ours. */
const chainReasonByCode = new Map<Code, Reason>([
  [Code.Canceled, Reason.CANCELLED],
  [Code.DeadlineExceeded, Reason.DEADLINE_EXCEEDED],
  [Code.Unavailable, Reason.UNAVAILABLE],
  [Code.ResourceExhausted, Reason.MESSAGE_TOO_LARGE],
  [Code.Unimplemented, Reason.UNIMPLEMENTED],
]);

function encode(error: AppError, requestId: string): ConnectError {
  const info = create(ErrorInfoSchema, {
    reason: error.reason,
    metadata: error.metadata,
    violations: error.violations,
    requestId,
    ...(error.retryAfterMs === undefined ? {} : { retryAfter: durationFromMs(error.retryAfterMs) }),
  });
  const code: Code = reasonOptions(error.reason).code;
  return new ConnectError(error.message, code, undefined, [{ desc: ErrorInfoSchema, value: info }], error);
}

const sentences: Partial<Record<Reason, string>> = {
  [Reason.INTERNAL]: "Something went wrong on our side. Please tell your operator the request id.",
  [Reason.SESSION_REQUIRED]: "Sign in first.",
  [Reason.SESSION_INVALID]: "Your session has ended. Sign in again.",
  [Reason.KEY_INVALID]: "This API key is not valid.",
  [Reason.CALLER_UNKNOWN]: "The caller's certificate names no workload of this mesh.",
  [Reason.CALLER_DENIED]: "This workload may not call this method.",
  [Reason.PERMISSION_DENIED]: "You may see this, but not change it in this way.",
  [Reason.DEADLINE_EXCEEDED]: "The call took too long.",
  [Reason.UNAVAILABLE]: "A part of Docket is away. Try again shortly.",
  [Reason.RESUME]: "The stream has ended; open it again from your last cursor.",
  [Reason.OVERLOADED]: "Docket is busy. Try again shortly.",
  [Reason.MESSAGE_TOO_LARGE]: "The message is larger than this method allows.",
  [Reason.ETAG_MISMATCH]: "Somebody else changed this meanwhile. Read it again.",
  [Reason.REQUEST_ID_REUSED]: "This request_id was used with another request.",
  [Reason.MALFORMED]: "The request is not a well-formed message.",
  [Reason.UNIMPLEMENTED]: "There is no such method here.",
  [Reason.EMAIL_TAKEN]: "This address has an account already. Sign in, or ask for a new password.",
  [Reason.SIGN_UP_CLOSED]: "Accounts are made by invitation only.",
  [Reason.CREDENTIALS_INVALID]: "The address and the password do not belong together.",
  [Reason.ATTEMPTS_SLOWED]: "Too many attempts. Wait a little.",
  [Reason.PASSWORD_WEAK]: "This password is too easy to guess. Choose another one.",
  [Reason.LINK_INVALID]: "This link is unknown, used or too old. Ask for a new one.",
  [Reason.LAST_OWNER]: "The workspace would be left without an owner. Hand over the ownership first.",
  [Reason.LAST_ADMINISTRATOR]: "The instance would be left without an administrator. Appoint another one first.",
  [Reason.ALREADY_MEMBER]: "You are a member of this workspace already.",
  [Reason.ROLE_BUILT_IN]: "Built-in roles cannot be changed.",
  [Reason.ROLE_IN_USE]: "Somebody holds this role, or is invited to it.",
  [Reason.ROLE_NOT_ASSIGNABLE]: "The role cannot be given in this way: only a member becomes owner.",
  [Reason.NAME_TAKEN]: "This name is taken. Choose another one.",
  [Reason.GROUP_CYCLE]: "The group would hold itself.",
  [Reason.KEY_SECRETS_FULL]: "The key has two live secrets already. Revoke one first.",
  [Reason.MEMBER_ROLE_NEEDED]: "A member always holds one role. Change it, or remove the member.",
  [Reason.ACCOUNT_DISABLED]: "This account is disabled. Ask an administrator.",
  [Reason.SECRET_ALREADY_SHOWN]: "This exists already, and its secret was shown the first time only.",
  [Reason.LIMIT_REACHED]: "There may be only so many of these, and all are used.",
};

function sentenceOf(reason: Reason): string {
  const words = enumName(ReasonSchema, reason).replaceAll("_", " ").toLowerCase();
  return sentences[reason] ?? `${words.charAt(0).toUpperCase()}${words.slice(1)}.`;
}
