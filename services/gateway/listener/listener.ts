// One port for HTTP/1.1 and HTTP/2: without TLS the first bytes tell them apart, with TLS the negotiated protocol does.

import type { IncomingMessage, ServerResponse } from "node:http";
import type { Http2ServerRequest, Http2ServerResponse, ServerHttp2Session } from "node:http2";
import net, { type AddressInfo, type Socket } from "node:net";
import tls from "node:tls";
import { type ConnectionLimits, Connections } from "./connections.ts";
import { createHttp1Server, type Http1Limits, type Refusal } from "./http1_server.ts";
import { createHttp2Server, type Http2Limits } from "./http2_server.ts";
import { sniff } from "./sniff.ts";

export type EdgeRequest = IncomingMessage | Http2ServerRequest;
export type EdgeResponse = ServerResponse | Http2ServerResponse;

export interface ListenerOptions {
  readonly host: string;
  /** 0 for any free one. */
  readonly port: number;
  /** PEM; without it the port speaks plain text. */
  readonly tls?: { readonly cert: string | Buffer; readonly key: string | Buffer } | undefined;
  readonly connections: ConnectionLimits;
  readonly http1: Http1Limits;
  readonly http2: Http2Limits;
  /** How long a connection has for its first bytes or its TLS handshake, in milliseconds. */
  readonly firstBytesMs: number;
  readonly refusal: Refusal;
  readonly onRequest: (request: EdgeRequest, response: EdgeResponse) => void;
}

export interface Listener {
  readonly address: AddressInfo;
  /** Open connections. */
  readonly connections: number;
  /** True from the moment that draining began. */
  readonly draining: boolean;
  /** Takes no more connections, tells peers to go (GOAWAY, `connection: close`), waits, and after `graceMs` cuts the rest. */
  drain(graceMs: number): Promise<void>;
}

/** Rejects with the error of the socket (EADDRINUSE, EACCES) when it cannot listen. */
export async function startListener(options: ListenerOptions): Promise<Listener> {
  const connections = new Connections(options.connections);
  const http1 = createHttp1Server(options.http1, options.refusal);
  const http2 = {
    client: createHttp2Server(options.http2, "client"),
    proxy: createHttp2Server(options.http2, "proxy"),
  };
  const sessions = new Set<ServerHttp2Session>();
  let draining = false;

  http1.on("request", (request: IncomingMessage, response: ServerResponse) => {
    if (draining) response.setHeader("connection", "close");
    inTurn(request, response, options.onRequest);
  });
  for (const server of Object.values(http2)) {
    server.on("request", options.onRequest);
    server.on("session", (session) => {
      sessions.add(session);
      session.once("close", () => sessions.delete(session));
      if (draining) session.close();
    });
  }

  const route: Route = (socket, protocol) => {
    if (protocol === "h2") {
      // HTTP/2 knows no half-closed connection; without this a session would outlive its peer.
      socket.allowHalfOpen = false;
      const peer = options.connections.exempt(socket.remoteAddress ?? "") ? "proxy" : "client";
      http2[peer].emit("connection", socket);
      return;
    }
    http1.emit("connection", socket);
    // The HTTP/1 parser listens for data but does not start a stream that was paused.
    socket.resume();
  };
  const admit = (socket: Socket): boolean => {
    socket.on("error", () => socket.destroy());
    if (!draining && connections.admit(socket)) return true;
    socket.destroy();
    return false;
  };
  const server =
    options.tls === undefined ? plainServer(options, admit, route) : tlsServer(options, options.tls, admit, route);

  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host: options.host, port: options.port, backlog: 1024 }, () => {
      server.off("error", reject);
      resolve();
    });
  });

  return {
    address: server.address() as AddressInfo,
    get connections() {
      return connections.size;
    },
    get draining() {
      return draining;
    },
    async drain(graceMs) {
      if (draining) return;
      draining = true;
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const session of sessions) session.close();
      http1.closeIdleConnections();
      // A kept-alive connection becomes idle only after its answer, so look again until all are gone.
      const sweep = setInterval(() => http1.closeIdleConnections(), 100);
      const cut = setTimeout(() => connections.destroyAll(), graceMs);
      await closed;
      clearInterval(sweep);
      clearTimeout(cut);
      // Never listened, yet owns a timer that checks its connections; closing ends it.
      http1.close();
      for (const each of Object.values(http2)) each.close();
    },
  };
}

/** How many requests of one HTTP/1 connection may wait for the answer to the one before them. */
const maxPipelined = 32;
const pipelined = new WeakMap<Socket, number>();

/**
 * Serves the requests of one HTTP/1 connection one after the other, as their answers go out. Node would begin with all that
 * were sent ahead, whose answers have no socket yet: nothing could tell whether their client is still there.
 */
function inTurn(request: IncomingMessage, response: ServerResponse, serve: ListenerOptions["onRequest"]): void {
  if (response.socket !== null) {
    serve(request, response);
    return;
  }
  const { socket } = request;
  const waiting = (pipelined.get(socket) ?? 0) + 1;
  if (waiting > maxPipelined) {
    socket.destroy();
    return;
  }
  pipelined.set(socket, waiting);
  response.once("socket", () => {
    pipelined.set(socket, (pipelined.get(socket) ?? 1) - 1);
    // Node is still handing the socket over.
    process.nextTick(() => {
      if (!socket.destroyed) serve(request, response);
    });
  });
}

/** A peer that has vanished is noticed by the system, though it is silent. */
const alive = { keepAlive: true, keepAliveInitialDelay: 60_000 };

type Route = (socket: Socket, protocol: "h1" | "h2") => void;

function plainServer(options: ListenerOptions, admit: (socket: Socket) => boolean, route: Route): net.Server {
  // Half-closed peers are left to the HTTP servers, which know whether an answer is still due.
  return net.createServer({ allowHalfOpen: true, noDelay: true, ...alive }, (socket) => {
    if (admit(socket)) sniff(socket, options.firstBytesMs, (protocol) => route(socket, protocol));
  });
}

function tlsServer(
  options: ListenerOptions,
  pair: NonNullable<ListenerOptions["tls"]>,
  admit: (socket: Socket) => boolean,
  route: Route,
): net.Server {
  const server = tls.createServer({
    ...pair,
    ALPNProtocols: ["h2", "http/1.1"],
    minVersion: "TLSv1.2",
    handshakeTimeout: options.firstBytesMs,
    allowHalfOpen: true,
    noDelay: true,
    ...alive,
  });
  server.on("connection", admit);
  server.on("tlsClientError", (_error, socket) => socket.destroy());
  server.on("secureConnection", (socket) => {
    socket.on("error", () => socket.destroy());
    route(socket, socket.alpnProtocol === "h2" ? "h2" : "h1");
  });
  return server;
}
