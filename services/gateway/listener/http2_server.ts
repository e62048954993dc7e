// The HTTP/2 half of the port: bounds on what one session may cost, and an end for those that idle or have vanished.

import http2 from "node:http2";

export interface Http2Limits {
  /** Requests at once on one connection. */
  readonly maxStreams: number;
  /** Bytes of all headers of a request. */
  readonly maxHeaderBytes: number;
  /** How long a session may be silent, in milliseconds, before it is closed or, with open streams, asked for a sign of life. */
  readonly idleMs: number;
  /** How long a new session has to open its first stream, in milliseconds. */
  readonly firstStreamMs: number;
}

/** The share of upload data that a peer may have on its way, in bytes: for one stream, and for its whole session. */
const streamWindow = 1 << 20;
const sessionWindow = 2 << 20;

/**
 * A token bucket against rapid resets (CVE-2023-44487): beyond it the session gets GOAWAY. A proxy's session has the
 * requests of many people, who may all give up; a proxy keeps the hasty out itself.
 */
const mostResets = {
  client: { streamResetBurst: 1000, streamResetRate: 33 },
  proxy: { streamResetBurst: 100_000, streamResetRate: 10_000 },
} as const;

/** `peer`: whose sessions it takes. */
export function createHttp2Server(limits: Http2Limits, peer: "client" | "proxy"): http2.Http2Server {
  const server = http2.createServer({
    settings: {
      maxConcurrentStreams: limits.maxStreams,
      initialWindowSize: streamWindow,
      maxHeaderListSize: limits.maxHeaderBytes,
      enableConnectProtocol: false,
    },
    maxSessionMemory: 10,
    maxHeaderListPairs: 100,
    maxSessionInvalidFrames: 100,
    maxOutstandingPings: 4,
    ...mostResets[peer],
  });
  server.on("session", (session) => watch(session, limits));
  // A fault of one session is that peer's affair; without a listener it would end the process.
  server.on("sessionError", () => undefined);
  return server;
}

function watch(session: http2.ServerHttp2Session, limits: Http2Limits): void {
  let open = 0;
  const firstStream = setTimeout(() => session.destroy(), limits.firstStreamMs);
  session.setLocalWindowSize(sessionWindow);
  session.on("stream", (stream) => {
    clearTimeout(firstStream);
    open += 1;
    stream.once("close", () => {
      open -= 1;
    });
    stream.on("error", () => undefined);
  });
  session.setTimeout(limits.idleMs, () => {
    if (session.destroyed) return;
    if (open === 0) return session.close();
    probe(session, Math.min(limits.idleMs, 10_000));
  });
  session.once("close", () => clearTimeout(firstStream));
}

/** A peer with open streams may well be silent; one that does not answer a ping is gone. */
function probe(session: http2.ServerHttp2Session, limitMs: number): void {
  const gone = setTimeout(() => session.destroy(), limitMs);
  const alive = () => clearTimeout(gone);
  session.once("close", alive);
  const sent = session.ping((error) => {
    alive();
    session.off("close", alive);
    if (error && !session.destroyed) session.destroy();
  });
  if (!sent) session.destroy();
}
