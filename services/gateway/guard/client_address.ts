// Who the client is. `X-Forwarded-For` and a request id are believed only from the proxies that the operator names;
// from anybody else they are whatever somebody likes to write.

import { BlockList, isIP } from "node:net";

/** Whose word on the client is taken. */
export interface Forwarders {
  /** Whether a peer may name the request's id and host. */
  trusts(peer: string): boolean;
  /** The client's address, as far as `X-Forwarded-For` can be believed. */
  clientOf(peer: string, forwardedFor: string | undefined): string;
}

/** The addresses of proxies in front of the edge. */
export class TrustedProxies implements Forwarders {
  readonly #list = new BlockList();
  readonly #any: boolean;

  /** Addresses and CIDR ranges, for example `10.0.0.0/8` or `::1`. Throws RangeError naming the first that is neither. */
  constructor(ranges: readonly string[]) {
    this.#any = ranges.length > 0;
    for (const range of ranges) this.#add(range);
  }

  trusts(address: string): boolean {
    const plain = plainAddress(address);
    const family = isIP(plain);
    return this.#any && family !== 0 && this.#list.check(plain, family === 6 ? "ipv6" : "ipv4");
  }

  /**
   * The client's address: walks `X-Forwarded-For` from the nearest hop outwards as long as the hops are trusted proxies.
   * What a client wrote itself stands further out than the first hop that is not trusted, and is never looked at.
   */
  clientOf(peer: string, forwardedFor: string | undefined): string {
    let client = plainAddress(peer);
    if (forwardedFor === undefined) return client;
    const hops = forwardedFor.split(",").slice(-20).reverse();
    for (const hop of hops) {
      if (!this.trusts(client)) return client;
      const next = plainAddress(hop.trim());
      if (isIP(next) === 0) return client;
      client = next;
    }
    return client;
  }

  #add(range: string): void {
    const [address = "", bits, ...rest] = range.split("/");
    const family = isIP(address);
    const longest = family === 6 ? 128 : 32;
    const prefix = bits === undefined ? longest : /^\d{1,3}$/.test(bits) ? Number(bits) : -1;
    if (family === 0 || rest.length > 0 || prefix < 0 || prefix > longest) throw new RangeError(range);
    this.#list.addSubnet(address, prefix, family === 6 ? "ipv6" : "ipv4");
  }
}

/** Without brackets, port, zone, or the wrapping of an IPv4 address in IPv6. */
export function plainAddress(address: string): string {
  const bare = address.startsWith("[")
    ? address.slice(1, address.indexOf("]"))
    : address.replace(/^(\d+\.\d+\.\d+\.\d+):\d+$/, "$1");
  return bare.replace(/%.*$/, "").replace(/^::ffff:(?=\d+\.\d+\.\d+\.\d+$)/i, "");
}

/** The key under which an address is limited: IPv6 clients own whole /64 networks. */
export function limitKey(given: string): string {
  const address = plainAddress(given);
  if (isIP(address) !== 6) return address;
  const [head = "", tail = ""] = address.toLowerCase().split("::");
  const left = head === "" ? [] : head.split(":");
  const right = tail === "" ? [] : tail.split(":");
  const groups = [...left, ...Array(Math.max(0, 8 - left.length - right.length)).fill("0"), ...right];
  return `${groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(":")}::/64`;
}
