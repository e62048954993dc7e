// The settings of telemetry, which every process has. The names that begin with OTEL_ are OpenTelemetry's own.

import { setting, type Values } from "../config.ts";

const samplers = [
  "always_on",
  "always_off",
  "traceidratio",
  "parentbased_always_on",
  "parentbased_always_off",
  "parentbased_traceidratio",
] as const;

const exporter = (signal: string, variable: string) =>
  setting.choice(variable, ["otlp", "none"] as const, {
    default: "otlp",
    doc: `Whether ${signal} go to OTEL_EXPORTER_OTLP_ENDPOINT, where that is set.`,
  });

/** What is measured, and where it goes. Unset, nothing is. */
export const telemetrySettings = {
  metricsListen: {
    host: setting.string("METRICS_HOST", {
      default: "127.0.0.1",
      doc: "The address that `GET /metrics` is answered on, where METRICS_PORT is set.",
    }),
    port: setting.integer("METRICS_PORT", {
      optional: true,
      min: 0,
      max: 65_535,
      doc: "The port of `GET /metrics`, for Prometheus; 0 takes a free one. Unset: it is not answered.",
    }),
  },
  endpoint: setting.url("OTEL_EXPORTER_OTLP_ENDPOINT", {
    optional: true,
    schemes: ["http", "https"],
    doc: "Where traces, metrics and logs are sent to, as OTLP over HTTP: `http://collector:4318`. New Relic: `https://otlp.nr-data.net`. Unset: nowhere.",
  }),
  headers: setting.string("OTEL_EXPORTER_OTLP_HEADERS", {
    optional: true,
    secret: true,
    pattern: /^\s*[\w.-]+=[^,]*(,\s*[\w.-]+=[^,]*)*,?\s*$/,
    accepts: "headers as name=value, separated by commas",
    doc: "Headers that are sent along, values URL-encoded: `api-key=…` for New Relic.",
  }),
  certificate: setting.path("OTEL_EXPORTER_OTLP_CERTIFICATE", {
    optional: true,
    doc: "A PEM file with the authorities that may vouch for the endpoint. Unset: those that Node trusts.",
  }),
  timeoutMs: setting.integer("OTEL_EXPORTER_OTLP_TIMEOUT", {
    default: 10_000,
    min: 1,
    max: 60_000,
    doc: "How long one sending may take, in milliseconds.",
  }),
  temporality: setting.choice(
    "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE",
    ["cumulative", "delta", "lowmemory"] as const,
    {
      optional: true,
      doc: "Whether sent metrics count from the start of the process or from the last sending. Unset: delta for New Relic, else cumulative.",
    },
  ),
  metricsEveryMs: setting.integer("OTEL_METRIC_EXPORT_INTERVAL", {
    default: 60_000,
    min: 100,
    doc: "How often metrics are sent, in milliseconds.",
  }),
  traces: exporter("traces", "OTEL_TRACES_EXPORTER"),
  metrics: exporter("metrics", "OTEL_METRICS_EXPORTER"),
  logs: exporter("logs", "OTEL_LOGS_EXPORTER"),
  sampler: setting.choice("OTEL_TRACES_SAMPLER", samplers, {
    default: "traceidratio",
    doc: "Which requests are traced: the edge decides, and all behind it follow. With `parentbased_…` the edge follows proxies of TRUSTED_PROXIES that have decided already.",
  }),
  samplerArgument: setting.string("OTEL_TRACES_SAMPLER_ARG", {
    default: "1",
    pattern: /^(0|1|0?\.\d+|1\.0+)$/,
    accepts: "a number from 0 to 1",
    doc: "The share of requests that is traced, where the sampler is one of a ratio.",
  }),
  resource: setting.string("OTEL_RESOURCE_ATTRIBUTES", {
    optional: true,
    pattern: /^\s*[\w./-]+=[^,]*(,\s*[\w./-]+=[^,]*)*,?\s*$/,
    accepts: "attributes as name=value, separated by commas",
    doc: "What is said of the process beside its service's name: `deployment.environment.name=prod,k8s.pod.name=…`.",
  }),
  disabled: setting.boolean("OTEL_SDK_DISABLED", {
    default: false,
    doc: "Switches traces, metrics and sent logs off, whatever else is set.",
  }),
};

/** The values of {@link telemetrySettings}. */
export type TelemetryConfig = Values<typeof telemetrySettings>;
