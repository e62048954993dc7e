// The HTTP/1.1 half of the port. It never listens itself; connections are handed to it.

import http from "node:http";
import type { Socket } from "node:net";

export interface Http1Limits {
  /** Bytes of all headers of a request. */
  readonly maxHeaderBytes: number;
  /** How long a request's headers may take, in milliseconds. */
  readonly headersMs: number;
  /** How long a connection may idle between requests, in milliseconds. */
  readonly keepAliveMs: number;
}

/** Renders what is answered to bytes that are no request; status and a short code. */
export type Refusal = (status: number) => string;

export function createHttp1Server(limits: Http1Limits, refusal: Refusal): http.Server {
  const server = http.createServer({
    maxHeaderSize: limits.maxHeaderBytes,
    headersTimeout: limits.headersMs,
    // Bodies have limits of their own, by route (http/body_watch.ts): an upload may take hours, an RPC's message may not.
    requestTimeout: 0,
    keepAliveTimeout: limits.keepAliveMs,
    connectionsCheckingInterval: Math.min(1000, limits.headersMs),
    requireHostHeader: true,
    noDelay: true,
  });
  server.maxHeadersCount = 100;
  server.on("clientError", (error: NodeJS.ErrnoException, socket) => refuse(error, socket as Socket, refusal));
  // headersTimeout is enforced by a timer that starts with this event, and nothing else emits it here.
  server.emit("listening");
  return server;
}

function refuse(error: NodeJS.ErrnoException, socket: Socket, refusal: Refusal): void {
  if (error.code === "ECONNRESET" || !socket.writable || socket.bytesWritten > 0) {
    socket.destroy();
    return;
  }
  const body = refusal(statusOf(error.code));
  socket.end(body, () => socket.destroy());
}

function statusOf(code: string | undefined): number {
  if (code === "HPE_HEADER_OVERFLOW") return 431;
  if (code === "ERR_HTTP_REQUEST_TIMEOUT") return 408;
  if (code === "HPE_CHUNK_EXTENSIONS_OVERFLOW") return 413;
  return 400;
}
