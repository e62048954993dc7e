import { describe, expect, it } from "@jest/globals";
import { deadlineMsOf, rpcNameOf } from "@docket/contracts/policy";
import { rpcs } from "@docket/contracts/registry";
import { DocumentService } from "@docket/contracts/gen/docket/document/v1/document_service_pb.ts";
import { Code } from "@connectrpc/connect";
import { Reason } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import { Workload } from "@docket/contracts/gen/docket/policy/v1/policy_pb.ts";
import { readSettings } from "../config.ts";
import { createLogger } from "../logger.ts";
import { callBounds } from "./bounds.ts";
import { ServerCalls } from "./call_metrics.ts";
import { formOf } from "./exposition.ts";
import { telemetrySettings } from "./settings.ts";
import { openTelemetry, type Telemetry } from "./telemetry.ts";

async function open(service: string, port = "0", host = "127.0.0.1"): Promise<Telemetry> {
  const config = readSettings(telemetrySettings, { METRICS_PORT: port, METRICS_HOST: host });
  const logger = createLogger({ level: "silent" });
  const telemetry = await openTelemetry(config, { service, logger, spanEnded: () => undefined });
  if (telemetry === undefined) throw new Error("nothing was opened");
  return telemetry;
}

async function scrape(
  { metricsAddress }: Telemetry,
  accept = "text/plain",
): Promise<{ type: string; lines: string[] }> {
  const answer = await fetch(`http://${metricsAddress}/metrics`, { headers: { accept } });
  expect(answer.status).toBe(200);
  return { type: answer.headers.get("content-type") ?? "", lines: (await answer.text()).split("\n") };
}

const openMetrics = "application/openmetrics-text;version=1.0.0;q=0.9,text/plain;q=0.5";

