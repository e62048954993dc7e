// Metrics as text, in the two forms that Prometheus reads: its own and OpenMetrics, which has examples too. The SDK's
// exporter knows no examples and no series at 0, so this one is ours.

import type { Attributes } from "@opentelemetry/api";
import {
  DataPointType,
  type Histogram as HistogramValue,
  type MetricData,
  type ResourceMetrics,
} from "@opentelemetry/sdk-metrics";
import { type Exemplar, type SeriesBook, seriesKey } from "./metrics.ts";

/** Which of the two. */
export type Form = "text" | "openmetrics";

/** What each is called in HTTP. */
export const contentTypes: Readonly<Record<Form, string>> = {
  text: "text/plain; version=0.0.4; charset=utf-8",
  openmetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8",
};

/** All series of one name. */
export interface Family {
  readonly name: string;
  readonly kind: "counter" | "gauge" | "histogram" | "info";
  readonly help: string;
  readonly samples: Sample[];
}

interface Sample {
  /** What follows the family's name: `_bucket`. */
  readonly suffix: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
  readonly exemplar?: Exemplar | undefined;
}

/** What one service has measured, with what is kept beside the SDK. */
export function familiesOf({ resource, scopeMetrics }: ResourceMetrics, book: SeriesBook): Family[] {
  const families = scopeMetrics.flatMap(({ metrics }) => metrics).map((metric) => familyOf(metric, book));
  const present = new Set(scopeMetrics.flatMap(({ metrics }) => metrics.map(({ descriptor }) => descriptor.name)));
  for (const [name, { series, unit, description: help }] of book) {
    if (present.has(name) || series.size === 0) continue;
    const samples = [...series.values()].flatMap(({ labels, bounds }) => zeros(labels, bounds));
    families.push({ name: exposedName(name, unit, false, false), kind: "histogram", help, samples });
  }
  const target = { suffix: "_info", labels: labelsOf(resource.attributes as Attributes), value: 1 };
  return [{ name: "target", kind: "info", help: "What tells of itself here.", samples: [target] }, ...families];
}

