// Private servers for tests: a process on a free port with a folder of its own, both gone when disposed.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { accessSync, constants } from "node:fs";
import { createServer } from "node:net";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";
import { eventually } from "../eventually.ts";

/** A server that a test started. Disposing of it kills it. */
export interface ServerProcess extends AsyncDisposable {
  readonly child: ChildProcess;
  /** What it said, for the message of a start that failed. */
  output(): string;
}

/** The path of a command, or undefined when this machine lacks it. Looked for in PATH, in sbin and among Go's binaries. */
export function findCommand(name: string): string | undefined {
  const folders = [
    ...(process.env.PATH ?? "").split(delimiter),
    "/usr/sbin",
    "/usr/local/sbin",
    join(homedir(), "go/bin"),
  ];
  return folders.map((folder) => join(folder, name)).find(isExecutable);
}

/** Like {@link findCommand}, but throws with the Debian package or other source that brings it. */
export function needCommand(name: string, from: string): string {
  const found = findCommand(name);
  if (found === undefined) throw new Error(`${name} is missing on this machine; ${from} brings it`);
  return found;
}

/** Starts a command and waits until `ready` resolves to true. */
export async function startServer(
  command: string,
  parameters: readonly string[],
  ready: () => Promise<boolean>,
  environment: Readonly<Record<string, string>> = {},
): Promise<ServerProcess> {
  const child = spawn(command, parameters, {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, ...environment },
  });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk) => {
      said = (said + chunk).slice(-20_000);
    });
  }
  const ended = () => child.exitCode !== null || child.signalCode !== null;
  const server: ServerProcess = {
    child,
    output: () => said,
    async [Symbol.asyncDispose]() {
      if (ended()) return;
      const exit = once(child, "exit");
      child.kill("SIGKILL");
      await exit;
    },
  };
  // A test process that is killed takes its servers with it where it can.
  const kill = () => child.kill("SIGKILL");
  process.once("exit", kill);
  child.once("exit", () => process.off("exit", kill));
  try {
    await eventually(async () => ended() || (await ready()), { timeoutMs: 60_000, intervalMs: 50 });
    if (ended()) throw new Error("it ended at once");
    return server;
  } catch (error) {
    await server[Symbol.asyncDispose]();
    throw new Error(`${command} did not become ready: ${said}`, { cause: error });
  }
}

/** A port that nobody uses now. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
