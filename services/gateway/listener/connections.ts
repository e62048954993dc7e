// How many connections there are, in all and from each address. A cap for each address keeps one client from
// taking all; addresses of trusted proxies stand for many clients and have none.

import type { Socket } from "node:net";

export interface ConnectionLimits {
  /** Connections at once. */
  readonly total: number;
  /** Connections at once from one address. */
  readonly perAddress: number;
  /** Whether an address is exempt from the cap for each address. */
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
    const known = this.#perAddress.get(address) ?? 0;
    if (this.#sockets.size >= this.#limits.total) return false;
    if (known >= this.#limits.perAddress && !this.#limits.exempt(address)) return false;
    this.#sockets.add(socket);
    this.#perAddress.set(address, known + 1);
    socket.once("close", () => this.#forget(socket, address));
    return true;
  }

  /** Cuts whatever is left. */
  destroyAll(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  #forget(socket: Socket, address: string): void {
    this.#sockets.delete(socket);
    const left = (this.#perAddress.get(address) ?? 1) - 1;
    if (left <= 0) this.#perAddress.delete(address);
    else this.#perAddress.set(address, left);
  }
}
