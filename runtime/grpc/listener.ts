// The server's end of gRPC: its limits, its port and its orderly end.

import { logVerbosity, Server, setLogVerbosity } from "@grpc/grpc-js";
import { StartError } from "../errors.ts";
import type { Identity } from "../identity/identity.ts";
import { serverCredentials } from "./credentials.ts";
import { allowResets } from "./resets.ts";
import { refuseOthers } from "./strict.ts";
import { widen } from "./window.ts";

// What goes wrong is thrown or recorded by us; grpc-js's own lines on standard error would say it twice.
setLogVerbosity(logVerbosity.NONE);

/** The largest message that any RPC takes; each RPC's own limit is in its policy. */
const maxMessageBytes = 4 << 20;

/** A server without services. */
export function createServer(): Server {
  const server = new Server({
    "grpc.max_receive_message_length": maxMessageBytes,
    // A client that pings keeps its connection; a peer that vanished is noticed within a minute.
    "grpc.keepalive_time_ms": 30_000,
    "grpc.keepalive_timeout_ms": 20_000,
    "grpc.max_concurrent_streams": 1000,
  });
  allowResets(server);
  widen(server);
  refuseOthers(server);
  return server;
}

/** Binds a server and returns its port. Throws StartError with one sentence. */
export function bind(
  server: Server,
  { host, port }: { host: string; port: number },
  identity: Identity,
): Promise<number> {
  return new Promise((resolve, reject) => {
    server.bindAsync(`${host}:${port}`, serverCredentials(identity), (error, bound) => {
      if (error === null) return resolve(bound);
      const why = /EADDRINUSE/.test(error.message) ? "the port is taken" : error.message;
      reject(new StartError(`Cannot listen on ${host}:${port}: ${why}.`));
    });
  });
}

/** Lets calls in flight finish, for `drainMs` at most, and closes. */
export function close(server: Server, drainMs: number): Promise<void> {
  return new Promise((resolve) => {
    // tryShutdown waits for peers that may never end, hence the bound.
    const timer = setTimeout(() => {
      server.forceShutdown();
      resolve();
    }, drainMs);
    server.tryShutdown(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}
