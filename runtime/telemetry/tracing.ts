// Spans by OpenTelemetry's SDK. Whether a trace is recorded is decided once, where it begins; then the SDK records all it
// is given. One Tracing for each service, so that several in one process are told apart by their resource.

import { randomFillSync } from "node:crypto";
import {
  type Attributes as OtelAttributes,
  ROOT_CONTEXT,
  type Span,
  type SpanContext,
  SpanKind as OtelKind,
  SpanStatusCode,
  TraceFlags,
  type Tracer,
  trace,
} from "@opentelemetry/api";
import type { Attributes, LiveSpan, SpanKind, SpanPlace } from "./span.ts";
import type { StartOptions, Tracing } from "./telemetry.ts";

/** Spans in one process and one local part of a trace: a stream that lives for an hour must not fill the memory of those who look at it. */
const spansOfPart = 512;
const eventsOfSpan = 64;
const linksOfSpan = 16;

const kinds: Readonly<Record<SpanKind, OtelKind>> = {
  server: OtelKind.SERVER,
  client: OtelKind.CLIENT,
  internal: OtelKind.INTERNAL,
  producer: OtelKind.PRODUCER,
  consumer: OtelKind.CONSUMER,
};

/** Makes the spans of one service. `ratio` is the share of traces begun here that is recorded. */
export function createTracing(tracer: Tracer, ratio: number, followsProxies: boolean): Tracing {
  return {
    decide: (parent, trusted) =>
      followsProxies && trusted && parent !== undefined ? parent.sampled : Math.random() < ratio,
    start(name, kind, options: StartOptions = {}) {
      const { parent, attributes, links, sampled = parent?.sampled ?? Math.random() < ratio } = options;
      if (!sampled) return new SilentSpan(parent?.traceId ?? randomDigits(16));
      const context =
        parent === undefined
          ? ROOT_CONTEXT
          : trace.setSpanContext(ROOT_CONTEXT, { ...contextOf(parent), isRemote: true });
      const begun = {
        kind: kinds[kind],
        attributes: present(attributes),
        ...(links && { links: links.map((link) => ({ context: { ...contextOf(link), isRemote: true } })) }),
      };
      return new RecordedSpan(tracer, tracer.startSpan(name, begun, context), { left: spansOfPart, dropped: 0 });
    },
  };
}

const pool = Buffer.alloc(4_096);
let used = pool.length;

/** Digits of an id; random bytes are made many at once, since that is what takes time. */
function randomDigits(bytes: number): string {
  if (used + bytes > pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  used += bytes;
  return pool.toString("hex", used - bytes, used);
}

function contextOf({ traceId, spanId }: SpanPlace): SpanContext {
  return { traceId, spanId, traceFlags: TraceFlags.SAMPLED };
}

function present(attributes: Attributes | undefined): OtelAttributes {
  const known: OtelAttributes = {};
  for (const name in attributes) {
    const value = attributes[name];
    if (value !== undefined && value !== "") known[name] = value;
  }
  return known;
}

/** How many spans this part of a trace may still begin. */
interface Allowance {
  left: number;
  dropped: number;
}

class RecordedSpan implements LiveSpan {
  readonly sampled = true;
  readonly traceId: string;
  readonly spanId: string;
  readonly #tracer: Tracer;
  readonly #span: Span;
  readonly #allowance: Allowance;
  readonly #isChild: boolean;
  #events = 0;
  #links = 0;

  constructor(tracer: Tracer, span: Span, allowance: Allowance, isChild = false) {
    const { traceId, spanId } = span.spanContext();
    this.traceId = traceId;
    this.spanId = spanId;
    this.#tracer = tracer;
    this.#span = span;
    this.#allowance = allowance;
    this.#isChild = isChild;
  }

  child(name: string, kind: SpanKind, attributes?: Attributes): LiveSpan | undefined {
    if (this.#allowance.left <= 0) {
      this.#allowance.dropped += 1;
      return undefined;
    }
    this.#allowance.left -= 1;
    const context = trace.setSpan(ROOT_CONTEXT, this.#span);
    const span = this.#tracer.startSpan(name, { kind: kinds[kind], attributes: present(attributes) }, context);
    return new RecordedSpan(this.#tracer, span, this.#allowance, true);
  }

  set(attributes: Attributes): void {
    this.#span.setAttributes(present(attributes));
  }

  rename(name: string): void {
    this.#span.updateName(name);
  }

  event(name: string, attributes?: Attributes): void {
    this.#events += 1;
    if (this.#events <= eventsOfSpan) this.#span.addEvent(name, present(attributes));
  }

  link(place: SpanPlace): void {
    this.#links += 1;
    if (this.#links <= linksOfSpan) this.#span.addLink({ context: { ...contextOf(place), isRemote: true } });
  }

  fail(type: string): void {
    this.#span.setAttribute("error.type", type);
    this.#span.setStatus({ code: SpanStatusCode.ERROR });
  }

  end(): void {
    if (this.#events > eventsOfSpan) this.#span.setAttribute("docket.events.dropped", this.#events - eventsOfSpan);
    if (this.#links > linksOfSpan) this.#span.setAttribute("docket.links.dropped", this.#links - linksOfSpan);
    if (!this.#isChild && this.#allowance.dropped > 0) {
      this.#span.setAttribute("docket.spans.dropped", this.#allowance.dropped);
    }
    this.#span.end();
  }
}

/** Records nothing; its ids go into logs and onwards all the same. */
class SilentSpan implements LiveSpan {
  readonly sampled = false;
  readonly spanId = randomDigits(8);
  readonly traceId: string;

  constructor(traceId: string) {
    this.traceId = traceId;
  }

  child(): undefined {}
  set(): void {}
  rename(): void {}
  event(): void {}
  link(): void {}
  fail(): void {}
  end(): void {}
}
