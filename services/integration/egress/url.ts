// Which URLs webhooks may go to, as far as a URL says it: scheme, credentials, port, and the address where it is one. Node's
// parser (WHATWG) turns every spelling of an address into one, so decimal, octal, hexadecimal and short forms are seen through.
import { isIP } from "node:net";
import type { AddressRules } from "./addresses.ts";

/** What about a URL is refused; the metadata of WEBHOOK_URL_REFUSED. */
export type UrlRule = "format" | "scheme" | "credentials" | "host" | "port" | "address";

/** Webhooks may not go there. */
export class UrlRefused extends Error {
  override readonly name = "UrlRefused";
  readonly rule: UrlRule;

  constructor(rule: UrlRule) {
    super(`webhooks may not go there: ${rule}`);
    this.rule = rule;
  }
}

/** What the operator allows. */
export interface UrlRules {
  readonly addresses: AddressRules;
  /** Whether http is good enough. */
  readonly allowHttp: boolean;
}

/** Where a delivery goes. */
export interface Target {
  readonly url: URL;
  /** The name, or the address without brackets. */
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
}

/** Ports above 1023 that speak something else (the list of the Fetch standard): an HTTP request must not be taken for it. */
const badPorts = new Set([
  1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10_080,
]);
const lowPorts = new Set([80, 443]);

/** Reads a URL. Throws UrlRefused. Names are judged when the connection is made, by what they stand for then. */
export function targetOf(text: string, { addresses, allowHttp }: UrlRules): Target {
  // The parser drops tabs and line breaks, which no URL needs.
  if (hasControl(text) || !URL.canParse(text)) throw new UrlRefused("format");
  const url = new URL(text);
  const tls = url.protocol === "https:";
  if (!tls && !(allowHttp && url.protocol === "http:")) throw new UrlRefused("scheme");
  if (url.username !== "" || url.password !== "") throw new UrlRefused("credentials");
  url.hash = "";
  const host = url.hostname.replace(/^\[|\]$/g, "").replace(/\.$/, "");
  if (host === "" || host.endsWith(".")) throw new UrlRefused("host");
  const port = url.port === "" ? (tls ? 443 : 80) : Number(url.port);
  if (badPorts.has(port) || (port < 1024 && !lowPorts.has(port))) throw new UrlRefused("port");
  if (isIP(host) !== 0) {
    if (!addresses.allows(host)) throw new UrlRefused("address");
  } else if (isLocalName(host) && !addresses.allows("127.0.0.1")) {
    throw new UrlRefused("address");
  }
  return { url, host, port, tls };
}

/** Names that always stand for this machine (RFC 6761). */
function isLocalName(host: string): boolean {
  return host === "localhost" || host.endsWith(".localhost");
}

function hasControl(text: string): boolean {
  for (const character of text) if (character <= " " || character === "\u007f") return true;
  return false;
}
