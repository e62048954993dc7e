// Bytes as text.

/** How much of a file is fetched to be read in place, in bytes. */
export const textLimit = 1024 * 1024;

/** Text, or nothing where the bytes are none. */
export interface DecodedText {
  readonly text: string;
  /** The encoding it was read in. */
  readonly encoding: "utf-8" | "utf-16le" | "utf-16be" | "windows-1252";
}

/** Reads bytes as UTF-8, or as what their first bytes say; else as windows-1252. Undefined: this is no text. */
export function decodeText(bytes: Uint8Array, truncated = false): DecodedText | undefined {
  const marked = markOf(bytes);
  if (marked !== undefined) return { text: new TextDecoder(marked).decode(bytes), encoding: marked };
  if (bytes.subarray(0, 8192).includes(0)) return undefined;
  try {
    // The end may lie within a character when more bytes follow.
    return { text: new TextDecoder("utf-8", { fatal: true }).decode(bytes, { stream: truncated }), encoding: "utf-8" };
  } catch {
    return { text: new TextDecoder("windows-1252").decode(bytes), encoding: "windows-1252" };
  }
}

function markOf(bytes: Uint8Array): "utf-8" | "utf-16le" | "utf-16be" | undefined {
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) return "utf-8";
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return "utf-16le";
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return "utf-16be";
  return undefined;
}

/** The lines of a text, at most so many. */
export function linesOf(text: string, limit: number): { lines: string[]; more: boolean } {
  const lines = text.split(/\r\n|\r|\n/, limit + 1);
  if (lines.length > 1 && lines.at(-1) === "" && lines.length <= limit) lines.pop();
  return { lines: lines.slice(0, limit), more: lines.length > limit };
}

/** JSON with two spaces for each level; as it was where it is none. */
export function prettyJson(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
