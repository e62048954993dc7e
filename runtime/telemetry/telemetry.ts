/**
 * What a service tells of itself: traces, metrics and logs. A service opens one in its service.ts and hands it to what it is
 * made of; without settings there is none, nothing of OpenTelemetry is loaded, and everything works the same.
 * It must never know contents, titles, tokens or values of statements; docs/operations/observability.md lists what it does.
 */
import type { LookupFunction } from "node:net";
import type { Logger } from "../logger.ts";
import type { Metrics } from "./metrics.ts";
import type { TelemetryConfig } from "./settings.ts";
import type { Attributes, LiveSpan, SpanKind, SpanPlace } from "./span.ts";

/** How a span begins. */
export interface StartOptions {
  /** Where it was asked for. */
  readonly parent?: SpanPlace | undefined;
  /** Default: as the parent is; without one, by the sampler's ratio. */
  readonly sampled?: boolean | undefined;
  readonly attributes?: Attributes | undefined;
  readonly links?: readonly SpanPlace[] | undefined;
}

/** Makes the first spans of a service's part of a trace; LiveSpan.child makes the others. */
export interface Tracing {
  start(name: string, kind: SpanKind, options?: StartOptions): LiveSpan;
  /** Whether a request from outside is recorded. What it says of itself counts only if it is from a trusted proxy. */
  decide(parent: SpanPlace | undefined, trusted: boolean): boolean;
}

/** A span that has ended, as it is shown to somebody in the same process. */
export interface EndedSpan extends SpanPlace {
  readonly service: string;
  readonly name: string;
  readonly kind: SpanKind;
  readonly parentSpanId: string | undefined;
  /** Milliseconds since 1970. */
  readonly startMs: number;
  readonly durationMs: number;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly events: readonly string[];
  readonly links: readonly string[];
  readonly failed: boolean;
}

/** What may be put in place of the defaults, or beside them. */
export interface TelemetryOverrides {
  /** Told of each span that ended; traces are recorded for it, with or without an endpoint. */
  readonly spanEnded?: (span: EndedSpan) => void;
  /** How the endpoint's name is resolved. */
  readonly lookup?: LookupFunction;
}

/** What a service tells of itself. Disposing of it sends what has not been sent, for three seconds at most. */
export interface Telemetry extends AsyncDisposable {
  /** Where no traces are recorded, undefined. */
  readonly tracing: Tracing | undefined;
  /** Where nobody looks at metrics, undefined. */
  readonly metrics: Metrics | undefined;
  /** Where /metrics is, `127.0.0.1:9464`. */
  readonly metricsAddress: string | undefined;
}

/** What a telemetry is made from. */
export interface OpenTelemetryOptions extends TelemetryOverrides {
  /** The workload's name. */
  readonly service: string;
  readonly logger: Logger;
}

/**
 * Opens what the settings ask for; undefined when that is nothing. Throws StartError when /metrics cannot be served, and
 * ConfigError when a file cannot be read.
 */
export async function openTelemetry(
  config: TelemetryConfig,
  options: OpenTelemetryOptions,
): Promise<Telemetry | undefined> {
  const sends = config.endpoint !== undefined && !config.disabled;
  const told = options.spanEnded !== undefined;
  const exposes = config.metricsListen.port !== undefined;
  if (!told && !exposes && !sends) return undefined;
  const { openSdk } = await import("./sdk.ts");
  return await openSdk(config, options);
}
