// Links in what people write: only those that lead somewhere, never those that run something.

/** A piece of text, or a link. */
export interface TextPiece {
  readonly text: string;
  readonly href?: string;
}

const address = /\bhttps?:\/\/[^\s<>"'`{}|\\^]+/gi;

/** Plain text cut into pieces, with the web addresses in it as links. */
export function linkedText(text: string): TextPiece[] {
  const pieces: TextPiece[] = [];
  let end = 0;
  for (const found of text.matchAll(address)) {
    const href = trimmed(found[0]);
    if (!isWebAddress(href)) continue;
    if (found.index > end) pieces.push({ text: text.slice(end, found.index) });
    pieces.push({ text: href, href });
    end = found.index + href.length;
  }
  if (end < text.length) pieces.push({ text: text.slice(end) });
  return pieces;
}

/** Whether a link leads to the web or to a mailbox, and runs nothing. */
export function isWebAddress(href: string): boolean {
  try {
    return ["http:", "https:", "mailto:"].includes(new URL(href).protocol);
  } catch {
    return false;
  }
}

/** The punctuation after an address belongs to the sentence; so does a bracket that was opened before it. */
function trimmed(found: string): string {
  let text = found;
  for (;;) {
    const last = text.at(-1) ?? "";
    if (/[.,;:!?]/.test(last)) text = text.slice(0, -1);
    else if (last === ")" && text.split("(").length < text.split(")").length) text = text.slice(0, -1);
    else return text;
  }
}
