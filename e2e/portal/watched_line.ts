// A line to the portal on which requests are seen as they pass: what is asked for, and what has not ended yet. Shared
// workers ask too, of which the browser's driver tells nothing.

import { once } from "node:events";
import { request as ask, createServer } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { setTimeout as pause } from "node:timers/promises";

/** Where tabs ask for the stream of changes. */
export const watchChanges = "/docket.document.v1.ChangeService/WatchChanges";

/** One request that passed. */
export interface Passed {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  /** What the answer says that it is; empty while there is none. */
  readonly type: string;
  /** Whether neither side has ended it. */
  readonly open: boolean;
}

export interface WatchedLine extends AsyncDisposable {
  /** Where the portal is found behind the line. */
  readonly url: string;
  /** All that passed, the first one first. */
  readonly passed: readonly Passed[];
  /** Those that are under way. */
  open(path: string): readonly Passed[];
  /** Waits until nothing has been asked for that long, in milliseconds. */
  quiet(ms: number): Promise<void>;
  /** Breaks every connection, and lets none through. */
  cut(): void;
  mend(): void;
}

/** Listens on a port of its own, speaks HTTP/1.1 only, and passes everything on to `url` as it comes. */
export async function startWatchedLine(url: string): Promise<WatchedLine> {
  const { hostname, port } = new URL(url);
  const passed: { -readonly [Key in keyof Passed]: Passed[Key] }[] = [];
  const sockets = new Set<Socket>();
  let whole = true;

  const server = createServer((request, response) => {
    const entry = { method: request.method ?? "", path: request.url ?? "", type: "", open: true };
    passed.push(entry);
    const { method, url: path, rawHeaders: headers } = request;
    const far = ask({ hostname, port, method, path, headers, setHost: false }, (answer) => {
      entry.type = answer.headers["content-type"] ?? "";
      response.writeHead(answer.statusCode ?? 502, answer.statusMessage, answer.rawHeaders);
      response.flushHeaders();
      answer.pipe(response);
      answer.on("error", () => response.destroy());
    });
    far.on("error", () => response.destroy());
    request.pipe(far);
    response.on("close", () => {
      entry.open = false;
      far.destroy();
    });
  });
  server.on("connection", (socket) => {
    if (!whole) socket.destroy();
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  });
  server.keepAliveTimeout = 0;
  server.requestTimeout = 0;
  server.listen(0, "127.0.0.1");
  await once(server, "listening");

  const destroyAll = () => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    passed,
    open: (path) => passed.filter((entry) => entry.open && entry.path.startsWith(path)),
    async quiet(ms) {
      for (let before = -1; before !== passed.length; ) {
        before = passed.length;
        await pause(ms);
      }
    },
    cut() {
      whole = false;
      destroyAll();
    },
    mend() {
      whole = true;
    },
    async [Symbol.asyncDispose]() {
      destroyAll();
      server.close();
      await once(server, "close");
    },
  };
}
