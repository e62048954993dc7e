// The same services, each as processes of its own on free ports, in as many replicas as wanted, with mTLS between them.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { eventually } from "@docket/runtime/testing/eventually";
import type { PortalOptions } from "./mesh.ts";

/** One process of the mesh. */
export interface ServiceProcess {
  /** `user`, and `user.2` for the second of them; `user.worker` for one that only works. */
  readonly name: string;
  readonly child: ChildProcess;
  /** All that it said on standard error. */
  output(): string;
}

/** A mesh of processes. */
export interface ProcessMesh extends AsyncDisposable {
  /** The first edge. */
  readonly url: string;
  /** All edges. */
  readonly urls: readonly string[];
  readonly processes: ReadonlyMap<string, ServiceProcess>;
  /** Ends one with a signal and leaves it so. Default: SIGKILL. */
  end(name: string, signal?: NodeJS.Signals): Promise<void>;
  /** Starts one that has ended, with the settings it had, and waits until it listens. */
  start(name: string): Promise<void>;
  /** Ends one with SIGKILL, starts it again and waits until all are ready. */
  restart(name: string): Promise<void>;
  /** Waits until every edge says that all it needs is ready. */
  ready(): Promise<void>;
}

/** In the order in which they call each other, as far as they do; they end the other way round. */
const services = ["user", "storage", "document", "integration"] as const;

/** What is started. */
export interface ProcessOptions {
  /** Starts the portal's process too. Default: no pages. */
  readonly portal?: PortalOptions;
  /** How many of each service and of the edge. Default: 1. */
  readonly replicas?: number;
  /** Whether background work is done by processes apart, one for each service. Default: false, all do it. */
  readonly workers?: boolean;
}

interface Part {
  readonly name: string;
  readonly service: string;
  readonly port: number;
  readonly parameters: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

/** Starts the processes and waits until every edge says that all are ready, and the portal if it is asked for. */
export async function startProcesses(
  dataDir: string,
  settings: Record<string, string> = {},
  { portal, replicas = 1, workers = false }: ProcessOptions = {},
): Promise<ProcessMesh> {
  const { parts, shared, urls } = await planOf(replicas, workers, portal !== undefined);
  const environment = {
    ...process.env,
    // Halves the time of a start, of which the programs of e2e/real make hundreds.
    NODE_COMPILE_CACHE: join(tmpdir(), "docket-compile-cache"),
    LOG_LEVEL: "warn",
    DOCKET_DATA_DIR: dataDir,
    ...shared,
    ...(portal && { WEB_OUTPUT: await portal.build() }),
    ...settings,
  };
  const processes = new Map<string, ServiceProcess>();
  const launch = (part: Part) => {
    processes.set(part.name, spawnService(part, { ...environment, ...part.environment }));
  };
  const partOf = (name: string) => {
    const part = parts.find((each) => each.name === name);
    if (part === undefined)
      throw new Error(`there is no process ${name}: ${parts.map((each) => each.name).join(", ")}`);
    return part;
  };
  const wait = async (check: () => Promise<boolean>) => {
    // Many start at once on a small machine.
    await eventually(check, { timeoutMs: 180_000, intervalMs: 50 });
  };
  const listens = async (part: Part) => {
    const { child, output } = processes.get(part.name) as ServiceProcess;
    try {
      await wait(async () => hasEnded(child) || (await accepts(part.port)));
    } catch (error) {
      throw new Error(`${part.name} does not listen: ${output()}`, { cause: error });
    }
    if (hasEnded(child)) throw new Error(`${part.name} ended with ${child.exitCode ?? child.signalCode}: ${output()}`);
  };
  const ready = async () => {
    for (const url of urls) if (!(await fetch(`${url}/readyz`)).ok) return false;
    return !portal || (await fetch(`${urls[0]}/`, { redirect: "manual" })).status < 500;
  };
  const mesh: ProcessMesh = {
    url: urls[0] ?? "",
    urls,
    processes,
    end: (name, signal = "SIGKILL") => ended(processes.get(name), signal),
    async start(name) {
      const part = partOf(name);
      launch(part);
      await listens(part);
    },
    async restart(name) {
      await mesh.end(name);
      await mesh.start(name);
      await mesh.ready();
    },
    ready: () => wait(ready),
    async [Symbol.asyncDispose]() {
      for (const { name } of parts.toReversed()) await ended(processes.get(name), "SIGTERM");
    },
  };
  try {
    for (const part of parts) launch(part);
    for (const part of parts) await listens(part);
    await mesh.ready();
    return mesh;
  } catch (error) {
    await mesh[Symbol.asyncDispose]();
    throw error;
  }
}

/** Which processes there are, on which ports, and what all of them must know of each other. */
async function planOf(replicas: number, workers: boolean, portal: boolean) {
  const parts: Part[] = [];
  const shared: Record<string, string> = {};
  const each = Array.from({ length: replicas }, (_, index) => index);
  const nameOf = (service: string, index: number) => (index === 0 ? service : `${service}.${index + 1}`);
  for (const service of services) {
    const variable = `${service.toUpperCase()}_PORT`;
    const ports = await freePorts(replicas + 1);
    shared[`${service.toUpperCase()}_ADDRESS`] = each.map((index) => `127.0.0.1:${ports[index]}`).join(",");
    const role = workers ? ["--role", "server"] : [];
    const part = (name: string, port = 0, parameters: readonly string[] = role) =>
      parts.push({ name, service, port, parameters, environment: { [variable]: String(port) } });
    for (const index of each) part(nameOf(service, index), ports[index]);
    if (workers) part(`${service}.worker`, ports[replicas], ["--role", "worker"]);
  }
  const [inner = 0, web = 0, ...edges] = await freePorts(2 + 2 * replicas);
  if (portal) {
    shared.WEB_ADDRESS = `127.0.0.1:${web}`;
    shared.GATEWAY_INNER_ADDRESS = `127.0.0.1:${inner}`;
    parts.push({ name: "web", service: "web", port: web, parameters: [], environment: { WEB_PORT: String(web) } });
  }
  for (const index of each) {
    const port = edges[index] ?? 0;
    const innerPort = index === 0 ? inner : (edges[replicas + index] ?? 0);
    const environment = { PORT: String(port), ...(portal && { EDGE_INNER_PORT: String(innerPort) }) };
    parts.push({ name: nameOf("gateway", index), service: "gateway", port, parameters: [], environment });
  }
  return { parts, shared, urls: each.map((index) => `http://127.0.0.1:${edges[index]}`) };
}

function spawnService(part: Part, environment: Record<string, string | undefined>): ServiceProcess {
  const path = part.service === "web" ? "../web/main.ts" : `../services/${part.service}/main.ts`;
  const main = fileURLToPath(new URL(path, import.meta.url));
  const child = spawn(process.execPath, [main, ...part.parameters], {
    env: environment,
    stdio: ["ignore", "ignore", "pipe"],
  });
  let said = "";
  child.stderr?.on("data", (chunk) => {
    said += chunk;
  });
  return { name: part.name, child, output: () => said };
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

async function ended(service: ServiceProcess | undefined, signal: NodeJS.Signals): Promise<void> {
  if (service === undefined || hasEnded(service.child)) return;
  const exit = once(service.child, "exit");
  service.child.kill(signal);
  await exit;
}

async function accepts(port: number): Promise<boolean> {
  const socket = connect(port, "127.0.0.1");
  try {
    await once(socket, "connect");
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
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
