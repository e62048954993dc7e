// A gRPC server that has no time for anybody, and counts who came.

import { once } from "node:events";
import { createServer, type Http2Server, type ServerHttp2Session } from "node:http2";

interface Refusing {
  readonly server: Http2Server;
  readonly sessions: Set<ServerHttp2Session>;
  readonly calls: Record<string, number>;
}

const servers = new Map<number, Refusing>();

/** Answers every call with UNAVAILABLE. */
export async function refuse(port: number): Promise<{ listening: boolean }> {
  const calls: Record<string, number> = {};
  const sessions = new Set<ServerHttp2Session>();
  const server = createServer();
  server.on("session", (session) => sessions.add(session));
  server.on("stream", (stream, headers) => {
    const path = String(headers[":path"]);
    calls[path] = (calls[path] ?? 0) + 1;
    stream.on("error", () => undefined);
    stream.resume();
    // Trailers alone (RFC 9113, section 8.1; the gRPC protocol's Trailers-Only).
    stream.respond({ ":status": 200, "content-type": "application/grpc", "grpc-status": "14" }, { endStream: true });
  });
  server.listen(port, "0.0.0.0");
  await once(server, "listening");
  servers.set(port, { server, sessions, calls });
  return { listening: true };
}

export function refusedAt(port: number): Readonly<Record<string, number>> {
  return servers.get(port)?.calls ?? {};
}

export async function stop(port: number): Promise<{ listening: boolean }> {
  const { server, sessions = [] } = servers.get(port) ?? {};
  servers.delete(port);
  if (server !== undefined) {
    const closed = once(server, "close");
    server.close();
    // Proxies keep their connections as long as they may.
    for (const session of sessions) session.destroy();
    await closed;
  }
  return { listening: false };
}
