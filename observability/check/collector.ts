// A real Collector with the files of collector/: what leaves it is clean, sampled as the contract says, and in differences.
import assert from "node:assert/strict";
import { join } from "node:path";
import { ruleQueries } from "../queries.ts";
import { startCollector } from "./collector_process.ts";
import { freePort, type Receiver, startReceiver } from "./receiver.ts";
import { logLine, metricsOf, secrets, spanOf } from "./telemetry.ts";
import { run } from "./tools.ts";

const key = "0123456789abcdef-NRAL";
const get = "docket.document.v1.DocumentService/GetDocument";
const update = "docket.document.v1.DocumentService/UpdateDocument";
const watch = "docket.document.v1.ChangeService/WatchChanges";

const traces = {
  failed: "0af7651916cd43dd8448eb211c803101",
  quick: "0af7651916cd43dd8448eb211c803102",
  slow: "0af7651916cd43dd8448eb211c803103",
  slowElsewhere: "0af7651916cd43dd8448eb211c803104",
  stream: "0af7651916cd43dd8448eb211c803105",
} as const;

/** Each combination of files is one that the Collector understands, and one with a mistake is not. */
export async function validates(binary: string, folder: string): Promise<void> {
  const shipped = ["collector/collector.yaml", "gen/collector/sampling.yaml"];
  const env = { COLLECTOR_PEERS: "peers", REMOTE_WRITE_ENDPOINT: "http://127.0.0.1:9/write" };
  const validate = (files: readonly string[]) =>
    run(binary, ["validate", ...files.flatMap((file) => ["--config", `file:${join(folder, file)}`])], {
      cwd: folder,
      env,
    });
  for (const beside of ["", "collector/several.yaml", "collector/remote_write.yaml", "collector/debug.yaml"]) {
    const { ok, text } = await validate(beside === "" ? shipped : [...shipped, beside]);
    assert.ok(ok, `collector.yaml with ${beside}: ${text}`);
  }
  const { ok } = await validate(["collector/several.yaml"]);
  assert.ok(!ok, "several.yaml alone names processors that nothing declares, and was taken");
}

/** What is sent with two variables set. */
export async function sends(binary: string, folder: string): Promise<void> {
  await using receiver = await startReceiver();
  const env = { NEW_RELIC_ENDPOINT: receiver.url, NEW_RELIC_API_KEY: key, TRACE_PERCENTAGE: "0" };
  await using collector = await startCollector({ binary, folder, env });
  await collector.send("/v1/traces", {
    resourceSpans: [
      spanOf({
        traceId: traces.failed,
        spanId: "b7ad6b7169203301",
        method: get,
        ms: 20,
        failed: true,
        secretive: true,
      }),
      spanOf({ traceId: traces.quick, spanId: "b7ad6b7169203302", method: get, ms: 400 }),
      spanOf({ traceId: traces.slow, spanId: "b7ad6b7169203303", method: get, ms: 600, secretive: true }),
      spanOf({ traceId: traces.slowElsewhere, spanId: "b7ad6b7169203304", method: update, ms: 600 }),
      spanOf({ traceId: traces.stream, spanId: "b7ad6b7169203305", method: watch, ms: 1_800_000 }),
    ],
  });
  await collector.send("/v1/logs", logLine());
  await collector.send("/v1/metrics", metricsOf(10));
  await collector.send("/v1/metrics", metricsOf(25));
  await until(() => textOf(receiver, "/v1/traces") !== "" && /15/.test(textOf(receiver, "/v1/metrics")));
  // Decided in one go: what did not come with the first batch of its second does not come.
  await until(() => [traces.failed, traces.slow].every((id) => textOf(receiver, "/v1/traces").includes(id)));

  for (const { path, headers } of receiver.received) assert.equal(headers["api-key"], key, `${path} without the key`);
  const sampled = textOf(receiver, "/v1/traces");
  assert.ok(!sampled.includes(traces.quick), "a quick call was kept");
  assert.ok(!sampled.includes(traces.slowElsewhere), "a call was kept that is quick for its deadline");
  assert.ok(!sampled.includes(traces.stream), "a stream was kept for its length");

  const everything = receiver.received.map(({ text }) => text).join("\n");
  for (const secret of [...secrets, "hunter22", "c2Vzc2lvbj05Zjhl"])
    assert.ok(!everything.includes(secret), `this left the Collector: ${secret}`);
  for (const kept of [get, "request-1", "service.instance.id", "SELECT * FROM user WHERE email = ?", "QueryFailed"])
    assert.ok(everything.includes(kept), `this should have left the Collector: ${kept}`);
  // The same person is the same in traces and logs, and nobody knows who.
  const hashes = everything.match(/[0-9a-f]{64}/g) ?? [];
  assert.ok(hashes.length >= 5 && new Set(hashes).size === 1, `subjects are ${JSON.stringify(hashes)}`);
  assertDifferences(receiver);
}

