// Which lines of a long list are in the page. Lines have one height, which the stylesheet sets as `--line`; so the space
// before and behind is known without measuring, also on the server, and nothing jumps when lines come and go.

export interface LineWindow {
  /** The first line in the page. */
  readonly start: number;
  /** The line behind the last one in the page. */
  readonly end: number;
}

/** So many lines beyond the visible ones are kept in the page at either side. */
const beyond = 10;
/** The window moves by whole steps, so that most scrolling changes nothing. */
const step = 6;
/** How many lines the server renders, and the browser until it has measured. */
export const linesAtFirst = 40;

/** The lines to have in the page. */
export function lineWindow(top: number, height: number, line: number, count: number): LineWindow {
  if (line <= 0) return { start: 0, end: Math.min(count, linesAtFirst) };
  const first = Math.floor(Math.max(0, top) / line);
  const aligned = Math.floor((first - beyond) / step) * step;
  const room = Math.ceil(height / line) + 2 * beyond + step;
  const end = Math.min(count, aligned + room);
  const start = Math.max(0, aligned);
  return { start: Math.min(start, Math.max(0, end - 1)), end };
}

/** Where to scroll so that a line is wholly seen: as little as possible. `head` lies over the first lines. */
export function topToSee(index: number, top: number, height: number, line: number, head: number): number {
  const from = index * line;
  if (from < top) return from;
  const to = from + line + head;
  return to > top + height ? to - height : top;
}
