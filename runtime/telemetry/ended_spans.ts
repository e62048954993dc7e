// Shows spans that ended to somebody in the same process.

import { SpanKind as OtelKind, SpanStatusCode } from "@opentelemetry/api";
import type { ReadableSpan, SpanProcessor } from "@opentelemetry/sdk-trace";
import type { SpanKind } from "./span.ts";
import type { EndedSpan } from "./telemetry.ts";

const kinds: Readonly<Record<OtelKind, SpanKind>> = {
  [OtelKind.SERVER]: "server",
  [OtelKind.CLIENT]: "client",
  [OtelKind.INTERNAL]: "internal",
  [OtelKind.PRODUCER]: "producer",
  [OtelKind.CONSUMER]: "consumer",
};

export class EndedSpans implements SpanProcessor {
  readonly #service: string;
  readonly #tell: (span: EndedSpan) => void;

  constructor(service: string, tell: (span: EndedSpan) => void) {
    this.#service = service;
    this.#tell = tell;
  }

  onStart(): void {}

  onEnd(span: ReadableSpan): void {
    const { traceId, spanId } = span.spanContext();
    this.#tell({
      service: this.#service,
      name: span.name,
      kind: kinds[span.kind],
      traceId,
      spanId,
      sampled: true,
      parentSpanId: span.parentSpanContext?.spanId,
      startMs: millisecondsOf(span.startTime),
      durationMs: millisecondsOf(span.duration),
      attributes: span.attributes,
      events: span.events.map(({ name }) => name),
      links: span.links.map(({ context }) => context.traceId),
      failed: span.status.code === SpanStatusCode.ERROR,
    });
  }

  async forceFlush(): Promise<void> {}
  async shutdown(): Promise<void> {}
}

function millisecondsOf([seconds, nanoseconds]: readonly [number, number]): number {
  return seconds * 1000 + nanoseconds / 1e6;
}
