// The header in which a sidecar says whose certificate it saw: x-forwarded-client-cert. Each proxy appends an element;
// only the last one is our own sidecar's, and whatever stands before it came over the network.

/** The name of the header. */
export const forwardedCertificateHeader = "x-forwarded-client-cert";

/** What the last element of the header says. */
export interface ForwardedCertificate {
  /** The URI names of the peer's certificate. */
  readonly uris: readonly string[];
  /** The URI names of the certificate of the proxy that wrote it. */
  readonly by: readonly string[];
}

const longest = 16_384;

/**
 * Reads the last element. The whole header is parsed from its beginning, so that a quote opened by somebody earlier
 * cannot hide or split what the sidecar appended; undefined for anything that is not exactly well-formed.
 */
export function lastForwardedCertificate(header: string): ForwardedCertificate | undefined {
  if (header === "" || header.length > longest) return undefined;
  const element =
    /[ \t]*[A-Za-z]+=(?:"(?:[^"\\]|\\.)*"|[^",;\\]*)(?:;[A-Za-z]+=(?:"(?:[^"\\]|\\.)*"|[^",;\\]*))*[ \t]*/y;
  let last = "";
  for (let at = 0; ; ) {
    element.lastIndex = at;
    const match = element.exec(header);
    if (match === null) return undefined;
    last = match[0];
    at += last.length;
    if (at === header.length) break;
    if (header[at] !== ",") return undefined;
    at += 1;
  }
  return { uris: valuesOf(last, "uri"), by: valuesOf(last, "by") };
}

function valuesOf(element: string, key: string): string[] {
  const values: string[] = [];
  for (const [, name, quoted, plain] of element.matchAll(/([A-Za-z]+)=(?:"((?:[^"\\]|\\.)*)"|([^",;\\]*))/g)) {
    if (name?.toLowerCase() === key) values.push(quoted?.replace(/\\(.)/g, "$1") ?? plain?.trim() ?? "");
  }
  return values;
}