describe("GET /metrics", () => {
  it("has a series at 0 for every RPC and caller of the policy before anybody calls", async () => {
    await using telemetry = await open("document");
    new ServerCalls(telemetry.metrics as never, DocumentService.methods);
    const { lines } = await scrape(telemetry);
    for (const method of DocumentService.methods) {
      const [count] = lines.filter(
        (line) =>
          line.startsWith("rpc_server_call_duration_seconds_count{") &&
          line.includes(`rpc_method="${rpcNameOf(method)}"`),
      );
      expect(count).toContain('rpc_system_name="grpc"');
      expect(count).toContain('rpc_response_status_code="OK"');
      expect(count).toContain('docket_caller="gateway"');
      expect(count).toMatch(/docket_reason="".*\} 0$/);
    }
  });

  it("counts each call by its status, caller and reason, in buckets that end at the deadlines", async () => {
    await using telemetry = await open("document");
    const calls = new ServerCalls(telemetry.metrics as never, DocumentService.methods);
    const rpc = "docket.document.v1.DocumentService/GetDocument";
    const ended = (seconds: number) => ({ code: Code.NotFound, seconds, span: undefined });
    calls.ended(rpc, Workload.GATEWAY, Reason.NOT_FOUND, ended(2));
    calls.ended(rpc, Workload.GATEWAY, Reason.NOT_FOUND, ended(2.1));
    const { lines } = await scrape(telemetry);
    const told = lines.filter((line) => line.includes('rpc_response_status_code="NOT_FOUND"'));
    const bucket = (bound: string) =>
      told
        .find((line) => line.includes(`le="${bound}"`))
        ?.split(" ")
        .at(-1);
    expect([bucket("1.0"), bucket("2.0"), bucket("5.0"), bucket("+Inf")]).toEqual(["0", "1", "2", "2"]);
    expect(told.find((line) => line.includes("_sum"))).toMatch(/docket_reason="NOT_FOUND".* 4\.1$/);
  });

  it("has a bound for every deadline of the contract", () => {
    const unary = rpcs.filter(({ method }) => method.methodKind === "unary");
    for (const { name, method } of unary)
      expect([name, callBounds]).toEqual([name, expect.arrayContaining([deadlineMsOf(method) / 1000])]);
  });

  it("shows the trace of an example where OpenMetrics is asked for, and not elsewhere", async () => {
    await using telemetry = await open("document");
    const span = telemetry.tracing?.start("x", "server");
    const histogram = telemetry.metrics?.histogram("docket.job.duration", {
      unit: "s",
      description: "Runs.",
      bounds: [1],
    });
    histogram?.series({ queue: 'a"b\\' }).record(0.5, span);
    const open_ = await scrape(telemetry, openMetrics);
    expect(open_.type).toBe("application/openmetrics-text; version=1.0.0; charset=utf-8");
    expect(open_.lines.at(-2)).toBe("# EOF");
    const line = open_.lines.find((one) =>
      one.startsWith('docket_job_duration_seconds_bucket{queue="a\\"b\\\\",le="1.0"}'),
    );
    expect(line).toMatch(
      new RegExp(`\\} 1 # \\{trace_id="${span?.traceId}",span_id="${span?.spanId}"\\} 0\\.5 \\d+\\.\\d{3}$`),
    );
    const plain = await scrape(telemetry);
    expect(plain.type).toBe("text/plain; version=0.0.4; charset=utf-8");
    expect(plain.lines.join("\n")).not.toContain("trace_id");
  });

  it("writes kinds and names as each form wants them", async () => {
    await using telemetry = await open("document");
    telemetry.metrics
      ?.counter("docket.events", { unit: "{event}", description: "Business events." })
      .add({ event: "a" });
    const open_ = (await scrape(telemetry, openMetrics)).lines;
    const plain = (await scrape(telemetry)).lines;
    expect(open_).toEqual(
      expect.arrayContaining([
        "# TYPE docket_events counter",
        'docket_events_total{event="a"} 1',
        "# TYPE target info",
      ]),
    );
    expect(plain).toEqual(
      expect.arrayContaining([
        "# TYPE docket_events_total counter",
        'docket_events_total{event="a"} 1',
        "# TYPE target_info gauge",
      ]),
    );
    for (const name of [
      "nodejs_eventloop_delay_p99_seconds",
      "nodejs_eventloop_utilization_ratio",
      "v8js_memory_heap_used_bytes",
      "process_memory_usage_bytes",
    ]) {
      expect(plain.find((line) => line.startsWith(`${name} `))).toMatch(/ \d/);
    }
  });

  it("leaves out a gauge that cannot find out in time, and tells the rest", async () => {
    await using telemetry = await open("document");
    const options = { unit: "{job}", description: "" };
    telemetry.metrics?.gauge("docket.queue.jobs", options, () => new Promise(() => undefined));
    telemetry.metrics?.gauge("docket.queue.oldest", options, () => Promise.reject(new Error("away")));
    telemetry.metrics?.gauge("docket.edge.held", { unit: "By", description: "" }, () => [{ value: 7 }]);
    const { lines } = await scrape(telemetry);
    expect(lines).toContain("docket_edge_held_bytes 7");
    expect(lines.filter((line) => line.startsWith("docket_queue"))).toEqual([]);
  });

  it("is one for all services of a process, each series saying of which it is", async () => {
    await using first = await open("document");
    await using second = await open("user");
    expect(second.metricsAddress).toBe(first.metricsAddress);
    for (const { metrics } of [first, second]) {
      metrics?.counter("docket.events", { unit: "{event}", description: "" }).add({ event: "a" });
    }
    const { lines } = await scrape(first);
    expect(lines.filter((line) => line.startsWith("docket_events_total{"))).toEqual([
      'docket_events_total{event="a",service="document"} 1',
      'docket_events_total{event="a",service="user"} 1',
    ]);
    expect(lines.filter((line) => line.startsWith("process_uptime_seconds"))).toHaveLength(1);
  });

  it("is all that there is, and a port that is taken is told in one sentence", async () => {
    await using telemetry = await open("document");
    const at = (path: string, init?: RequestInit) => fetch(`http://${telemetry.metricsAddress}${path}`, init);
    expect((await at("/")).status).toBe(404);
    expect((await at("/metrics", { method: "POST" })).status).toBe(405);
    const port = telemetry.metricsAddress?.split(":")[1] ?? "";
    await expect(open("user", port, "0.0.0.0")).rejects.toMatchObject({
      name: "StartError",
      message: `Metrics cannot be served on 0.0.0.0:${port}: the port is taken (set METRICS_PORT to another one).`,
    });
  });

  it("is compressed for whoever can read that", async () => {
    await using telemetry = await open("document");
    new ServerCalls(telemetry.metrics as never, DocumentService.methods);
    const answer = await fetch(`http://${telemetry.metricsAddress}/metrics`, {
      headers: { "accept-encoding": "gzip" },
    });
    expect(answer.headers.get("content-encoding")).toBe("gzip");
    expect(await answer.text()).toContain("rpc_server_call_duration_seconds_count");
  });

  it("is in the form that is accepted", () => {
    expect(formOf(undefined)).toBe("text");
    expect(formOf("*/*")).toBe("text");
    expect(formOf(openMetrics)).toBe("openmetrics");
    expect(formOf("application/openmetrics-text;q=0, text/plain")).toBe("text");
  });
});
