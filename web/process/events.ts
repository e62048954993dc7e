// What the portal's process says of its own doings. Never a path: links in mails carry secrets in theirs.

import type { IncomingMessage, ServerResponse } from "node:http";
import type { Logger } from "@docket/runtime/logger";

/** A request has been answered, or the edge has given it up. */
export function requestEnded(
  logger: Logger,
  { method, headers }: IncomingMessage,
  response: ServerResponse,
  route: "page" | "file",
  durationMs: number,
): void {
  logger[response.statusCode >= 500 ? "warn" : "info"](
    {
      request_id: headers["x-request-id"],
      route,
      method,
      status: response.statusCode,
      client: headers["x-forwarded-for"],
      complete: response.writableEnded,
      duration_ms: Math.round(durationMs * 10) / 10,
    },
    "request",
  );
}

/** The build's own code failed to answer. */
export function pageFailed(logger: Logger, { headers }: IncomingMessage, error: unknown): void {
  logger.error({ err: error, request_id: headers["x-request-id"] }, "page failed");
}

/** Somebody else than the edge came. */
export function callerRefused(logger: Logger, error: unknown): void {
  logger.warn({ err: error }, "caller refused");
}

/** The process takes requests. */
export function listening(logger: Logger, address: string): void {
  logger.info({ address }, "listening");
}

/** No new requests from now on. */
export function draining(logger: Logger): void {
  logger.info("draining");
}
