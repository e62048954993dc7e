// What happens to every request: it gets its id, its client's address and its security headers, goes to the RPCs or to
// the plain routes, and leaves one log line.

import type { Logger } from "@docket/runtime/logger";
import type { HttpRequests } from "@docket/runtime/telemetry/http_requests";
import { within } from "@docket/runtime/telemetry/span";
import type { Forwarders } from "../guard/client_address.ts";
import { requestIdOf } from "../guard/request_id.ts";
import { setSecurityHeaders } from "../guard/security_headers.ts";
import type { EdgeRequest, EdgeResponse } from "../listener/listener.ts";
import type { RpcAdapter } from "../rpc/adapter.ts";
import { type Exchange, headerOf, stopUnreadBody } from "./exchange.ts";
import { type Route, serveHttp } from "./router.ts";
import type { StalledAnswers } from "./stalled.ts";

export interface EdgeOptions {
  readonly proxies: Forwarders;
  /** Whether browsers reach the edge by https. */
  readonly https: boolean;
  readonly rpc: RpcAdapter;
  readonly routes: readonly Route[];
  readonly stalled: StalledAnswers;
  /** The size of all headers of a request. HTTP/2 peers learn of it too late to be held to it by the protocol. */
  readonly maxHeaderBytes: number;
  readonly logger: Logger;
  readonly newRequestId: () => string;
  readonly ended: (exchange: Exchange, durationMs: number) => void;
  /** Where requests are traced and counted. Default: nowhere. */
  readonly requests?: HttpRequests | undefined;
}

/** How long the rest of a refused body is read and dropped, in milliseconds. */
const unreadGraceMs = 5000;

export function createEdge(options: EdgeOptions): (request: EdgeRequest, response: EdgeResponse) => void {
  return (request, response) => {
    // Whatever goes wrong past here concerns one client.
    const cut = (error: unknown) => {
      options.logger.debug({ err: error }, "a connection was cut");
      response.destroy();
    };
    try {
      serve(request, response, cut);
    } catch (error) {
      cut(error);
    }
  };

  function serve(request: EdgeRequest, response: EdgeResponse, cut: (error: unknown) => void): void {
    const started = performance.now();
    // A peer that goes away in the middle is no fault of ours.
    request.on("error", () => undefined);
    response.on("error", () => undefined);
    const peer = request.socket?.remoteAddress ?? "";
    const trusted = options.proxies.trusts(peer);
    const requestId = requestIdOf(request.headers["x-request-id"], trusted, options.newRequestId);
    setSecurityHeaders(response, options.https);
    response.setHeader("x-request-id", requestId);
    options.stalled.watch(response);
    const target = targetOf(request, trusted);
    const bulky = headerBytes(request) > options.maxHeaderBytes;
    if (target === undefined || bulky) {
      response.statusCode = bulky ? 431 : 400;
      response.end();
      return;
    }
    const gone = new AbortController();
    const { traceparent } = request.headers;
    const method = request.method ?? "GET";
    const watched = options.requests?.begin({ method, traceparent, requestId, trusted });
    const exchange: Exchange = {
      ...target,
      request,
      response,
      requestId,
      clientAddress: options.proxies.clientOf(peer, headerOf(request.headers, "x-forwarded-for")),
      method,
      signal: gone.signal,
      // Made only where something is to be said beyond the one line at the end.
      get logger() {
        return options.logger.child({ request_id: requestId });
      },
      outcome: { route: "unknown" },
    };
    response.once("finish", () => stopUnreadBody(request, response, unreadGraceMs));
    response.once("close", () => {
      gone.abort();
      within(watched?.span, () => options.ended(exchange, performance.now() - started));
      const { route, reason } = exchange.outcome;
      watched?.ended({ route, reason, status: response.statusCode, complete: response.writableEnded });
    });
    within(watched?.span, () => {
      if (!options.rpc.serve(exchange)) serveHttp(options.routes, exchange).catch(cut);
    });
  }
}

function headerBytes({ rawHeaders }: EdgeRequest): number {
  return rawHeaders.reduce((sum, text) => sum + text.length, 0);
}

const hostName = /^[A-Za-z0-9.-]+(:\d+)?$|^\[[0-9A-Fa-f:.]+\](:\d+)?$/;

/** Where the request goes; undefined when it cannot be told. */
function targetOf(request: EdgeRequest, trusted: boolean): Pick<Exchange, "host" | "path" | "query"> | undefined {
  const authority = "authority" in request ? request.authority : (request.headers.host ?? "");
  const forwarded = trusted ? headerOf(request.headers, "x-forwarded-host") : undefined;
  const host = forwarded !== undefined && hostName.test(forwarded) ? forwarded : authority;
  const { url = "/" } = request;
  if (!url.startsWith("/") || url.startsWith("//") || !URL.canParse(url, `http://${authority}`)) return undefined;
  const mark = url.indexOf("?");
  const path = mark < 0 ? url : url.slice(0, mark);
  return { host: host.toLowerCase(), path, query: new URLSearchParams(mark < 0 ? "" : url.slice(mark)) };
}