/** Without the variables the same files send nothing, and the Collector is well. */
export async function staysSilent(binary: string, folder: string): Promise<void> {
  await using receiver = await startReceiver();
  await using collector = await startCollector({
    binary,
    folder,
    env: { NEW_RELIC_ENDPOINT: "", NEW_RELIC_API_KEY: "" },
    overlay: { exporters: { "otlp_http/new_relic": { endpoint: receiver.url } } },
  });
  const failed = spanOf({ traceId: traces.failed, spanId: "b7ad6b7169203301", method: get, ms: 20, failed: true });
  await collector.send("/v1/traces", { resourceSpans: [failed] });
  await collector.send("/v1/metrics", metricsOf(10));
  await collector.send("/v1/metrics", metricsOf(25));
  await collector.send("/v1/logs", logLine());
  // Draining sends all that was held back.
  await collector[Symbol.asyncDispose]();
  assert.deepEqual(receiver.received, []);
}

/** What cannot be delivered is told of, by the names that the alert asks for. */
export async function tellsOfLosses(binary: string, folder: string): Promise<void> {
  const away = `http://127.0.0.1:${await freePort()}`;
  await using collector = await startCollector({
    binary,
    folder,
    env: { NEW_RELIC_ENDPOINT: away, NEW_RELIC_API_KEY: key },
    overlay: { exporters: { "otlp_http/new_relic": { retry_on_failure: { enabled: false } } } },
  });
  const failed = spanOf({ traceId: traces.failed, spanId: "b7ad6b7169203301", method: get, ms: 20, failed: true });
  await collector.send("/v1/traces", { resourceSpans: [failed] });
  await collector.send("/v1/metrics", metricsOf(10));
  await collector.send("/v1/metrics", metricsOf(25));
  await collector.send("/v1/logs", logLine());
  const asked = ruleQueries().flatMap(({ expr }) => expr.match(/otelcol_\w+/g) ?? []);
  assert.ok(asked.length > 0);
  let told = "";
  await until(async () => {
    told = await collector.metrics();
    return asked.every((name) => new RegExp(`^${name}\\{.*exporter="otlp_http/new_relic".* [1-9]`, "m").test(told));
  }).catch(() => assert.fail(`of ${asked} this was told:\n${told.match(/^otelcol_exporter.*/gm)?.join("\n")}`));
}

/** A share of all is kept where a share is asked for. */
export async function keepsAShare(binary: string, folder: string): Promise<void> {
  await using receiver = await startReceiver();
  const env = { NEW_RELIC_ENDPOINT: receiver.url, NEW_RELIC_API_KEY: key, TRACE_PERCENTAGE: "20" };
  await using collector = await startCollector({ binary, folder, env });
  const number = 1000;
  const ids = Array.from(
    { length: number },
    (_, at) => `${(at * 2654435761).toString(16).padStart(16, "0").slice(-16)}8448eb211c803102`,
  );
  await collector.send("/v1/traces", {
    resourceSpans: ids.map((traceId) => spanOf({ traceId, spanId: "b7ad6b7169203302", method: get, ms: 20 })),
  });
  await until(() => textOf(receiver, "/v1/traces") !== "");
  await collector[Symbol.asyncDispose]();
  const kept = ids.filter((id) => textOf(receiver, "/v1/traces").includes(id)).length;
  // Six standard deviations of a binomial: 0.2 of 1000 are 200, give or take 76.
  assert.ok(kept > 124 && kept < 276, `${kept} of ${number} were kept`);
}

