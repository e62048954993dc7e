// How many connections there are, in all and from each address. A cap for each address keeps one client from
// taking all; addresses of trusted proxies stand for many clients and have none.

import type { Socket } from "node:net";

export interface ConnectionLimits {
  /** Connections at once. */
  readonly total: number;
  /** Connections at once from one address, or network, as `keyOf` has it. */
  readonly perAddress: number;
  /** What addresses are counted under: IPv6 clients own whole networks. */
  readonly keyOf: (address: string) => string;
  /** Whether an address is a proxy, with the requests of many: exempt from the caps for one client. */
  readonly exempt: (address: string) => boolean;
}

export class Connections {
  readonly #limits: ConnectionLimits;
  readonly #sockets = new Set<Socket>();
  readonly #perAddress = new Map<string, number>();

  constructor(limits: ConnectionLimits) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#sockets.size;
  }

  /** Counts a new connection, or says that there are too many. */
  admit(socket: Socket): boolean {
    const address = socket.remoteAddress ?? "";
    const key = this.#limits.keyOf(address);
    const known = this.#perAddress.get(key) ?? 0;
    if (this.#sockets.size >= this.#limits.total) return false;
    if (known >= this.#limits.perAddress && !this.#limits.exempt(address)) return false;
    this.#sockets.add(socket);
    this.#perAddress.set(key, known + 1);
    socket.once("close", () => this.#forget(socket, key));
    return true;
  }

  /** Cuts whatever is left. */
  destroyAll(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  #forget(socket: Socket, key: string): void {
    this.#sockets.delete(socket);
    const left = (this.#perAddress.get(key) ?? 1) - 1;
    if (left <= 0) this.#perAddress.delete(key);
    else this.#perAddress.set(key, left);
  }
}
