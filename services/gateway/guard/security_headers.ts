// What every answer of the edge tells browsers not to do with it.

import type { EdgeResponse } from "../listener/listener.ts";

const always: readonly (readonly [string, string])[] = [
  ["x-content-type-options", "nosniff"],
  ["referrer-policy", "no-referrer"],
  ["x-frame-options", "DENY"],
  ["content-security-policy", "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"],
  ["cross-origin-resource-policy", "same-origin"],
  ["cross-origin-opener-policy", "same-origin"],
  ["cache-control", "no-store"],
];

/** Sets the headers; a route may replace one that does not fit (caching, the sandbox of files). */
export function setSecurityHeaders(response: EdgeResponse, https: boolean): void {
  for (const [name, value] of always) response.setHeader(name, value);
  if (https) response.setHeader("strict-transport-security", "max-age=31536000; includeSubDomains");
}
