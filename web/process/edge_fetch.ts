// How a page asks the edge while it is made: like `fetch`, over the process's own connection, on behalf of the visitor
// whose request it is. It goes to the edge whatever host is named, so a page cannot be talked into calling elsewhere.

import type { IncomingMessage, OutgoingHttpHeaders } from "node:http";
import { Readable } from "node:stream";
import type { MeshHttpClient } from "@docket/runtime/http/client";
import { activeSpan, traced, within } from "@docket/runtime/telemetry/span";
import { formatTraceparent } from "@docket/runtime/telemetry/traceparent";

/** Found on each request as `edgeFetch`. */
export type EdgeFetch = typeof fetch;

declare module "node:http" {
  interface IncomingMessage {
    /** Calls the edge for the visitor who sent this request. Only the path and query of the URL count. */
    edgeFetch?: EdgeFetch;
  }
}

/** What the edge said of the visitor, and is told again. */
const visitor = ["x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-request-id", "traceparent"] as const;

/** Ours to set, or of no use on this way. */
const dropped = new Set([...visitor, "host", "connection", "accept-encoding", "content-length", "transfer-encoding"]);

/** The way to the edge of one request. Calls end with `gone`, and take the request's cookie unless they bring one. */
export function edgeFetchOf(
  page: IncomingMessage,
  gone: AbortSignal,
  client: MeshHttpClient,
  answerMs: number,
): EdgeFetch {
  // The page's own span: what makes the page may have lost sight of it.
  const span = activeSpan();
  const fetchFromEdge: EdgeFetch = async (input, init) => {
    const request = new Request(input, init);
    const url = new URL(request.url);
    const headers: OutgoingHttpHeaders = {};
    for (const [name, value] of request.headers) if (!dropped.has(name)) headers[name] = value;
    for (const name of visitor) if (page.headers[name] !== undefined) headers[name] = page.headers[name];
    if (headers.cookie === undefined && page.headers.cookie !== undefined) headers.cookie = page.headers.cookie;
    const body = request.body === null ? undefined : new Uint8Array(await request.arrayBuffer());
    if (body !== undefined) headers["content-length"] = body.byteLength;
    try {
      const answer = await traced("edge", "client", {}, async () => {
        const here = activeSpan();
        if (here !== undefined) headers.traceparent = formatTraceparent(here);
        return await client.send({
          method: request.method,
          path: url.pathname + url.search,
          headers,
          body,
          signal: AbortSignal.any([request.signal, gone]),
          answerMs,
        });
      });
      return responseOf(answer, request.method);
    } catch (error) {
      request.signal.throwIfAborted();
      // The error that fetch has for a network that fails.
      throw new TypeError("The edge cannot be reached.", { cause: error });
    }
  };
  return (input, init) => within(span, () => fetchFromEdge(input, init));
}

function responseOf(answer: IncomingMessage, method: string): Response {
  const headers = new Headers();
  for (let at = 0; at + 1 < answer.rawHeaders.length; at += 2) {
    headers.append(answer.rawHeaders[at] ?? "", answer.rawHeaders[at + 1] ?? "");
  }
  const status = answer.statusCode ?? 502;
  const empty = method === "HEAD" || status === 204 || status === 304;
  if (empty) answer.resume();
  const body = empty ? null : (Readable.toWeb(answer) as ReadableStream<Uint8Array>);
  return new Response(body, { status, statusText: answer.statusMessage ?? "", headers });
}
