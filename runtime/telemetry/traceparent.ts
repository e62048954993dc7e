// The header `traceparent` of W3C Trace Context, by which a trace goes from one process to the next.

import { activeSpan, type SpanPlace } from "./span.ts";

const shape = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;

/** What a header says; undefined when it says nothing that can be believed. */
export function parseTraceparent(header: string | null | undefined): SpanPlace | undefined {
  const [, version, traceId, spanId, flags, rest] = shape.exec(header ?? "") ?? [];
  if (traceId === undefined || spanId === undefined || flags === undefined || version === "ff") return undefined;
  // Only later versions may say more.
  if (version === "00" && rest !== undefined) return undefined;
  if (/^0+$/.test(traceId) || /^0+$/.test(spanId)) return undefined;
  return { traceId, spanId, sampled: (Number.parseInt(flags, 16) & 1) === 1 };
}

/** The header for whoever is called from there. */
export function formatTraceparent({ traceId, spanId, sampled }: SpanPlace): string {
  return `00-${traceId}-${spanId}-${sampled ? "01" : "00"}`;
}

/** Where a row is made that somebody will read later, for that row; null where nothing is recorded. */
export function tracePlaceForRow(): string | null {
  const span = activeSpan();
  return span?.sampled === true ? formatTraceparent(span) : null;
}
