// OpenTelemetry's SDK, as the settings ask for it: one provider of each kind for each service, so that every span, series
// and line says of which service it is, also where several share a process. Whoever takes these may be slow or away: what
// waits is bounded, what does not fit is dropped, and nobody who serves waits.

import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { hostname } from "node:os";
import { type DiagLogger, DiagLogLevel, diag } from "@opentelemetry/api";
import { OTLPLogExporter } from "@opentelemetry/exporter-logs-otlp-proto";
import { OTLPMetricExporter } from "@opentelemetry/exporter-metrics-otlp-proto";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { type Resource, resourceFromAttributes } from "@opentelemetry/resources";
import { BatchLogRecordProcessor, LoggerProvider } from "@opentelemetry/sdk-logs";
import {
  AggregationTemporality,
  type IMetricReader,
  MeterProvider,
  MetricReader,
  PeriodicExportingMetricReader,
} from "@opentelemetry/sdk-metrics";
import { AlwaysOnSampler, BatchSpanProcessor, type SpanProcessor, TracerProvider } from "@opentelemetry/sdk-trace";
import { ConfigError } from "../config.ts";
import { type Logger, onLogLine } from "../logger.ts";
import { EndedSpans } from "./ended_spans.ts";
import { familiesOf } from "./exposition.ts";
import { logSink } from "./logs.ts";
import { createMetrics, type Metrics } from "./metrics.ts";
import { exposeMetrics } from "./metrics_listener.ts";
import { observeProcess } from "./process_metrics.ts";
import type { TelemetryConfig } from "./settings.ts";
import type { OpenTelemetryOptions, Telemetry } from "./telemetry.ts";
import { createTracing } from "./tracing.ts";

/** How long a farewell may take. */
const flushMs = 3_000;
const flushAgainMs = 200;
/** How many spans or lines wait, and how many are sent together. */
const queueSize = 4_096;
const batchSize = 512;
const scope = "docket";
const { version } = createRequire(import.meta.url)("../package.json") as { version: string };

