import type { LookupFunction } from "node:net";
import { describe, expect, it } from "@jest/globals";
import { readSettings } from "../config.ts";
import { createLogger, type Logger } from "../logger.ts";
import { eventually } from "../testing/eventually.ts";
import { telemetrySettings } from "./settings.ts";
import { within } from "./span.ts";
import { openTelemetry, type Telemetry } from "./telemetry.ts";
import { startOtlpReceiver } from "./testing/otlp_receiver.ts";

const configOf = (env: Record<string, string>) => readSettings(telemetrySettings, env);

/** Every name is this machine. */
const here: LookupFunction = (_name, options, found) => {
  if (options.all) found(null, [{ address: "127.0.0.1", family: 4 }]);
  else found(null, "127.0.0.1", 4);
};

async function open(env: Record<string, string>, logger: Logger = createLogger({ level: "silent" })) {
  const telemetry = await openTelemetry(configOf(env), { service: "document", logger, lookup: here });
  if (telemetry === undefined) throw new Error("nothing was opened");
  return telemetry;
}

function logOf(service: string) {
  const written: string[] = [];
  const logger = createLogger({ service, destination: { write: (line) => void written.push(line) } });
  return { logger, lines: () => written.map((line) => JSON.parse(line) as Record<string, unknown>) };
}

/** One of each: a span, a count, a time. */
function tell({ tracing, metrics }: Telemetry): string {
  const span = tracing?.start("GetDocument", "server", { attributes: { "docket.caller": "gateway" } });
  span?.child("SELECT document", "client")?.end();
  span?.end();
  metrics?.counter("docket.events", { unit: "{event}", description: "" }).add({ event: "document_created" });
  metrics
    ?.histogram("rpc.server.call.duration", { unit: "s", description: "", bounds: [1, 2] })
    .series({ "rpc.method": "x/Y" })
    .record(0.5);
  return span?.traceId ?? "";
}

