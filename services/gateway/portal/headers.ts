// Which headers pass between a visitor and the portal, and what the edge adds of its own knowledge.

import type { IncomingHttpHeaders, OutgoingHttpHeaders } from "node:http";
import { activeSpan } from "@docket/runtime/telemetry/span";
import { formatTraceparent } from "@docket/runtime/telemetry/traceparent";
import type { Exchange } from "../http/exchange.ts";

/** Headers that concern one connection only (RFC 9110, section 7.6.1). */
const hopByHop = [
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "http2-settings",
];

/** What a client may write and nobody believes; the edge says some of it itself. */
const claims = [
  "host",
  "forwarded",
  "x-forwarded-for",
  "x-forwarded-host",
  "x-forwarded-port",
  "x-forwarded-proto",
  "x-forwarded-client-cert",
  "x-real-ip",
  "x-request-id",
  "x-docket-client",
];

/** Pages take no body, keys have no pages, and nothing is upgraded. */
const unneeded = ["authorization", "content-length", "content-type", "content-encoding", "expect"];

const droppedOfRequest = new Set([...hopByHop, ...claims, ...unneeded]);

/** The headers of a request as the portal gets them. */
export function headersInward(exchange: Exchange, https: boolean): OutgoingHttpHeaders {
  const headers: OutgoingHttpHeaders = {};
  const named = namedByConnection(exchange.request.headers);
  for (const [name, value] of Object.entries(exchange.request.headers)) {
    if (!name.startsWith(":") && !droppedOfRequest.has(name) && !named.has(name)) headers[name] = value;
  }
  headers["x-request-id"] = exchange.requestId;
  headers["x-forwarded-for"] = exchange.clientAddress;
  headers["x-forwarded-host"] = exchange.host;
  headers["x-forwarded-proto"] = https ? "https" : "http";
  const span = activeSpan();
  if (span !== undefined) headers.traceparent = formatTraceparent(span);
  return headers;
}

/** The edge's own: the portal's word on these is not taken. */
const keptByEdge = [
  "x-request-id",
  "x-content-type-options",
  "x-frame-options",
  "referrer-policy",
  "cross-origin-resource-policy",
  "cross-origin-opener-policy",
  "strict-transport-security",
];

/** What tells of the portal's making. */
const betraying = ["server", "x-powered-by", "date"];

const droppedOfAnswer = new Set([...hopByHop, ...keptByEdge, ...betraying]);

/** The headers of the portal's answer that the visitor gets. Cookies are listed apart. */
export function headersOutward(headers: IncomingHttpHeaders): {
  readonly plain: readonly (readonly [string, string | string[]])[];
  readonly cookies: readonly string[];
} {
  const named = namedByConnection(headers);
  const plain: (readonly [string, string | string[]])[] = [];
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined || name === "set-cookie" || droppedOfAnswer.has(name) || named.has(name)) continue;
    plain.push([name, value]);
  }
  return { plain, cookies: headers["set-cookie"] ?? [] };
}

function namedByConnection({ connection }: IncomingHttpHeaders): ReadonlySet<string> {
  return new Set((connection ?? "").split(",").map((name) => name.trim().toLowerCase()));
}
