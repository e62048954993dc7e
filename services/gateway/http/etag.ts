// Comparing entity tags (RFC 9110, section 8.8.3).

const tags = /(?:W\/)?"[\x21\x23-\x7e\x80-\xff]*"/g;

/** Whether one of the tags of an `If-None-Match` is this one, by weak comparison. */
export function etagMatches(header: string, etag: string): boolean {
  if (header.trim() === "*") return true;
  return (header.match(tags) ?? []).some((tag) => opaque(tag) === opaque(etag));
}

/** Whether one of the tags of an `If-Match` or `If-Range` is this one, by strong comparison. */
export function etagMatchesStrongly(header: string, etag: string): boolean {
  if (header.trim() === "*") return true;
  return (header.match(tags) ?? []).some((tag) => tag === etag && !tag.startsWith("W/"));
}

function opaque(tag: string): string {
  return tag.replace(/^W\//, "");
}
