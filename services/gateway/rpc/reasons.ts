// Reasons for the errors that the protocol library makes by itself, before or beside a handler.

import { Code, ConnectError } from "@connectrpc/connect";
import { Reason } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import { AppError, reasonOf } from "@docket/runtime/errors";

const reasonByCode = new Map<Code, Reason>([
  [Code.InvalidArgument, Reason.MALFORMED],
  [Code.ResourceExhausted, Reason.MESSAGE_TOO_LARGE],
  [Code.Unimplemented, Reason.UNIMPLEMENTED],
]);

/**
 * The same error with a reason where the library has found the client's message at fault; its text says what is wrong
 * with the message and nothing of ours. Everything else comes back as it is.
 */
export function inOurTerms(error: unknown): unknown {
  if (isAbort(error)) return new AppError(Reason.CANCELLED, { cause: error });
  if (!(error instanceof ConnectError) || reasonOf(error) !== undefined) return error;
  if (isUnreadable(error)) return new AppError(Reason.MALFORMED, { cause: error });
  const reason = reasonByCode.get(error.code);
  return reason === undefined ? error : new AppError(reason, { message: error.rawMessage, cause: error });
}

/**
 * The library calls bytes that are no protobuf, or compressed badly or in no way that was named, its own failure. Its
 * words for them name types of the runtime, and are kept for the log.
 */
function isUnreadable({ rawMessage }: ConnectError): boolean {
  return /^(parse binary|received compressed envelope|decompression failed$)/.test(rawMessage);
}

/** A client that goes away aborts without a word of ours. */
function isAbort(error: unknown): boolean {
  return typeof error === "object" && error !== null && "name" in error && error.name === "AbortError";
}
