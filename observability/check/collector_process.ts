// A Collector as a process, with the files of this folder and ports of its own.
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stringify } from "yaml";
import { freePort } from "./receiver.ts";

export interface CollectorOptions {
  readonly binary: string;
  /** observability/ */
  readonly folder: string;
  /** Files beside collector.yaml and sampling.yaml, for example `collector/several.yaml`. */
  readonly files?: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Laid over everything. */
  readonly overlay?: Readonly<Record<string, unknown>>;
}

export interface Collector extends AsyncDisposable {
  /** Sends OTLP as JSON to `/v1/traces` and so on; throws when it is not taken. */
  send(path: string, body: unknown): Promise<void>;
  /** What it tells Prometheus of itself. */
  metrics(): Promise<string>;
}

/** Starts one and waits until it is healthy. Throws with what it said when it ends before. */
export async function startCollector(options: CollectorOptions): Promise<Collector> {
  const [http, grpc, health, telemetry] = await Promise.all([freePort(), freePort(), freePort(), freePort()]);
  const scratch = mkdtempSync(join(tmpdir(), "docket-collector-"));
  const overlay = join(scratch, "overlay.yaml");
  const ours = join(scratch, "ours.yaml");
  writeFileSync(overlay, stringify(settings({ http, grpc, health, telemetry })));
  writeFileSync(ours, stringify(options.overlay ?? {}));
  const shipped = ["collector/collector.yaml", "gen/collector/sampling.yaml", ...(options.files ?? [])];
  const files = [...shipped.map((file) => join(options.folder, file)), overlay, ours];
  const child = spawn(
    options.binary,
    files.flatMap((file) => ["--config", `file:${file}`]),
    {
      env: { ...process.env, ...options.env },
      stdio: ["ignore", "pipe", "pipe"],
    },
  );
  let said = "";
  child.stdout.on("data", (chunk) => (said += String(chunk)));
  child.stderr.on("data", (chunk) => (said += String(chunk)));
  await healthy(`http://127.0.0.1:${health}`, child, () => said);
  return {
    async send(path, body) {
      const response = await fetch(`http://127.0.0.1:${http}${path}`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(body),
      });
      if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    },
    async metrics() {
      return await (await fetch(`http://127.0.0.1:${telemetry}/metrics`)).text();
    },
    async [Symbol.asyncDispose]() {
      const ended = child.exitCode !== null || new Promise((resolve) => child.once("exit", resolve));
      child.kill("SIGTERM");
      await ended;
      rmSync(scratch, { recursive: true, force: true });
    },
  };
}

/** Short times, ports of its own, and text that can be read at the other end. */
function settings(ports: Readonly<Record<"http" | "grpc" | "health" | "telemetry", number>>) {
  return {
    extensions: { health_check: { endpoint: `127.0.0.1:${ports.health}` } },
    receivers: {
      otlp: {
        protocols: {
          http: { endpoint: `127.0.0.1:${ports.http}` },
          grpc: { endpoint: `127.0.0.1:${ports.grpc}` },
        },
      },
    },
    processors: { tail_sampling: { decision_wait: "2s" }, batch: { timeout: "200ms" } },
    exporters: { "otlp_http/new_relic": { encoding: "json" } },
    service: {
      telemetry: {
        metrics: { readers: [{ pull: { exporter: { prometheus: { host: "127.0.0.1", port: ports.telemetry } } } }] },
      },
    },
  };
}

async function healthy(url: string, child: ChildProcess, said: () => string): Promise<void> {
  const until = Date.now() + 30_000;
  while (Date.now() < until) {
    if (child.exitCode !== null) throw new Error(`the Collector ended:\n${said()}`);
    const answer = await fetch(url).catch(() => undefined);
    if (answer?.ok) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  child.kill("SIGKILL");
  throw new Error(`the Collector did not become healthy:\n${said()}`);
}
