// Refuses what a foreign site makes a person's browser send. There is no CORS: a browser lets a foreign page send only
// what needs no preflight, and of that nothing may have an effect.

export interface SiteRequest {
  readonly method: string;
  /** Header values by lower-case name. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** The host that the client addressed. */
  readonly host: string;
  /** Whether its session came in a cookie, which browsers attach by themselves. */
  readonly cookie: boolean;
}

/** What a form or a simple fetch may send without asking first. */
const safelistedTypes = new Set(["", "application/x-www-form-urlencoded", "multipart/form-data", "text/plain"]);

/** Headers that no foreign page can set without a preflight. */
const ownHeaders = ["connect-protocol-version", "tus-resumable", "x-grpc-web", "x-docket-request"];

const safeMethods = new Set(["GET", "HEAD", "OPTIONS"]);

/**
 * Whether a request must be refused. `publicOrigin` is the one origin that browsers see, when the operator has set it;
 * otherwise a page's origin must be the host that it addresses.
 */
export function isCrossSite(request: SiteRequest, publicOrigin: string | undefined): boolean {
  const fetchSite = single(request.headers["sec-fetch-site"]);
  const origin = single(request.headers.origin);
  if (safeMethods.has(request.method)) {
    // Links from elsewhere are fine; scripts, images and fetches from elsewhere are not.
    const navigation = single(request.headers["sec-fetch-mode"]) === "navigate";
    return fetchSite === "cross-site" && !navigation;
  }
  if (fetchSite !== undefined && fetchSite !== "same-origin" && fetchSite !== "none") return true;
  if (origin !== undefined && !sameOrigin(origin, request.host, publicOrigin)) return true;
  return request.cookie && !provesScript(request);
}

function sameOrigin(origin: string, host: string, publicOrigin: string | undefined): boolean {
  if (publicOrigin !== undefined) return origin === publicOrigin;
  if (!URL.canParse(origin)) return false;
  return new URL(origin).host === host.toLowerCase();
}

function provesScript({ headers }: SiteRequest): boolean {
  if (ownHeaders.some((name) => headers[name] !== undefined)) return true;
  const type = (single(headers["content-type"]) ?? "").split(";", 1)[0]?.trim().toLowerCase() ?? "";
  return !safelistedTypes.has(type);
}

function single(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value.join(",") : value;
}
