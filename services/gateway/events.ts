// What the edge says of its own doings: one function per event. Never a query, cookie, token, title or body.

import type { Logger } from "@docket/runtime/logger";
import type { Metrics } from "@docket/runtime/telemetry/metrics";
import type { Exchange } from "./http/exchange.ts";
import type { Gauges } from "./service.ts";

/** A request has been answered, or its client has gone. */
export function requestEnded(
  logger: Logger,
  { request, response, requestId, outcome, clientAddress, method }: Exchange,
  durationMs: number,
): void {
  const level = response.statusCode >= 500 ? "warn" : "info";
  logger[level](
    {
      request_id: requestId,
      route: outcome.route,
      method,
      http: request.httpVersion,
      status: response.statusCode,
      reason: outcome.reason,
      subject: outcome.subject,
      client: clientAddress,
      complete: response.writableEnded,
      duration_ms: Math.round(durationMs * 10) / 10,
    },
    "request",
  );
}

/** The portal's process did not answer. */
export function portalAway(logger: Logger, error: unknown): void {
  const { code, message } = error as NodeJS.ErrnoException;
  logger.warn({ code, why: message }, "the portal does not answer");
}

/** Somebody else than the portal came to its door. */
export function callerRefused(logger: Logger, error: unknown): void {
  logger.warn({ err: error }, "caller refused");
}

/** Cookies without Secure leave this machine. */
export function insecureCookies(logger: Logger, host: string): void {
  logger.warn(
    { host },
    "PUBLIC_URL is http and HOST is no loopback address: session cookies and passwords travel unencrypted",
  );
}

/** The edge takes requests. */
export function listening(logger: Logger, url: string): void {
  logger.info({ url }, "listening");
}

/** No new connections from now on. */
export function draining(logger: Logger, openStreams: number, connections: number): void {
  logger.info({ open_streams: openStreams, connections }, "draining");
}

/** What the edge has in hand, for whoever looks at its metrics. */
export function tellGauges(metrics: Metrics, gauges: () => Gauges): void {
  const tell = (name: string, unit: string, description: string, read: (now: Gauges) => number) =>
    metrics.gauge(`docket.edge.${name}`, { unit, description }, () => [{ value: read(gauges()) }]);
  tell("connections", "{connection}", "Connections of clients.", ({ connections }) => connections);
  tell("in_flight", "{request}", "Requests, streams and transfers that have not ended.", ({ inFlight }) => inFlight);
  tell("streams_open", "{stream}", "Streams of somebody signed in.", ({ openStreams }) => openStreams);
  tell("held", "By", "Request messages in memory.", ({ heldBytes }) => heldBytes);
}
