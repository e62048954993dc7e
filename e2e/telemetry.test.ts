// A whole journey, watched: traces hang together over all services, metrics tell of it, and nothing that people wrote, are
// called or sign in with is in a log line, a metric or a byte that was sent.

import { createServer } from "node:net";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { eventually } from "@docket/runtime/testing/eventually";
import { temporaryFolder } from "@docket/runtime/testing/temporary_folder";
import { type OtlpReceiver, startOtlpReceiver } from "@docket/runtime/telemetry/testing/otlp_receiver";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { parseArguments } from "./arguments.ts";
import { runJourney } from "./journey.ts";
import { startWhole, type Whole } from "./kill.ts";
import { signUp } from "./person.ts";

const parts = new AsyncDisposableStack();
let receiver: OtlpReceiver;
let whole: Whole;
let logged = "";
let exposed = "";
let metricsPort = "";

async function freePort(): Promise<string> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, "close");
  return String(port);
}

async function scrape(): Promise<string> {
  const accept = "application/openmetrics-text;version=1.0.0";
  return await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`, { headers: { accept } })).text();
}

beforeAll(async () => {
  const folder = parts.use(await temporaryFolder());
  receiver = parts.use(await startOtlpReceiver());
  metricsPort = await freePort();
  whole = await startWhole(folder.path, {
    OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
    METRICS_PORT: metricsPort,
    LOG_LEVEL: "debug",
  });
  parts.defer(() => whole.end("SIGTERM"));
  whole.child.stderr?.on("data", (chunk) => {
    logged += chunk;
  });
  await runJourney({ url: whole.url, largeBytes: 2_000_000 });
  exposed = await scrape();
}, 180_000);
afterAll(() => parts.disposeAsync());

describe("a journey that is watched", () => {
  it("has its calls in the metrics, with an example that is a trace", () => {
    const lines = exposed.split("\n");
    const created = lines.filter((line) =>
      /^rpc_server_call_duration_seconds_count\{.*DocumentService\/CreateDocument".*"OK".*docket_caller="gateway"/.test(
        line,
      ),
    );
    expect(created).toEqual([expect.stringMatching(/service="document"\} [2-9]$/)]);
    expect(lines).toContain('docket_events_total{event="document_created",service="document"} 2');
    const example = lines.find((line) => line.includes("CreateDocument") && line.includes(" # {trace_id="));
    expect(example).toBeDefined();
    for (const name of [
      "docket_streams_open",
      "docket_queue_jobs",
      "docket_change_lag_seconds",
      "docket_edge_in_flight",
    ]) {
      expect([name, lines.some((line) => line.startsWith(`${name}{`))]).toEqual([name, true]);
    }
  });

  it("has every metric that the page for operators lists, and no other", async () => {
    const page = await readFile(new URL("../docs/operations/observability.md", import.meta.url), "utf8");
    const section = /^## Metrics$[\s\S]*?(?=^## )/m.exec(page)?.[0] ?? "";
    const rows = section.split("\n").filter((line) => /^\| `[a-z0-9_]+`/.test(line));
    const listed = rows.flatMap((row) =>
      [...(row.split("|")[1] ?? "").matchAll(/`([a-z0-9_]+)`/g)].map(([, name]) => name),
    );
    // Of servers that are not used here.
    const elsewhere = /^(db_client_connection|docket_redis)_/;
    const told = [...exposed.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name, kind]) =>
      kind === "counter" ? `${name}_total` : kind === "info" ? `${name}_info` : name,
    );
    expect(told.sort()).toEqual(listed.filter((name) => !elsewhere.test(name ?? "")).sort());
  });

  it("is not told of on the edge", async () => {
    const answer = await fetch(`${whole.url}/metrics`);
    expect(answer.status).toBe(404);
    expect(await answer.text()).not.toContain("rpc_server");
  });

  it("has traces without a gap when everything has ended, and sends what is left when it stops", async () => {
    const before = receiver.spans.length;
    await whole.end("SIGTERM");
    expect(receiver.spans.length).toBeGreaterThan(before);
    const known = new Set(receiver.spans.map(({ traceId, spanId }) => `${traceId} ${spanId}`));
    const torn = receiver.spans.filter(
      ({ traceId, parentSpanId }) => parentSpanId !== "" && !known.has(`${traceId} ${parentSpanId}`),
    );
    expect(torn.map(({ service, name }) => `${service} ${name}`)).toEqual([]);
    const services = new Set(receiver.spans.map(({ service }) => service));
    expect([...services]).toEqual(expect.arrayContaining(["gateway", "user", "document", "storage"]));
    // A stream of changes names those that it told of.
    const stream = receiver.spans.find(
      ({ service, name, kind, links }) =>
        service === "document" && /\/WatchChanges$/.test(name) && kind === 2 && links[0],
    );
    expect(receiver.spans.some(({ traceId }) => traceId === stream?.links[0])).toBe(true);
  }, 60_000);

  it("has no statement with a value in it", () => {
    const texts = receiver.spans.map(({ attributes }) => String(attributes["db.query.text"] ?? ""));
    expect(texts.filter((text) => text !== "").length).toBeGreaterThan(100);
    for (const text of texts) expect(text).not.toMatch(/'|(?<![\w."`])\d/);
  });

  it("is in the log with its traces, and nowhere with a text, a name, an address or a secret", async () => {
    await eventually(() => receiver.logs.length > 100 && receiver.metrics.length > 0);
    expect(logged).toMatch(/"trace_id":"[0-9a-f]{32}","span_id":"[0-9a-f]{16}"/);
    // A token, as the services hand it on.
    expect(logged).not.toMatch(/\beyJ[\w-]{8,}\./);
    const sent = Buffer.concat([...receiver.bytes]).toString("latin1");
    expect(sent).not.toMatch(/\beyJ[\w-]{8,}\./);
    const said = [
      "Harbour Works",
      "Check the figures",
      "The total on page 1 is right.",
      "second draft",
      "first draft",
      "Contract.pdf",
      "Contract 2.pdf",
      "Drawing.bin",
      '"Contract"',
      "@example.com",
      "correct horse",
    ];
    for (const text of said) {
      const found = Object.entries({ logged, exposed, sent }).filter(([, all]) => all.includes(text));
      expect([text, found.map(([where, all]) => `${where}: ${around(all, text)}`)]).toEqual([text, []]);
    }
  });
});

