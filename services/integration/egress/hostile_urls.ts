// Hostile URLs for tests: every spelling of every kind of address that webhooks may not go to. Each is one line of attack that
// has worked somewhere.

/** One forbidden address for each range, with what it is. */
export const forbidden4: readonly (readonly [address: string, what: string])[] = [
  ["0.0.0.0", "this network"],
  ["0.1.2.3", "this network"],
  ["10.0.0.1", "private"],
  ["10.255.255.254", "private"],
  ["100.64.0.1", "carriers' NAT"],
  ["100.100.100.200", "metadata of Alibaba"],
  ["127.0.0.1", "loopback"],
  ["127.255.255.254", "loopback"],
  ["168.63.129.16", "the host of Azure"],
  ["169.254.0.1", "link-local"],
  ["169.254.169.254", "metadata of AWS, Google, Azure"],
  ["169.254.170.2", "credentials of ECS"],
  ["172.16.0.1", "private"],
  ["172.31.255.254", "private"],
  ["192.0.0.192", "metadata of Oracle"],
  ["192.0.2.1", "documentation"],
  ["192.88.99.1", "6to4 relay"],
  ["192.168.0.1", "private"],
  ["198.18.0.1", "benchmarks"],
  ["198.51.100.1", "documentation"],
  ["203.0.113.1", "documentation"],
  ["224.0.0.1", "multicast"],
  ["239.255.255.250", "multicast"],
  ["240.0.0.1", "reserved"],
  ["255.255.255.255", "broadcast"],
];

/** Forbidden addresses of IPv6 that hold none of IPv4. */
export const forbidden6: readonly (readonly [address: string, what: string])[] = [
  ["::", "unspecified"],
  ["::1", "loopback"],
  ["0:0:0:0:0:0:0:1", "loopback, written out"],
  ["0000:0000:0000:0000:0000:0000:0000:0001", "loopback, written out in full"],
  ["fe80::1", "link-local"],
  ["febf::1", "link-local"],
  ["fec0::1", "site-local"],
  ["fc00::1", "private"],
  ["fd00:ec2::254", "metadata of AWS"],
  ["fd20:ce::254", "metadata of Google"],
  ["ff02::1", "multicast"],
  ["ff0e::1", "multicast"],
  ["2001::1", "Teredo"],
  ["2001:db8::1", "documentation"],
  ["2001:10::1", "ORCHID"],
  ["3fff::1", "documentation"],
  ["100::1", "discard"],
  ["5f00::1", "segment routing"],
  ["64:ff9b:1::1", "local NAT64"],
  ["4000::1", "nobody's"],
];

/** The spellings of one IPv4 address that some client somewhere understands. */
export function spellingsOf4(address: string): string[] {
  const bytes = address.split(".").map(Number);
  const [a = 0, b = 0, c = 0, d = 0] = bytes;
  const number = a * 2 ** 24 + b * 2 ** 16 + c * 2 ** 8 + d;
  const hex = (value: number) => `0x${value.toString(16)}`;
  const octal = (value: number) => `0${value.toString(8)}`;
  const group = (high: number, low: number) => ((high << 8) | low).toString(16);
  const low6 = `${group(a, b)}:${group(c, d)}`;
  const wide = [...address]
    .map((each) => (/\d/.test(each) ? String.fromCodePoint(0xff10 + Number(each)) : each))
    .join("");
  return [
    address,
    `${address}.`,
    String(number),
    hex(number),
    `0x${number.toString(16).toUpperCase().padStart(8, "0")}`,
    octal(number),
    bytes.map(hex).join("."),
    bytes.map(octal).join("."),
    bytes.map((value) => `00${octal(value)}`).join("."),
    `${hex(a)}.${octal(b)}.${c}.${d}`,
    `${a}.${b}.${c * 256 + d}`,
    `${a}.${b * 65_536 + c * 256 + d}`,
    address.replaceAll(".", "%2e"),
    address.replaceAll(".", "\u3002"),
    wide,
    encodeURIComponent(address).replaceAll("1", "%31"),
    `[::ffff:${address}]`,
    `[::ffff:${low6}]`,
    `[0:0:0:0:0:ffff:${low6}]`,
    `[::FFFF:${low6.toUpperCase()}]`,
    `[::${address}]`,
    `[::ffff:0:${address}]`,
    `[64:ff9b::${address}]`,
    `[64:ff9b::${low6}]`,
    `[2002:${low6}::1]`,
    `[2001:0:${low6}::1]`,
  ];
}

/** Every hostile URL that names an address. */
export function hostileAddressUrls(): string[] {
  const hosts = [
    ...forbidden4.flatMap(([address]) => spellingsOf4(address)),
    ...forbidden6.flatMap(([address]) => [`[${address}]`, `[${address.toUpperCase()}]`]),
  ];
  return hosts.flatMap((host) => [`https://${host}/latest/meta-data/`, `https://${host}:8443/`]);
}

/** Hostile URLs of other kinds: names of this machine, schemes, credentials, ports, and what parsers disagree on. */
export const hostileOtherUrls: readonly string[] = [
  "https://localhost/",
  "https://LOCALHOST/",
  "https://localhost./",
  "https://a.localhost/",
  "https://loc%61lhost/",
  "https://\u24db\u24de\u24d2\u24d0\u24db\u24d7\u24de\u24e2\u24e3/",
  "http://receiver.example/",
  "HTTP://receiver.example/",
  "ftp://receiver.example/",
  "file:///etc/passwd",
  "gopher://127.0.0.1:6379/_FLUSHALL",
  "dict://127.0.0.1:11211/",
  "ldap://127.0.0.1/",
  "data:text/plain,hello",
  "javascript:alert(1)",
  "blob:https://receiver.example/1",
  "ws://receiver.example/",
  "unix:/var/run/docker.sock",
  "//127.0.0.1/",
  "127.0.0.1",
  "",
  "https://",
  "https:///",
  "https://user@receiver.example/",
  "https://user:password@receiver.example/",
  "https://receiver.example@127.0.0.1/",
  "https://receiver.example:443@169.254.169.254/",
  "https://127.0.0.1#@receiver.example/",
  "https://127.0.0.1\\@receiver.example/",
  "https://127.0.0.1?@receiver.example/",
  "https://receiver.example%00.127.0.0.1/",
  "https://127.1/",
  "https://127.0.1/",
  "https://0/",
  "https://0x7f.1/",
  "https://017700000001/",
  "https://2130706433/",
  "https://[::1%25eth0]/",
  "https://[fe80::1%eth0]/",
  "https://[::1/",
  "https://256.256.256.256/",
  "https://1.2.3.4.5/",
  "https://receiver.example:22/",
  "https://receiver.example:25/",
  "https://receiver.example:53/",
  "https://receiver.example:6000/",
  "https://receiver.example:0/",
  "https://receiver.example:65536/",
  "https://receiver.example:-1/",
  "https://receiver.example../",
  "https://receiver.example/\nhost: 127.0.0.1",
  "https://receiver.example/\r\n\r\nGET / HTTP/1.1",
  "https://receiver .example/",
  " https://127.0.0.1/",
  "\thttps://127.0.0.1/",
  "https://\t127.0.0.1/",
];
