// `Content-Disposition` (RFC 6266) for names that may hold anything: no name breaks out of its header, hides its true
// extension behind direction marks, or names a place.

/** Types that no browser runs anything of, even when shown in place. */
const inlineTypes = new Set([
  "image/png",
  "image/jpeg",
  "image/gif",
  "image/webp",
  "image/avif",
  "text/plain",
  "audio/mpeg",
  "audio/ogg",
  "audio/wav",
  "audio/webm",
  "video/mp4",
  "video/ogg",
  "video/webm",
]);

export function mayShowInline(mediaType: string): boolean {
  return inlineTypes.has(mediaType.split(";", 1)[0]?.trim().toLowerCase() ?? "");
}

/** The header's value: a plain ASCII name for old clients, and the true one in UTF-8 where it differs. */
export function contentDisposition(kind: "attachment" | "inline", name: string): string {
  const clean = cleanName(name);
  const ascii = clean.replace(/[^\x20-\x7e]/gu, "_").replace(/["\\%]/g, "_");
  const plain = `${kind}; filename="${ascii}"`;
  return ascii === clean ? plain : `${plain}; filename*=UTF-8''${encodeExtended(clean)}`;
}

/** Control and direction characters, separators of paths and lone surrogates become underscores. */
export function cleanName(name: string): string {
  const clean = name
    .toWellFormed()
    .replace(/[\p{Cc}\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff\ufffd]/gu, "_")
    .replace(/[/\\]/g, "_")
    .replace(/^[\s.]+|[\s.]+$/g, "")
    .slice(0, 255)
    .toWellFormed();
  return clean === "" ? "download" : clean;
}

/** RFC 8187: percent-encoded UTF-8, with its own short list of what may stay. */
function encodeExtended(text: string): string {
  return encodeURIComponent(text).replace(
    /['()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

const mediaType = /^[a-z0-9!#$&^_.+-]+\/[a-z0-9!#$&^_.+-]+(; ?[a-z0-9-]+=[a-z0-9._-]+)*$/i;

/** The type to answer with: the claimed one when it is well-formed; never one that a page could load as its own script. */
export function answerType(claimed: string): string {
  const type = claimed.trim();
  if (!mediaType.test(type) || /^(multipart|message)\//i.test(type)) return "application/octet-stream";
  return type;
}