describe("npm start -- --trace", () => {
  it("prints the path of each request that is asked for, from the edge to the statement", async () => {
    await using folder = await temporaryFolder();
    const watched = await startWhole(folder.path, {}, undefined, ["--no-portal", "--trace=SignUp"]);
    let printed = "";
    watched.child.stdout?.on("data", (chunk) => {
      printed += chunk;
    });
    try {
      const anna = await signUp(watched.url, "Anna");
      await anna.workspaces.createWorkspace({ name: "Harbour Works" });
      await eventually(() => printed.includes("COMMIT"));
      await watched.end("SIGTERM");
    } finally {
      await watched.end("SIGKILL");
    }
    const [first = "", second = "", third = ""] = printed.split("\n");
    expect(first).toMatch(/^ +\+0 +\d+\.\d ms {2}gateway {2}POST SessionService\/SignUp {2}\(200, [0-9a-f]{32}\)$/);
    expect(second).toMatch(/^ +\+\d+ +\d+\.\d ms {2}└ user {2}SessionService\/SignUp/);
    expect(third).toMatch(/ms {4}├ user {2}SELECT account/);
    expect(printed).not.toMatch(/CreateWorkspace|Harbour|example\.com/);
  }, 60_000);

  it("says which arguments there are", () => {
    expect(parseArguments(["--trace", "--no-portal"])).toEqual({ portal: false, demo: false, trace: true });
    expect(parseArguments(["--trace=100ms"])).toMatchObject({ trace: "100ms" });
    expect(() => parseArguments(["--trase"])).toThrow(/^There is no argument "--trase"; .*--trace \(prints the path/);
  });
});

function around(all: string, text: string): string {
  const at = all.indexOf(text);
  return all.slice(Math.max(0, at - 200), at + 100);
}
