// What the programs of this folder say: lines for people, and faults, of which there must be none.

/** What one program found. */
export interface Finding {
  readonly title: string;
  readonly lines: readonly string[];
  /** What is wrong; empty when all is well. */
  readonly faults: readonly string[];
  /** How many tests it stands for. Default: one. */
  readonly tests?: { readonly passed: number; readonly failed: number };
}

/** The value below which a share of the sorted values lies; 0 when there are none. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
}

/** `12 ms`, `3.4 s` */
export function duration(ms: number): string {
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}

/** How often each text is among these, most often first. */
export function tally(texts: readonly string[]): string {
  const counts = Map.groupBy(texts, (text) => text);
  const sorted = [...counts].map(([text, all]) => [text, all.length] as const).sort((a, b) => b[1] - a[1]);
  return sorted.map(([text, count]) => `${count} × ${text}`).join(", ");
}
