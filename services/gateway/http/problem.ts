// Errors on plain HTTP routes: a status and a small JSON object, never a stack.

import { durationMs } from "@bufbuild/protobuf/wkt";
import { ConnectError } from "@connectrpc/connect";
import { ErrorInfoSchema } from "@docket/contracts/gen/docket/error/v1/error_info_pb.ts";
import { Reason, ReasonSchema } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import { enumName, reasonOptions } from "@docket/contracts/policy";
import { toConnectError } from "@docket/runtime/errors";
import { newId } from "@docket/runtime/ids";
import type { Exchange } from "./exchange.ts";

export interface Problem {
  readonly status: number;
  readonly reason: Reason;
  readonly message: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly fields: readonly { field: string; rule: string; description: string }[];
  /** Whole seconds, rounded up. */
  readonly retryAfter: number | undefined;
}

/** HTTP statuses by gRPC code, as the Connect protocol maps them. */
const statusByCode: Readonly<Record<number, number>> = {
  1: 499,
  2: 500,
  3: 400,
  4: 504,
  5: 404,
  6: 409,
  7: 403,
  8: 429,
  9: 400,
  10: 409,
  11: 400,
  12: 501,
  13: 500,
  14: 503,
  15: 500,
  16: 401,
};

/** Where HTTP has a more telling status than the code's. */
const statusByReason = new Map<Reason, number>([
  [Reason.FILE_TOO_LARGE, 413],
  [Reason.MESSAGE_TOO_LARGE, 413],
  [Reason.UPLOAD_SIZE_EXCEEDED, 413],
  [Reason.QUOTA_EXCEEDED, 413],
  [Reason.DISK_FULL, 507],
  [Reason.OVERLOADED, 503],
  [Reason.UPLOAD_STATE_CONFLICT, 409],
  [Reason.RANGE_INVALID, 416],
  [Reason.DEADLINE_EXCEEDED, 504],
]);

export function httpStatusOf(reason: Reason): number {
  return statusByReason.get(reason) ?? statusByCode[reasonOptions(reason).code] ?? 500;
}

/** What is told of an error. */
export function problemOf(error: unknown, requestId: string): Problem {
  const known = ConnectError.from(toConnectError(error, requestId));
  const info = known.findDetails(ErrorInfoSchema)[0];
  const reason = info?.reason ?? Reason.INTERNAL;
  return {
    status: httpStatusOf(reason),
    reason,
    message: known.rawMessage,
    metadata: info?.metadata ?? {},
    fields: (info?.violations ?? []).map(({ field, rule, description }) => ({ field, rule, description })),
    retryAfter: info?.retryAfter === undefined ? undefined : Math.max(1, Math.ceil(durationMs(info.retryAfter) / 1000)),
  };
}

/** What is shown to people in place of the JSON object. */
export interface ProblemPage {
  readonly type: string;
  readonly body: Buffer;
  /** Its Content-Security-Policy. */
  readonly policy: string;
}

/** Answers with an error, or cuts the connection when part of an answer has gone out already. */
export function sendProblem(
  exchange: Exchange,
  error: unknown,
  status?: number,
  headers: Readonly<Record<string, string>> = {},
  page?: ProblemPage,
): void {
  const { response, requestId, outcome } = exchange;
  const problem = problemOf(error, requestId);
  outcome.reason = enumName(ReasonSchema, problem.reason);
  if (response.headersSent) {
    response.destroy();
    return;
  }
  for (const name of contentHeaders) response.removeHeader(name);
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  if (problem.retryAfter !== undefined) response.setHeader("retry-after", String(problem.retryAfter));
  if (problem.status === 401) response.setHeader("www-authenticate", 'Bearer realm="docket"');
  response.setHeader("cache-control", "no-store");
  const body = page?.body ?? Buffer.from(problemBody(problem, requestId));
  response.setHeader("content-type", page?.type ?? "application/json; charset=utf-8");
  if (page !== undefined) response.setHeader("content-security-policy", page.policy);
  response.setHeader("content-length", String(body.byteLength));
  response.statusCode = status ?? problem.status;
  response.end(exchange.method === "HEAD" ? "" : body);
}

/** What a route may have said of an answer that it cannot give after all. */
const contentHeaders = [
  "content-range",
  "content-disposition",
  "content-length",
  "etag",
  "repr-digest",
  "accept-ranges",
];

/** `{reason, message, request_id, fields}`, and the reason's metadata where it has some. */
export function problemBody(
  { reason, message, fields, metadata }: Omit<Problem, "status" | "retryAfter">,
  requestId: string,
): string {
  const more = Object.keys(metadata).length > 0 ? { metadata } : {};
  return JSON.stringify({ reason: enumName(ReasonSchema, reason), message, request_id: requestId, fields, ...more });
}

const refusals: Readonly<Record<number, readonly [phrase: string, message: string]>> = {
  400: ["Bad Request", "These bytes are no HTTP request."],
  408: ["Request Timeout", "The request's headers came too slowly."],
  413: ["Payload Too Large", "A part of the request is too large."],
  431: ["Request Header Fields Too Large", "The request's headers are too large."],
};

/** A whole HTTP/1.1 answer to what never became a request. */
export function rawRefusal(status: number): string {
  const [phrase, message] = refusals[status] ?? ["Bad Request", "These bytes are no HTTP request."];
  const requestId = newId();
  const body = problemBody({ reason: Reason.MALFORMED, message, fields: [], metadata: {} }, requestId);
  const headers = [
    `HTTP/1.1 ${status} ${phrase}`,
    "content-type: application/json; charset=utf-8",
    `content-length: ${Buffer.byteLength(body)}`,
    `x-request-id: ${requestId}`,
    "x-content-type-options: nosniff",
    "cache-control: no-store",
    "connection: close",
  ];
  return `${headers.join("\r\n")}\r\n\r\n${body}`;
}
