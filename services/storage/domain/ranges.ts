// Arithmetic on sets of byte ranges. A set is a sorted list of half-open ranges that neither meet nor touch.

/** Bytes from `start` up to, and not including, `end`. */
export interface Range {
  readonly start: number;
  readonly end: number;
}

/** Sorted, disjoint, not touching. */
export type RangeSet = readonly Range[];

/** The set with the range added; what touches becomes one. */
export function addRange(set: RangeSet, range: Range): RangeSet {
  if (range.end <= range.start) return set;
  let { start, end } = range;
  const before: Range[] = [];
  const after: Range[] = [];
  for (const other of set) {
    if (other.end < start) before.push(other);
    else if (other.start > end) after.push(other);
    else {
      start = Math.min(start, other.start);
      end = Math.max(end, other.end);
    }
  }
  return [...before, { start, end }, ...after];
}

/** The set without the range. */
export function removeRange(set: RangeSet, range: Range): RangeSet {
  if (range.end <= range.start) return set;
  return set.flatMap((other) => {
    const rest: Range[] = [];
    if (other.start < range.start) rest.push({ start: other.start, end: Math.min(other.end, range.start) });
    if (other.end > range.end) rest.push({ start: Math.max(other.start, range.end), end: other.end });
    return rest;
  });
}

/** How many bytes the set has. */
export function sizeOf(set: RangeSet): number {
  return set.reduce((sum, { start, end }) => sum + end - start, 0);
}

/** Where the bytes end that reach from 0 without a gap. */
export function contiguousEnd(set: RangeSet): number {
  const first = set[0];
  return first?.start === 0 ? first.end : 0;
}

/** Where the last byte ends. */
export function lastEnd(set: RangeSet): number {
  return set.at(-1)?.end ?? 0;
}

/** The range that holds the byte, if there is one. */
export function rangeAt(set: RangeSet, offset: number): Range | undefined {
  return set.find(({ start, end }) => start <= offset && offset < end);
}

/** Where the first range begins that begins at or after the offset; Infinity when none does. */
export function nextStart(set: RangeSet, offset: number): number {
  return set.find(({ start }) => start >= offset)?.start ?? Number.POSITIVE_INFINITY;
}

/** Whether two ranges share a byte. Empty ranges share none. */
export function meets(a: Range, b: Range): boolean {
  return Math.max(a.start, b.start) < Math.min(a.end, b.end);
}

/** The set as it is kept in a row. */
export function encodeRanges(set: RangeSet): string {
  return JSON.stringify(set.map(({ start, end }) => [start, end]));
}

/** The set of a row. */
export function decodeRanges(text: string): RangeSet {
  return (JSON.parse(text) as [number, number][]).map(([start, end]) => ({ start, end }));
}
