// The same services, each as a process of its own on free ports, with mTLS between them.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { fileURLToPath } from "node:url";
import { eventually } from "@docket/runtime/testing/eventually";
import type { PortalOptions } from "./mesh.ts";

/** One process of the mesh. */
export interface ServiceProcess {
  readonly name: string;
  readonly child: ChildProcess;
  /** All that it said on standard error. */
  output(): string;
}

/** A mesh of processes. */
export interface ProcessMesh extends AsyncDisposable {
  readonly url: string;
  readonly processes: ReadonlyMap<string, ServiceProcess>;
  /** Ends one with SIGKILL and starts it again with the same settings. */
  restart(name: string): Promise<void>;
}

/** In the order in which they call each other, as far as they do; they end the other way round. */
const withoutPortal = ["user", "storage", "document", "gateway"];
const withPortal = ["user", "storage", "document", "web", "gateway"];

export interface ProcessOptions {
  /** Starts the portal's process too. Default: no pages. */
  readonly portal?: PortalOptions;
}

/** Starts one process for each service and waits until the edge says that all are ready, and the portal if it is asked for. */
export async function startProcesses(
  dataDir: string,
  settings: Record<string, string> = {},
  { portal }: ProcessOptions = {},
): Promise<ProcessMesh> {
  const names = portal ? withPortal : withoutPortal;
  const [user, storage, document, port, inner, web] = await freePorts(6);
  const environment = {
    ...process.env,
    LOG_LEVEL: "warn",
    DOCKET_DATA_DIR: dataDir,
    USER_PORT: String(user),
    STORAGE_PORT: String(storage),
    DOCUMENT_PORT: String(document),
    USER_ADDRESS: `127.0.0.1:${user}`,
    STORAGE_ADDRESS: `127.0.0.1:${storage}`,
    DOCUMENT_ADDRESS: `127.0.0.1:${document}`,
    PORT: String(port),
    ...(portal && {
      WEB_PORT: String(web),
      WEB_ADDRESS: `127.0.0.1:${web}`,
      WEB_OUTPUT: await portal.build(),
      EDGE_INNER_PORT: String(inner),
      GATEWAY_INNER_ADDRESS: `127.0.0.1:${inner}`,
    }),
    ...settings,
  };
  const url = `http://127.0.0.1:${port}`;
  const processes = new Map<string, ServiceProcess>();
  const launch = (name: string) => processes.set(name, spawnService(name, environment));
  for (const name of names) launch(name);
  const ready = async () => {
    for (const { name, child, output } of processes.values()) {
      if (child.exitCode !== null) throw new Error(`${name} ended with ${child.exitCode}: ${output()}`);
    }
    if (!(await fetch(`${url}/readyz`)).ok) return false;
    return !portal || (await fetch(`${url}/`, { redirect: "manual" })).status < 500;
  };
  await eventually(ready, { timeoutMs: 60_000, intervalMs: 100 });
  return {
    url,
    processes,
    async restart(name) {
      await ended(processes.get(name), "SIGKILL");
      launch(name);
      await eventually(ready, { timeoutMs: 60_000, intervalMs: 100 });
    },
    async [Symbol.asyncDispose]() {
      for (const name of [...names].reverse()) await ended(processes.get(name), "SIGTERM");
    },
  };
}

function spawnService(name: string, environment: Record<string, string | undefined>): ServiceProcess {
  const path = name === "web" ? "../web/main.ts" : `../services/${name}/main.ts`;
  const main = fileURLToPath(new URL(path, import.meta.url));
  const child = spawn(process.execPath, [main], { env: environment, stdio: ["ignore", "ignore", "pipe"] });
  let said = "";
  child.stderr?.on("data", (chunk) => {
    said += chunk;
  });
  return { name, child, output: () => said };
}

async function ended(service: ServiceProcess | undefined, signal: NodeJS.Signals): Promise<void> {
  if (service === undefined || service.child.exitCode !== null || service.child.signalCode !== null) return;
  const exit = once(service.child, "exit");
  service.child.kill(signal);
  await exit;
}

/** Ports that nobody uses now. They are given back before they are used, so a clash is possible, though unlikely. */
async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer().listen(0, "127.0.0.1");
      await once(server, "listening");
      return server;
    }),
  );
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}
