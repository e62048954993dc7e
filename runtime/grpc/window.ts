// The flow-control window of both ends. grpc-js has an option for its clients only; its servers keep HTTP/2's 64 KiB, for
// a whole connection too, which makes each chunk of an upload wait for several updates.

import type { Http2Server } from "node:http2";
import type { Server } from "@grpc/grpc-js";

/** How many bytes of a stream, and of a connection, may be on their way before the reader must say that it goes on. */
export const windowBytes = 512 << 10;

/** What grpc-js 1.14 makes its HTTP/2 servers with; a test notices when that changes. */
interface Inside {
  commonServerOptions: { settings?: { initialWindowSize?: number } };
  createHttp2Server(credentials: unknown): Http2Server;
}

/** Widens the windows of a server that is not bound yet. */
export function widen(server: Server): void {
  const inside = server as unknown as Inside;
  const { commonServerOptions } = inside;
  const make = inside.createHttp2Server.bind(server);
  commonServerOptions.settings = { ...commonServerOptions.settings, initialWindowSize: windowBytes };
  inside.createHttp2Server = (credentials) => {
    const made = make(credentials);
    made.on("session", (session) => session.setLocalWindowSize(windowBytes));
    return made;
  };
}
