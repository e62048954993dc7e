// Pages travel compressed. They hold no secret beside what the visitor may see (the session is in a cookie that no page
// repeats), so that their length betrays nothing (BREACH).

import { brotliCompressSync, constants, gzipSync } from "node:zlib";

/** Below this many bytes it is not worth it. */
const least = 1024;

export default defineNitroPlugin((nitro) => {
  if (import.meta.dev) return;
  nitro.hooks.hook("render:response", (response, { event }) => {
    if (typeof response.body !== "string" || response.body.length < least) return;
    // The page of an error is read as text by the renderer itself before it is sent.
    if (getRequestHeader(event, "x-nuxt-error") !== undefined) return;
    const encoding = encodingOf(getRequestHeader(event, "accept-encoding") ?? "");
    appendResponseHeader(event, "vary", "accept-encoding");
    if (encoding === undefined) return;
    setResponseHeader(event, "content-encoding", encoding);
    response.body = encoding === "br" ? brotli(response.body) : gzipSync(response.body);
  });
});

/** The best that the visitor takes; a coding with `q=0` is refused by them (RFC 9110, section 12.5.3). */
function encodingOf(accepted: string): "br" | "gzip" | undefined {
  const names = accepted
    .split(",")
    .map((part) =>
      part
        .trim()
        .toLowerCase()
        .split(/\s*;\s*/),
    )
    .filter(([, weight]) => !/^q=0(\.0*)?$/.test(weight ?? ""))
    .map(([name]) => name);
  if (names.includes("br")) return "br";
  return names.includes("gzip") ? "gzip" : undefined;
}

/** Quality 4 costs a tenth of the best one and is a few per cent larger. */
function brotli(text: string): Buffer {
  return brotliCompressSync(text, { params: { [constants.BROTLI_PARAM_QUALITY]: 4 } });
}