describe("what is sent to an endpoint", () => {
  it("is nothing, and nothing is loaded, where none is set", async () => {
    const options = { service: "document", logger: createLogger({ level: "silent" }) };
    expect(await openTelemetry(configOf({}), options)).toBeUndefined();
    const off = { OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:1", OTEL_SDK_DISABLED: "true" };
    expect(await openTelemetry(configOf(off), options)).toBeUndefined();
  });

  it("suits New Relic when its endpoint and key are set: with the key, and counted since the last sending", async () => {
    await using receiver = await startOtlpReceiver();
    const telemetry = await open({
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://otlp.nr-data.net:${receiver.port}`,
      OTEL_EXPORTER_OTLP_HEADERS: "api-key=licence%20key",
      OTEL_METRIC_EXPORT_INTERVAL: "100",
    });
    tell(telemetry);
    const sumOf = (name: string) =>
      receiver.metrics
        .filter((metric) => metric.name === name)
        .flatMap(({ points }) => points)
        .reduce((sum, { count }) => sum + count, 0);
    await eventually(() => sumOf("rpc.server.call.duration") === 1);
    const seen = receiver.requests.length;
    await eventually(() => receiver.requests.length > seen + 3);
    await telemetry[Symbol.asyncDispose]();
    // Sent again and again, counted once: that is what delta means.
    expect(sumOf("rpc.server.call.duration")).toBe(1);
    const delta = 1;
    for (const name of ["rpc.server.call.duration", "docket.events", "process.cpu.time", "v8js.gc.duration"]) {
      const told = receiver.metrics.filter((metric) => metric.name === name);
      for (const { temporality } of told) expect([name, temporality]).toEqual([name, delta]);
    }
    expect(receiver.metrics.find(({ name }) => name === "v8js.memory.heap.used")?.temporality).toBeUndefined();
    expect(new Set(receiver.requests.map(({ path }) => path))).toEqual(new Set(["/v1/traces", "/v1/metrics"]));
    for (const { headers } of receiver.requests) {
      expect(headers).toMatchObject({
        "api-key": "licence key",
        "content-type": "application/x-protobuf",
        "content-encoding": "gzip",
      });
    }
  });

  it("is counted from the start elsewhere, unless a preference is set", async () => {
    await using receiver = await startOtlpReceiver();
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url };
    for (const [preference, temporality] of [
      [undefined, 2],
      ["delta", 1],
      ["lowmemory", 1],
      ["cumulative", 2],
    ] as const) {
      const before = receiver.metrics.length;
      const telemetry = await open({
        ...env,
        ...(preference && { OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE: preference }),
      });
      tell(telemetry);
      await telemetry[Symbol.asyncDispose]();
      const told = receiver.metrics.slice(before).find(({ name }) => name === "rpc.server.call.duration");
      expect([preference, told?.temporality]).toEqual([preference, temporality]);
    }
  });

  it("says of which service it is, and holds spans in their order", async () => {
    await using receiver = await startOtlpReceiver();
    const telemetry = await open({
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
      OTEL_METRICS_EXPORTER: "none",
    });
    const traceId = tell(telemetry);
    await telemetry[Symbol.asyncDispose]();
    const [child, parent] = receiver.spans;
    expect(parent).toMatchObject({ service: "document", name: "GetDocument", traceId, parentSpanId: "" });
    expect(child).toMatchObject({ name: "SELECT document", traceId, parentSpanId: parent?.spanId });
    expect(parent?.attributes).toMatchObject({ "docket.caller": "gateway" });
    expect(receiver.metrics).toEqual([]);
  });

  it("holds the lines of the log as they are written, with their trace and without secrets", async () => {
    await using receiver = await startOtlpReceiver();
    const { logger, lines } = logOf("document");
    const telemetry = await open({ OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, OTEL_METRICS_EXPORTER: "none" }, logger);
    const span = telemetry.tracing?.start("GetDocument", "server");
    within(span, () => logger.warn({ document_id: "d1", token: "hush", size: 3 }, "document created"));
    await telemetry[Symbol.asyncDispose]();
    expect(lines().at(-1)).toMatchObject({ trace_id: span?.traceId, span_id: span?.spanId, token: "[redacted]" });
    const [log] = receiver.logs;
    expect(log).toMatchObject({
      service: "document",
      body: "document created",
      severity: "warn",
      traceId: span?.traceId,
    });
    expect(log?.attributes).toMatchObject({ document_id: "d1", size: 3, token: "[redacted]" });
    expect(Buffer.concat([...receiver.bytes]).includes("hush")).toBe(false);
  });

  it("is all of a burst that fits, while the process runs and when it ends", async () => {
    await using receiver = await startOtlpReceiver();
    const { logger } = logOf("document");
    const telemetry = await open({ OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, OTEL_METRICS_EXPORTER: "none" }, logger);
    const burst = () => {
      for (let count = 0; count < 4_000; count += 1) {
        telemetry.tracing?.start("GetDocument", "server").end();
        logger.info({ count }, "a line");
      }
    };
    burst();
    await eventually(() => receiver.spans.length === 4_000 && receiver.logs.length >= 4_000);
    burst();
    await telemetry[Symbol.asyncDispose]();
    expect(receiver.spans.length).toBe(8_000);
    expect(receiver.logs.length).toBeGreaterThanOrEqual(8_000);
  });

  it("is only what the sampler takes, and the decision travels on", async () => {
    await using receiver = await startOtlpReceiver();
    const telemetry = await open({
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
      OTEL_TRACES_SAMPLER: "always_off",
      OTEL_METRICS_EXPORTER: "none",
    });
    const { tracing } = telemetry;
    const place = { traceId: "a".repeat(32), spanId: "b".repeat(16) };
    expect(tracing?.decide({ ...place, sampled: true }, true)).toBe(false);
    const silent = tracing?.start("one", "server");
    expect(silent).toMatchObject({ sampled: false, traceId: expect.stringMatching(/^[0-9a-f]{32}$/) });
    expect(silent?.child("two", "client")).toBeUndefined();
    silent?.end();
    // Who was called by somebody who records does so too.
    tracing?.start("three", "server", { parent: { ...place, sampled: true } }).end();
    await telemetry[Symbol.asyncDispose]();
    expect(receiver.spans.map(({ name, traceId }) => [name, traceId])).toEqual([["three", place.traceId]]);
  });

  it("follows the decision of trusted proxies where the sampler says so, and of nobody else", async () => {
    await using receiver = await startOtlpReceiver();
    await using telemetry = await open({
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
      OTEL_TRACES_SAMPLER: "parentbased_always_off",
    });
    const parent = { traceId: "a".repeat(32), spanId: "b".repeat(16), sampled: true };
    expect(telemetry.tracing?.decide(parent, true)).toBe(true);
    expect(telemetry.tracing?.decide(parent, false)).toBe(false);
  });
});

describe("an endpoint that is away", () => {
  it.each(["never", 503] as const)("that answers %s costs nobody anything but what does not fit", async (answer) => {
    await using receiver = await startOtlpReceiver();
    receiver.answerWith(answer);
    const telemetry = await open({
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
      OTEL_EXPORTER_OTLP_TIMEOUT: "2000",
      OTEL_METRIC_EXPORT_INTERVAL: "100",
    });
    const before = process.memoryUsage().heapUsed;
    // Nobody waits: were it not so, the endpoint that never answers would keep this from ending.
    for (let count = 0; count < 50_000; count += 1) tell(telemetry);
    await eventually(() => receiver.requests.length > 0);
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(200 << 20);
    const ending = performance.now();
    await telemetry[Symbol.asyncDispose]();
    // All signals together have three seconds to say goodbye; a process has fifteen to end.
    expect(performance.now() - ending).toBeLessThan(8_000);
  });

  it("is said in the log once, without an address or a key", async () => {
    const { logger, lines } = logOf("document");
    const telemetry = await open(
      {
        OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:9",
        OTEL_EXPORTER_OTLP_HEADERS: "api-key=hush",
        OTEL_EXPORTER_OTLP_TIMEOUT: "200",
        OTEL_METRIC_EXPORT_INTERVAL: "200",
      },
      logger,
    );
    tell(telemetry);
    await eventually(() => lines().length > 0);
    await telemetry[Symbol.asyncDispose]();
    expect(lines().filter(({ msg }) => String(msg).startsWith("telemetry cannot be sent"))).toHaveLength(1);
    expect(JSON.stringify(lines())).not.toContain("hush");
  });
});
