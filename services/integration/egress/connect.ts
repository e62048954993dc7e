// Connects to where a webhook goes. A name is asked for once, all that it stands for is judged, and the connection is made to
// one of these very addresses: what the name stands for a moment later no longer matters. Proxies of the environment are ignored.
import { lookup } from "node:dns/promises";
import { connect as dialTcp, isIP, type Socket } from "node:net";
import { connect as dialTls } from "node:tls";
import type { AddressRules } from "./addresses.ts";
import { type Target, UrlRefused } from "./url.ts";

/** All addresses that a name stands for. */
export type Resolve = (host: string) => Promise<readonly string[]>;
/** Begins a connection to an address. */
export type Dial = (address: string, port: number) => Socket;

/** What connections are made with. */
export interface ConnectOptions {
  readonly addresses: AddressRules;
  readonly resolve: Resolve;
  readonly dial: Dial;
}

/** The resolver of the machine. */
export const systemResolve: Resolve = async (host) => {
  const found = await lookup(host, { all: true, verbatim: true });
  return found.map(({ address }) => address);
};

/** Connections of the machine. */
export const systemDial: Dial = (host, port) => dialTcp({ host, port, autoSelectFamily: false });

/** How many of a name's addresses are tried. */
const mostTried = 3;

/** No connection, and why. */
export class NoConnection extends Error {
  override readonly name = "NoConnection";
  readonly cause_: "name" | "connection" | "tls";

  constructor(cause_: "name" | "connection" | "tls", cause?: unknown) {
    super(`no connection: ${cause_}`, { cause });
    this.cause_ = cause_;
  }
}

/**
 * A connection, encrypted if the target wants it. Throws UrlRefused if any address of the name is one that webhooks may not
 * go to: one who mixes them means no good. Throws NoConnection, or what aborted the signal.
 */
export async function connectTo(target: Target, options: ConnectOptions, signal: AbortSignal): Promise<Socket> {
  const { addresses, dial } = options;
  const found = await addressesOf(target.host, options, signal);
  for (const address of found) if (!addresses.allows(address)) throw new UrlRefused("address");
  let last: unknown;
  for (const address of found.slice(0, mostTried)) {
    signal.throwIfAborted();
    const socket = dial(address, target.port);
    try {
      await event(socket, "connect", signal);
      return target.tls ? await encrypted(socket, target.host, signal) : socket;
    } catch (error) {
      socket.destroy();
      signal.throwIfAborted();
      if (error instanceof NoConnection) throw error;
      last = error;
    }
  }
  throw new NoConnection("connection", last);
}

async function addressesOf(host: string, { resolve }: ConnectOptions, signal: AbortSignal): Promise<readonly string[]> {
  if (isIP(host) !== 0) return [host];
  const aborted = new Promise<never>((_, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
  const found = await Promise.race([resolve(host).catch((error: unknown) => asNoName(error)), aborted]);
  if (found.length === 0) throw new NoConnection("name");
  return found;
}

function asNoName(error: unknown): never {
  throw new NoConnection("name", error);
}

async function encrypted(socket: Socket, host: string, signal: AbortSignal): Promise<Socket> {
  const name = isIP(host) === 0 ? { servername: host } : { host };
  const tls = dialTls({
    socket,
    ...name,
    ALPNProtocols: ["http/1.1"],
    minVersion: "TLSv1.2",
    rejectUnauthorized: true,
  });
  try {
    await event(tls, "secureConnect", signal);
    return tls;
  } catch (error) {
    tls.destroy();
    signal.throwIfAborted();
    throw new NoConnection("tls", error);
  }
}

/** Waits for an event, an error or the abort. */
function event(socket: Socket, name: "connect" | "secureConnect", signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    const closed = () => reject(new Error("the connection was closed"));
    signal.addEventListener("abort", abort, { once: true });
    socket.once("close", closed);
    // Stays: an error may come after the one that was waited for, and must not end the process.
    socket.on("error", reject);
    socket.once(name, () => {
      socket.off("close", closed);
      signal.removeEventListener("abort", abort);
      resolve();
    });
  });
}
