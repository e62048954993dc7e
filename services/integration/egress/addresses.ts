// Which addresses webhooks may go to: public unicast ones, and what an operator allows. Decided on the bytes of an address, never
// on its spelling. It must never know names: what a name stands for is asked where the connection is made.
import { BlockList, isIP } from "node:net";

/** Ranges as `10.0.0.0/8`, `fd00::/8` or single addresses. */
export interface AddressSettings {
  /** What may be reached although it is not public. */
  readonly allowed: readonly string[];
  /** What may not be reached although it is public; stands above everything. */
  readonly denied: readonly string[];
}

/** Decides about addresses. */
export interface AddressRules {
  /** Whether webhooks may go there. False for what is no address. */
  allows(address: string): boolean;
}

/** Everything of IPv4 that is not public unicast (IANA's registry of special purposes), and clouds' doors to their hosts. */
const special4 = [
  "0.0.0.0/8", // this network
  "10.0.0.0/8", // private
  "100.64.0.0/10", // carriers' NAT; 100.100.100.200 is a metadata service
  "127.0.0.0/8", // loopback
  "168.63.129.16/32", // Azure's host, on a public address
  "169.254.0.0/16", // link-local; 169.254.169.254 and others are metadata services
  "172.16.0.0/12", // private
  "192.0.0.0/24", // protocol assignments; 192.0.0.192 is a metadata service
  "192.0.2.0/24", // documentation
  "192.88.99.0/24", // 6to4 relays
  "192.168.0.0/16", // private
  "198.18.0.0/15", // benchmarks
  "198.51.100.0/24", // documentation
  "203.0.113.0/24", // documentation
  "224.0.0.0/4", // multicast
  "240.0.0.0/4", // reserved, and broadcast
];

/** Everything within 2000::/3 that is not public unicast; whatever lies outside of that is refused as a whole. */
const special6 = [
  "2001::/23", // protocol assignments: Teredo, ORCHID, benchmarks
  "2001:db8::/32", // documentation
  "2002::/16", // 6to4: an IPv4 address in disguise
  "2620:4f:8000::/48", // AS112
  "3fff::/20", // documentation
];

/** IPv4 within IPv6, where the last four bytes are the address that is meant: mapped, translated (NAT64). */
const embedding6 = ["::ffff:0:0/96", "64:ff9b::/96"];

const global6 = blockListOf(["2000::/3"]);
const refused6 = blockListOf(special6);
const refused4 = blockListOf(special4);
const embedding = blockListOf(embedding6);

/** Makes the rules. Throws RangeError with the text of a range that is none. */
export function createAddressRules({ allowed, denied }: AddressSettings): AddressRules {
  const allows = blockListOf(allowed);
  const denies = blockListOf(denied);
  const judge4 = (address: string) => {
    if (denies.check(address, "ipv4")) return false;
    return allows.check(address, "ipv4") || !refused4.check(address, "ipv4");
  };
  return {
    allows(address) {
      // A zone such as fe80::1%eth0 is of no public address.
      const family = address.includes("%") ? 0 : isIP(address);
      if (family === 4) return judge4(address);
      if (family === 0 || denies.check(address, "ipv6")) return false;
      if (embedding.check(address, "ipv6")) return judge4(lastFour(address));
      if (allows.check(address, "ipv6")) return true;
      return global6.check(address, "ipv6") && !refused6.check(address, "ipv6");
    },
  };
}

function blockListOf(ranges: readonly string[]): BlockList {
  const list = new BlockList();
  for (const range of ranges) {
    const [address = "", prefix, more] = range.split("/");
    const family = isIP(address);
    const most = family === 4 ? 32 : 128;
    const length = prefix === undefined ? most : /^\d{1,3}$/.test(prefix) ? Number(prefix) : Number.NaN;
    if (family === 0 || address.includes("%") || more !== undefined || !(length >= 0 && length <= most)) {
      throw new RangeError(range);
    }
    list.addSubnet(address, length, family === 4 ? "ipv4" : "ipv6");
  }
  return list;
}

/** The IPv4 address in the last four bytes. */
function lastFour(address: string): string {
  // The URL parser writes every spelling in one way: groups in hexadecimal.
  const canonical = new URL(`http://[${address}]/`).hostname.slice(1, -1);
  const [low = "0", high = "0"] = canonical.split(":").reverse();
  const bytes = [high, low].flatMap((group) => {
    const value = Number.parseInt(group === "" ? "0" : group, 16);
    return [value >> 8, value & 0xff];
  });
  return bytes.join(".");
}