/** One family of each name. Where several services tell, each sample says of which it is, except what is of the whole process. */
export function merge(
  sources: readonly { readonly service: string; readonly families: readonly Family[] }[],
): Family[] {
  const merged = new Map<string, Family>();
  const several = sources.length > 1;
  for (const { service, families } of sources) {
    for (const family of families) {
      const known = merged.get(family.name);
      const ofProcess = /^(nodejs|v8js|process)_/.test(family.name);
      if (known !== undefined && ofProcess) continue;
      const samples =
        several && !ofProcess
          ? family.samples.map((sample) => ({ ...sample, labels: { ...sample.labels, service } }))
          : family.samples;
      if (known === undefined) merged.set(family.name, { ...family, samples: [...samples] });
      else known.samples.push(...samples);
    }
  }
  return [...merged.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** The text. */
export function write(families: readonly Family[], form: Form): string {
  const lines: string[] = [];
  for (const { name, kind, help, samples } of families) {
    const open = form === "openmetrics";
    // Prometheus' own form counts the ending into the name, and knows no kind "info".
    const named = open ? name : kind === "counter" ? `${name}_total` : kind === "info" ? `${name}_info` : name;
    lines.push(`# TYPE ${named} ${!open && kind === "info" ? "gauge" : kind}`);
    if (help !== "") lines.push(`# HELP ${named} ${help.replaceAll("\\", "\\\\").replaceAll("\n", "\\n")}`);
    for (const { suffix, labels, value, exemplar } of samples) {
      const line = `${name}${suffix}${braces(labels)} ${numeral(value)}`;
      lines.push(open && exemplar ? `${line} ${exampleOf(exemplar)}` : line);
    }
  }
  if (form === "openmetrics") lines.push("# EOF");
  return `${lines.join("\n")}\n`;
}

/** What somebody accepts; Prometheus' own form unless OpenMetrics is named. */
export function formOf(accept: string | undefined): Form {
  const wanted = (accept ?? "").split(",").find((range) => /^\s*application\/openmetrics-text\b/.test(range));
  return wanted !== undefined && !/;\s*q=0(\.0*)?\s*(;|$)/.test(wanted) ? "openmetrics" : "text";
}

function familyOf(metric: MetricData, book: SeriesBook): Family {
  const { name, unit, description } = metric.descriptor;
  if (metric.dataPointType === DataPointType.HISTOGRAM) {
    const kept = new Map(book.get(name)?.series);
    const samples: Sample[] = [];
    for (const { attributes, value } of metric.dataPoints) {
      const key = seriesKey(attributes as Readonly<Record<string, string>>);
      samples.push(...buckets(attributes, value, kept.get(key)?.exemplars ?? []));
      kept.delete(key);
    }
    for (const { labels, bounds } of kept.values()) samples.push(...zeros(labels, bounds));
    return { name: exposedName(name, unit, false, false), kind: "histogram", help: description, samples };
  }
  if (metric.dataPointType === DataPointType.EXPONENTIAL_HISTOGRAM) {
    return { name: exposedName(name, unit, false, false), kind: "gauge", help: description, samples: [] };
  }
  const counter = metric.dataPointType === DataPointType.SUM && metric.isMonotonic;
  const samples = metric.dataPoints.map(({ attributes, value }) => ({
    suffix: counter ? "_total" : "",
    labels: labelsOf(attributes),
    value,
  }));
  return {
    name: exposedName(name, unit, !counter, counter),
    kind: counter ? "counter" : "gauge",
    help: description,
    samples,
  };
}

function buckets(
  attributes: Attributes,
  { buckets: { boundaries, counts }, sum = 0, count }: HistogramValue,
  exemplars: readonly (Exemplar | undefined)[],
): Sample[] {
  const labels = labelsOf(attributes);
  const samples: Sample[] = [];
  let below = 0;
  for (const [at, bound] of [...boundaries, Number.POSITIVE_INFINITY].entries()) {
    below += counts[at] ?? 0;
    samples.push({
      suffix: "_bucket",
      labels: { ...labels, le: numeral(bound, true) },
      value: below,
      exemplar: exemplars[at],
    });
  }
  samples.push({ suffix: "_sum", labels, value: sum }, { suffix: "_count", labels, value: count });
  return samples;
}

function zeros(labels: Attributes, bounds: readonly number[]): Sample[] {
  return buckets(labels, { buckets: { boundaries: [...bounds], counts: [] }, sum: 0, count: 0 }, []);
}

const units: Readonly<Record<string, string>> = { s: "seconds", By: "bytes" };

/** `rpc.server.call.duration` in s becomes `rpc_server_call_duration_seconds`; `_total` is a counter's suffix, not its name. */
function exposedName(name: string, unit: string, gauge: boolean, counter: boolean): string {
  const base = labelName(name);
  const ending = units[unit] ?? (unit === "1" && gauge ? "ratio" : undefined);
  const full = ending === undefined || base.endsWith(`_${ending}`) ? base : `${base}_${ending}`;
  return counter ? full.replace(/_total$/, "") : full;
}

function labelName(name: string): string {
  return name.replace(/[^A-Za-z0-9_]/g, "_");
}

function labelsOf(attributes: Attributes): Record<string, string> {
  return Object.fromEntries(Object.entries(attributes).map(([name, value]) => [labelName(name), String(value)]));
}

function braces(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

function escaped(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}

function exampleOf({ traceId, spanId, value, at }: Exemplar): string {
  return `# {trace_id="${traceId}",span_id="${spanId}"} ${numeral(value)} ${(at / 1000).toFixed(3)}`;
}

/** `floating`: with a point in any case, as OpenMetrics wants bounds to be, so that one text is one series. */
function numeral(value: number, floating = false): string {
  if (value === Number.POSITIVE_INFINITY) return "+Inf";
  if (value === Number.NEGATIVE_INFINITY) return "-Inf";
  return floating && Number.isInteger(value) ? `${value}.0` : String(value);
}
