// A line to the portal that can be cut, below HTTP: connections break or fall silent, and new ones do not come through.

import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** How a line fails: at once, as when a cable is pulled, or by saying nothing any more, as when a router forgets. */
export type CutKind = "broken" | "silent";

export interface CutProxy extends AsyncDisposable {
  /** Where the portal is found behind the line. */
  readonly url: string;
  cut(kind: CutKind): void;
  /** Lets new connections through; old ones stay dead. */
  mend(): void;
  /** How many connections are open. */
  readonly open: number;
  /** The most that were open at once. */
  readonly most: number;
  /** How many bytes went to the portal. */
  readonly up: number;
}

export interface CutProxyOptions {
  /** How many bytes a second go to the portal, over all connections. Default: as many as it takes. */
  readonly upPerSecond?: number;
}

/** Listens on a port of its own and passes everything on to `url`. */
export async function startCutProxy(url: string, { upPerSecond }: CutProxyOptions = {}): Promise<CutProxy> {
  const { hostname, port } = new URL(url);
  const sockets = new Map<Socket, Socket>();
  let state: CutKind | "whole" = "whole";
  let most = 0;
  let up = 0;
  /** When the line has carried what it was given. */
  let freeAt = 0;

  const server = createServer((near) => {
    near.on("error", () => near.destroy());
    if (state === "broken") {
      near.destroy();
      return;
    }
    // Held until the line is mended, then ended: nobody answers on it.
    if (state === "silent") {
      near.pause();
      sockets.set(near, near);
      near.on("close", () => sockets.delete(near));
      return;
    }
    const far = connect({ host: hostname, port: Number(port) });
    sockets.set(near, far);
    most = Math.max(most, sockets.size);
    const end = () => {
      sockets.delete(near);
      near.destroy();
      far.destroy();
    };
    for (const socket of [near, far]) socket.on("error", end).on("close", end);
    near.pipe(far);
    far.pipe(near);
    near.on("data", ({ length }) => {
      up += length;
      if (upPerSecond === undefined) return;
      const now = performance.now();
      freeAt = Math.max(freeAt, now) + (length / upPerSecond) * 1000;
      near.pause();
      setTimeout(() => state === "whole" && near.resume(), freeAt - now);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");

  const destroyAll = () => {
    for (const [near, far] of sockets) {
      near.destroy();
      far.destroy();
    }
  };
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get open() {
      return sockets.size;
    },
    get most() {
      return most;
    },
    get up() {
      return up;
    },
    cut(kind) {
      state = kind;
      if (kind === "broken") destroyAll();
      else
        for (const [near, far] of sockets) {
          near.unpipe(far).pause();
          far.unpipe(near).pause();
        }
    },
    mend() {
      state = "whole";
      destroyAll();
    },
    async [Symbol.asyncDispose]() {
      destroyAll();
      server.close();
      await once(server, "close");
    },
  };
}
