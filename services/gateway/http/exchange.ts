// One request and its answer, as every route of the edge sees them.

import type { IncomingHttpHeaders } from "node:http";
import { constants, type Http2ServerResponse } from "node:http2";
import type { Logger } from "@docket/runtime/logger";
import type { EdgeRequest, EdgeResponse } from "../listener/listener.ts";

/** What becomes known of a request on its way, for its one log line. */
export interface Outcome {
  /** `docket.document.v1.DocumentService/GetDocument`, or the name of an HTTP route. */
  route: string;
  /** The id of the person or application, once known. */
  subject?: string;
  /** The name of the reason, when it was refused or failed. */
  reason?: string;
  /** Whether an error was put into the words of all errors, so that its answer is not looked at again. */
  told?: boolean;
}

export interface Exchange {
  readonly request: EdgeRequest;
  readonly response: EdgeResponse;
  readonly requestId: string;
  /** The client's address, behind trusted proxies too. */
  readonly clientAddress: string;
  /** The host that the client addressed, for telling its own pages from foreign ones. */
  readonly host: string;
  readonly method: string;
  /** The path as sent, without query; always begins with a slash. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** Aborts when the client has gone, or has its whole answer. */
  readonly signal: AbortSignal;
  readonly logger: Logger;
  readonly outcome: Outcome;
}

/** A request header as one string, or undefined. */
export function headerOf(headers: IncomingHttpHeaders, name: string): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value.join(", ") : value;
}

/** The body in pieces. Leaving early does not cut the connection, since the answer is still to be sent. */
export function bodyOf(request: EdgeRequest): AsyncIterable<Uint8Array> {
  return { [Symbol.asyncIterator]: () => request.iterator({ destroyOnReturn: false })[Symbol.asyncIterator]() };
}

/** Whether the client is known to have gone. */
export function isGone(response: EdgeResponse): boolean {
  return response.destroyed || (response.socket?.destroyed ?? true);
}

/** Tells a peer that goes on sending a body that nobody will read to stop. */
export function stopUnreadBody(request: EdgeRequest, response: EdgeResponse, graceMs: number): void {
  if (request.readableEnded || request.destroyed) return;
  if ("stream" in response) {
    const { stream } = response as Http2ServerResponse;
    if (!stream.destroyed && !stream.closed) stream.close(constants.NGHTTP2_NO_ERROR);
    return;
  }
  // HTTP/1 has no such word: the rest is read and dropped, for a while. Node does so only where nobody has begun to read;
  // what a reader has left would stop the next request of the connection.
  const cut = setTimeout(() => request.destroy(), graceMs).unref();
  request.once("close", () => clearTimeout(cut));
  request.resume();
}