/** Two replicas: a trace whose spans come to both is seen whole by one of them, and a counter's differences are right. */
export async function sharesAmongReplicas(binary: string, folder: string): Promise<void> {
  await using receiver = await startReceiver();
  const ports = await Promise.all([freePort(), freePort()]);
  const peers = ports.map((port) => `127.0.0.1:${port}`);
  const start = (port: number) =>
    startCollector({
      binary,
      folder,
      files: ["collector/several.yaml"],
      env: {
        NEW_RELIC_ENDPOINT: receiver.url,
        NEW_RELIC_API_KEY: key,
        TRACE_PERCENTAGE: "0",
        COLLECTOR_PEERS: "unused",
      },
      overlay: {
        receivers: { "otlp/peers": { protocols: { grpc: { endpoint: `127.0.0.1:${port}` } } } },
        exporters: {
          "load_balancing/traces": { resolver: { dns: null, static: { hostnames: peers } } },
          "load_balancing/metrics": { resolver: { dns: null, static: { hostnames: peers } } },
        },
      },
    });
  await using first = await start(ports[0] ?? 0);
  await using second = await start(ports[1] ?? 0);
  // Connections among them are made at need, and what is sent meanwhile comes late: once some have come, all come at once.
  for (const [at, collector] of [first, second].entries()) {
    const early = idsFrom(0x5000 + at * 0x100);
    const spans = early.map((traceId) =>
      spanOf({ traceId, spanId: "b7ad6b7169203303", method: get, ms: 20, failed: true }),
    );
    await collector.send("/v1/traces", { resourceSpans: spans });
    await until(() => early.every((id) => textOf(receiver, "/v1/traces").includes(id)));
  }
  const ids = idsFrom(0x4000);
  const quick = ids.map((traceId) => spanOf({ traceId, spanId: "b7ad6b7169203301", method: get, ms: 20 }));
  const broken = ids.map((traceId) =>
    spanOf({ traceId, spanId: "b7ad6b7169203302", method: get, ms: 20, failed: true }),
  );
  const spans = () => textOf(receiver, "/v1/traces").match(/"spanId":"b7ad6b7169203301"/g)?.length ?? 0;
  await first.send("/v1/metrics", metricsOf(10));
  await first.send("/v1/traces", { resourceSpans: quick });
  await second.send("/v1/traces", { resourceSpans: broken });
  await until(() => spans() === ids.length);
  await second.send("/v1/metrics", metricsOf(25));
  await until(() => textOf(receiver, "/v1/metrics") !== "");
  assertDifferences(receiver);
}

function idsFrom(start: number): string[] {
  return Array.from({ length: 20 }, (_, at) => `0af7651916cd43dd8448eb211c80${(start + at).toString(16)}`);
}

function assertDifferences(receiver: Receiver): void {
  const text = textOf(receiver, "/v1/metrics");
  assert.match(text, /"aggregationTemporality":1/, "no differences");
  assert.doesNotMatch(text, /"aggregationTemporality":2/, "a sum since a start");
  assert.match(text, /"asInt":"15"/, "25 after 10 are 15 more");
  assert.match(text, /"count":"15"/, "of a histogram too");
}

function textOf(receiver: Receiver, path: string): string {
  return receiver.received
    .filter((one) => one.path === path)
    .map(({ text }) => text)
    .join("\n");
}

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  const end = Date.now() + 20_000;
  while (!(await holds())) {
    if (Date.now() > end) throw new Error("what should have come to the receiver has not within 20 s");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
