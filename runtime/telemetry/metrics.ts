// Instruments as the rest of the code sees them. The SDK adds up; what it has no word for is kept here: series that are
// there at 0 before anything happened, and one example per bucket, the trace that was last counted in it.

import type { Meter } from "@opentelemetry/api";
import { activeSpan, type Attributes, type LiveSpan } from "./span.ts";

/** Labels of a series. */
export type Labels = Readonly<Record<string, string>>;

/** What an instrument says of itself. */
export interface InstrumentOptions {
  readonly description: string;
  /** In UCUM: `s`, `By`, `1` for a ratio, `{call}` for things that are counted. */
  readonly unit: string;
}

/** Counts what happens. */
export interface Counter {
  add(labels: Labels, count?: number): void;
}

/** Counts and adds up values by size. */
export interface Histogram {
  /** The series of these labels; it is shown at 0 from now on. Keep it where values come often. */
  series(labels: Labels): Series;
}

/** One line of a histogram. */
export interface Series {
  /** `span` is the example for this value; default: the one under way. */
  record(value: number, span?: LiveSpan | undefined): void;
}

/** One value of a gauge. */
export interface Observation {
  readonly value: number;
  readonly labels?: Labels;
}

/** The instruments of one service. Names are OpenTelemetry's, with dots. */
export interface Metrics {
  counter(name: string, options: InstrumentOptions): Counter;
  histogram(name: string, options: InstrumentOptions & { readonly bounds: readonly number[] }): Histogram;
  /** `observe` is asked whenever somebody looks. What it throws, or is late with, is left out. Dispose to end it. */
  gauge(
    name: string,
    options: InstrumentOptions,
    observe: () => readonly Observation[] | Promise<readonly Observation[]>,
  ): Disposable;
  /** Like a gauge, of a number that only grows. */
  total(name: string, options: InstrumentOptions, observe: () => readonly Observation[]): Disposable;
}

/** A value that somebody can look at in full. */
export interface Exemplar {
  readonly value: number;
  readonly traceId: string;
  readonly spanId: string;
  /** Milliseconds since 1970. */
  readonly at: number;
}

/** What is kept of a series beside the SDK. */
export interface KeptSeries {
  readonly labels: Labels;
  readonly bounds: readonly number[];
  /** By bucket. */
  readonly exemplars: readonly (Exemplar | undefined)[];
}

/** What is kept of a histogram. */
export interface KeptHistogram extends InstrumentOptions {
  /** By {@link seriesKey}. */
  readonly series: ReadonlyMap<string, KeptSeries>;
}

/** Histograms by name. */
export type SeriesBook = ReadonlyMap<string, KeptHistogram>;

/** How long a gauge may take to find out. */
const observeMs = 1_000;

/** The same for the same labels, in whatever order. */
export function seriesKey(labels: Attributes): string {
  return Object.keys(labels)
    .sort()
    .map((name) => `${name}\u0001${labels[name]}`)
    .join("\u0002");
}

/** Instruments over an SDK's meter, and what is kept beside it. */
export function createMetrics(meter: Meter): { readonly metrics: Metrics; readonly book: SeriesBook } {
  const book = new Map<string, InstrumentOptions & { readonly series: Map<string, BoundSeries> }>();
  const metrics: Metrics = {
    counter(name, options) {
      const counter = meter.createCounter(name, options);
      return { add: (labels, count = 1) => counter.add(count, labels) };
    },
    histogram(name, { bounds, ...options }) {
      const histogram = meter.createHistogram(name, {
        ...options,
        advice: { explicitBucketBoundaries: [...bounds] },
      });
      const kept = book.get(name) ?? { ...options, series: new Map<string, BoundSeries>() };
      book.set(name, kept);
      const { series: known } = kept;
      const record = (value: number, labels: Labels) => histogram.record(value, labels);
      return {
        series(labels) {
          const key = seriesKey(labels);
          const found = known.get(key);
          if (found !== undefined) return found;
          const made = new BoundSeries(labels, bounds, record);
          known.set(key, made);
          return made;
        },
      };
    },
    gauge(name, options, observe) {
      const gauge = meter.createObservableGauge(name, options);
      const callback = async (result: { observe(value: number, labels?: Labels): void }) => {
        for (const { value, labels } of await inTime(observe)) result.observe(value, labels ?? {});
      };
      gauge.addCallback(callback);
      return { [Symbol.dispose]: () => gauge.removeCallback(callback) };
    },
    total(name, options, observe) {
      const counter = meter.createObservableCounter(name, options);
      const callback = (result: { observe(value: number, labels?: Labels): void }) => {
        for (const { value, labels } of observe()) result.observe(value, labels ?? {});
      };
      counter.addCallback(callback);
      return { [Symbol.dispose]: () => counter.removeCallback(callback) };
    },
  };
  return { metrics, book };
}

class BoundSeries implements Series, KeptSeries {
  readonly labels: Labels;
  readonly bounds: readonly number[];
  readonly exemplars: (Exemplar | undefined)[];
  readonly #record: (value: number, labels: Labels) => void;

  constructor(labels: Labels, bounds: readonly number[], record: (value: number, labels: Labels) => void) {
    this.labels = labels;
    this.bounds = bounds;
    this.exemplars = new Array<Exemplar | undefined>(bounds.length + 1);
    this.#record = record;
  }

  record(value: number, span: LiveSpan | undefined = activeSpan()): void {
    this.#record(value, this.labels);
    if (span?.sampled !== true) return;
    let bucket = 0;
    while (bucket < this.bounds.length && value > (this.bounds[bucket] ?? 0)) bucket += 1;
    this.exemplars[bucket] = { value, traceId: span.traceId, spanId: span.spanId, at: Date.now() };
  }
}

/** A database that is away must not hold up whoever looks at the rest. */
async function inTime(observe: () => readonly Observation[] | Promise<readonly Observation[]>) {
  const answer = observe();
  if (!("then" in answer)) return answer;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<readonly Observation[]>((resolve) => {
    timer = setTimeout(resolve, observeMs, []);
  });
  try {
    return await Promise.race([answer, late]);
  } catch {
    return [];
  } finally {
    clearTimeout(timer);
  }
}