/** Opens it; see openTelemetry. */
export async function openSdk(config: TelemetryConfig, options: OpenTelemetryOptions): Promise<Telemetry> {
  await using parts = new AsyncDisposableStack();
  const resource = resourceOf(config, options.service);
  const exporters = config.disabled || config.endpoint === undefined ? undefined : exportersOf(config, options);
  if (exporters !== undefined) tellTroubles(options.logger);

  const providers = new Farewell(config.endpoint?.href ?? "");
  parts.use(providers);
  const processors: SpanProcessor[] = [];
  const traces = config.traces === "none" ? undefined : exporters?.traces();
  if (traces !== undefined) processors.push(new BatchSpanProcessor({ exporter: traces, ...batches(config) }));
  if (options.spanEnded !== undefined) processors.push(new EndedSpans(options.service, options.spanEnded));
  const tracing = processors.length === 0 ? undefined : openTracing(config, resource, processors, providers);

  const push = config.metrics === "none" ? undefined : exporters?.metrics();
  const { port } = config.metricsListen;
  const measured =
    push === undefined && port === undefined ? undefined : new Measured(resource, push, providers, parts);
  const logs = config.logs === "none" ? undefined : exporters?.logs();
  if (logs !== undefined) {
    const provider = new LoggerProvider({
      resource,
      processors: [new BatchLogRecordProcessor({ exporter: logs, ...batches(config) })],
    });
    providers.add(provider);
    parts.use(onLogLine(options.service, logSink(provider.getLogger(scope))));
  }
  const place =
    measured === undefined || port === undefined
      ? undefined
      : parts.use(
          await exposeMetrics(
            { host: config.metricsListen.host, port },
            { service: options.service, collect: () => measured.collect() },
          ),
        );
  if (place !== undefined) options.logger.info({ address: place.address }, "metrics are served");
  const opened = parts.move();
  return {
    tracing,
    metrics: measured?.metrics,
    metricsAddress: place?.address,
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

function openTracing(
  config: TelemetryConfig,
  resource: Resource,
  spanProcessors: SpanProcessor[],
  providers: Farewell,
) {
  const provider = new TracerProvider({ resource, sampler: new AlwaysOnSampler(), spanProcessors });
  providers.add(provider);
  const { sampler } = config;
  const ratio = sampler.endsWith("always_on") ? 1 : sampler.endsWith("always_off") ? 0 : Number(config.samplerArgument);
  return createTracing(provider.getTracer(scope, version), ratio, sampler.startsWith("parentbased_"));
}

/** The instruments of a service, and what they have counted. */
class Measured {
  readonly metrics: Metrics;
  readonly collect: () => Promise<ReturnType<typeof familiesOf>>;

  constructor(resource: Resource, push: IMetricReader | undefined, providers: Farewell, parts: AsyncDisposableStack) {
    const pull = new PullReader();
    const provider = new MeterProvider({ resource, readers: push === undefined ? [pull] : [pull, push] });
    providers.add(provider);
    const { metrics, book } = createMetrics(provider.getMeter(scope, version));
    this.metrics = metrics;
    this.collect = async () => familiesOf((await pull.collect()).resourceMetrics, book);
    parts.use(observeProcess(metrics));
  }
}

/** Reads when it is asked. */
class PullReader extends MetricReader {
  constructor() {
    super({ aggregationTemporalitySelector: () => AggregationTemporality.CUMULATIVE });
  }

  protected override async onForceFlush(): Promise<void> {}
  protected override async onShutdown(): Promise<void> {}
}

function exportersOf(config: TelemetryConfig, { lookup }: OpenTelemetryOptions) {
  const endpoint = config.endpoint as URL;
  const base = endpoint.href.replace(/\/$/, "");
  const agent = {
    keepAlive: true,
    ...(lookup && { lookup }),
    ...(config.certificate !== undefined && { ca: readCertificate(config.certificate) }),
  };
  const newRelic = /(^|\.)nr-data\.net$/.test(endpoint.hostname);
  const common = (path: string) => ({
    url: `${base}/v1/${path}`,
    headers: headersOf(config.headers?.reveal()),
    timeoutMillis: config.timeoutMs,
    // Bounded, so that an endpoint that is away does not gather what is on its way to it. What waits is sent all at once at
    // the end, and the exporter counts a sending a moment after it has said that it is over: with fewer, whole batches go.
    concurrencyLimit: queueSize / batchSize + 2,
    httpAgentOptions: agent,
    // What stays in the cluster is not worth the time.
    compression: newRelic || endpoint.protocol === "https:" ? "gzip" : "none",
  });
  const temporality = config.temporality ?? (newRelic ? "delta" : "cumulative");
  return {
    traces: () => new OTLPTraceExporter(common("traces") as never),
    logs: () => new OTLPLogExporter(common("logs") as never),
    metrics: () =>
      new PeriodicExportingMetricReader({
        exporter: new OTLPMetricExporter({
          ...common("metrics"),
          temporalityPreference: preferences[temporality],
        } as never),
        exportIntervalMillis: config.metricsEveryMs,
        exportTimeoutMillis: Math.min(config.timeoutMs, config.metricsEveryMs),
      }),
  };
}

function batches({ timeoutMs }: TelemetryConfig) {
  return {
    maxQueueSize: queueSize,
    maxExportBatchSize: batchSize,
    scheduledDelayMillis: 2_000,
    exportTimeoutMillis: timeoutMs,
  };
}

/** The SDK's numbers of the preferences, which its package does not export. */
const preferences = { delta: 0, cumulative: 1, lowmemory: 2 } as const;

function resourceOf({ resource }: TelemetryConfig, service: string): Resource {
  return resourceFromAttributes({
    "service.namespace": "docket",
    "service.version": version,
    "service.instance.id": `${hostname()}-${process.pid}-${randomUUID().slice(0, 8)}`,
    ...pairsOf(resource),
    "service.name": service,
  });
}

/** `name=value,name=value`, values URL-encoded. */
function pairsOf(text: string | undefined): Record<string, string> {
  const pairs: Record<string, string> = {};
  for (const pair of (text ?? "").split(",")) {
    const at = pair.indexOf("=");
    if (at <= 0) continue;
    const value = pair.slice(at + 1).trim();
    pairs[pair.slice(0, at).trim()] = decoded(value);
  }
  return pairs;
}

function headersOf(text: string | undefined): Record<string, string> {
  return pairsOf(text);
}

function decoded(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}

function readCertificate(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new ConfigError(
      "OTEL_EXPORTER_OTLP_CERTIFICATE",
      `OTEL_EXPORTER_OTLP_CERTIFICATE names a file that cannot be read (${(error as NodeJS.ErrnoException).code}).`,
    );
  }
}

/** How often the same trouble is told. */
const troubleMs = 60_000;

/** What the SDK complains of goes to the log, seldom: an endpoint that is away fails again and again. */
function tellTroubles(logger: Logger): void {
  let toldAt = Number.NEGATIVE_INFINITY;
  const tell = (...what: unknown[]) => {
    const now = performance.now();
    if (now - toldAt < troubleMs) return;
    toldAt = now;
    const [first] = what;
    // Of what the endpoint answered, only what the SDK says in its own words.
    logger.warn({ why: wordsOf(first) }, "telemetry cannot be sent; what does not fit is dropped");
  };
  const quiet = () => undefined;
  const sink: DiagLogger = { error: tell, warn: tell, info: tell, debug: quiet, verbose: quiet };
  diag.setLogger(sink, { logLevel: DiagLogLevel.INFO, suppressOverrideMessage: true });
}

function wordsOf(what: unknown): string {
  const text = typeof what === "string" ? what : ((what as { message?: string } | undefined)?.message ?? "");
  const parsed = /"message":"([^"]*)"/.exec(text)?.[1];
  return (parsed ?? text).slice(0, 200);
}

/** Endpoints that did not take what was left: the next service of this process does not wait for them as well. */
const away = new Set<string>();

/** Sends what is left, all signals at once, and waits for it only so long. */
class Farewell implements AsyncDisposable {
  readonly #endpoint: string;
  readonly #providers: { shutdown(): Promise<void> }[] = [];

  constructor(endpoint: string) {
    this.#endpoint = endpoint;
  }

  add(provider: { shutdown(): Promise<void> }): void {
    this.#providers.push(provider);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const sent = Promise.allSettled(this.#providers.map((provider) => provider.shutdown())).then(() => true);
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<false>((resolve) => {
      timer = setTimeout(resolve, away.has(this.#endpoint) ? flushAgainMs : flushMs, false);
    });
    if (await Promise.race([sent, late])) away.delete(this.#endpoint);
    else away.add(this.#endpoint);
    clearTimeout(timer);
  }
}
