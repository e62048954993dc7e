// The span that is under way: what the code between a request and its statements needs of tracing, with nothing of
// OpenTelemetry loaded. Where nothing is traced, all of it is one look at an empty place.

import { AsyncLocalStorage } from "node:async_hooks";

/** What the span stands for, in OpenTelemetry's words. */
export type SpanKind = "server" | "client" | "internal" | "producer" | "consumer";

/** What may be said of a span: names, numbers, codes. Never contents, titles, tokens or values of statements. */
export type Attributes = Readonly<Record<string, string | number | boolean | undefined>>;

/** Where a span is, as `traceparent` says it. */
export interface SpanPlace {
  /** 32 hexadecimal digits. */
  readonly traceId: string;
  /** 16 hexadecimal digits. */
  readonly spanId: string;
  /** Whether it is recorded. */
  readonly sampled: boolean;
}

/** A span that has begun. One that is not sampled records nothing, and still says where it is. */
export interface LiveSpan extends SpanPlace {
  /** Begins a span beneath this one; undefined where nothing is recorded, or when the trace has enough of them. */
  child(name: string, kind: SpanKind, attributes?: Attributes): LiveSpan | undefined;
  set(attributes: Attributes): void;
  /** Changes the name, once more is known. */
  rename(name: string): void;
  /** Something that happened within it; after the first 64 they are only counted. */
  event(name: string, attributes?: Attributes): void;
  /** Another trace that this one has to do with; after the first 16 they are left out. */
  link(place: SpanPlace): void;
  /** It went wrong; `type` is a code or the name of an error, never its message. */
  fail(type: string): void;
  end(): void;
}

const storage = new AsyncLocalStorage<LiveSpan | undefined>();

/** The span under way. */
export function activeSpan(): LiveSpan | undefined {
  return storage.getStore();
}

/** Runs while the span is under way; with none, as it is. Does not end it. */
export function within<T>(span: LiveSpan | undefined, run: () => T): T {
  return span === undefined ? run() : storage.run(span, run);
}

/** Runs as if nobody had asked for it: for work that outlives the request that began it. */
export function detached<T>(run: () => T): T {
  return storage.getStore() === undefined ? run() : storage.run(undefined, run);
}

/** Iterates with the span under way in the source, whoever asks for the next item. */
export function iterateWithin<T>(span: LiveSpan | undefined, source: AsyncIterable<T>): AsyncIterable<T> {
  if (span === undefined) return source;
  return {
    [Symbol.asyncIterator]() {
      const iterator = storage.run(span, () => source[Symbol.asyncIterator]());
      return {
        next: (...args) => storage.run(span, () => iterator.next(...args)),
        return: async (value) =>
          await storage.run(span, async () => (await iterator.return?.(value)) ?? { done: true, value }),
      };
    },
  };
}

/** Does something as a span beneath the one under way, if there is one; what it throws makes the span fail. */
export function traced<T>(
  name: string,
  kind: SpanKind,
  attributes: Attributes,
  run: (span: LiveSpan | undefined) => Promise<T>,
): Promise<T> {
  const span = storage.getStore()?.child(name, kind, attributes);
  return span === undefined ? run(undefined) : tracedBy(span, run);
}

async function tracedBy<T>(span: LiveSpan, run: (span: LiveSpan) => Promise<T>): Promise<T> {
  try {
    return await storage.run(span, () => run(span));
  } catch (error) {
    span.fail(errorType(error));
    throw error;
  } finally {
    span.end();
  }
}

/** What an error is called: its code, or its class. */
export function errorType(error: unknown): string {
  const { code, name } = (typeof error === "object" && error !== null ? error : {}) as {
    code?: unknown;
    name?: unknown;
  };
  if (typeof code === "string" && code !== "") return code;
  return typeof name === "string" && name !== "" ? name : "Error";
}
