// A private Redis for tests: real, on a free port, with nothing on disk that outlives it.

import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { temporaryFolder } from "../temporary_folder.ts";
import type { ServerTls } from "./certificates.ts";
import { freePort, needCommand, type ServerProcess, startServer } from "./process.ts";

const execute = promisify(execFile);

export interface RedisServerOptions {
  /** The password of the default user. Default: none. */
  readonly password?: string;
  /** More settings, as on the command line. */
  readonly settings?: readonly string[];
  /** Speak TLS, and nothing else. Default: plain text. */
  readonly tls?: ServerTls;
}

/** A Redis server that a test started. Disposing of it kills it. */
export interface RedisServer extends AsyncDisposable {
  readonly port: number;
  /** For REDIS_URL, with the password. */
  readonly url: string;
  /** Kills it and loses what it holds. */
  stop(): Promise<void>;
  /** Starts it again on the same port, empty. */
  start(): Promise<void>;
  /** Stops its clock: connections stay open, new ones are taken by the kernel, nothing is answered. */
  freeze(): void;
  /** Lets it go on, with what it held. */
  thaw(): void;
  /** Sends one command and gives the answer as redis-cli prints it: values of a list on a line each. */
  command(...words: string[]): Promise<string>;
}

/** Starts one. Throws with the name of the package when this machine has none. */
export async function startRedis({ password, tls, settings = [] }: RedisServerOptions = {}): Promise<RedisServer> {
  const command = needCommand("redis-server", "Debian's package redis-server");
  const client = needCommand("redis-cli", "Debian's package redis-tools");
  await using parts = new AsyncDisposableStack();
  const folder = parts.use(await temporaryFolder());
  const port = await freePort();
  const parameters = ["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", ...settings];
  if (tls === undefined) parameters.push("--port", String(port));
  else {
    parameters.push("--port", "0", "--tls-port", String(port), "--tls-auth-clients", "no");
    for (const [option, pem] of [
      ["ca-cert", tls.ca],
      ["cert", tls.cert],
      ["key", tls.key],
    ] as const) {
      const path = join(folder.path, `${option}.pem`);
      await writeFile(path, pem, { mode: 0o600 });
      parameters.push(`--tls-${option}-file`, path);
    }
  }
  if (password !== undefined) parameters.push("--requirepass", password);

  const login = password === undefined ? {} : { REDISCLI_AUTH: password };
  const encryption = tls === undefined ? [] : ["--tls", "--cacert", join(folder.path, "ca-cert.pem")];
  const send = async (...words: string[]): Promise<string> => {
    const options = { env: { ...process.env, ...login }, timeout: 5_000 };
    const { stdout } = await execute(client, ["-h", "127.0.0.1", "-p", String(port), ...encryption, ...words], options);
    return stdout.trim();
  };
  let server: ServerProcess | undefined;
  const start = async () => {
    const data = join(folder.path, randomUUID());
    await mkdir(data);
    const ready = async () => (await send("PING").catch(() => "")) === "PONG";
    server = await startServer(command, [...parameters, "--dir", data], ready);
  };
  const stop = async () => {
    await server?.[Symbol.asyncDispose]();
    server = undefined;
  };
  parts.defer(stop);
  await start();
  const owned = parts.move();
  const scheme = tls === undefined ? "redis" : "rediss";
  return {
    port,
    url: `${scheme}://${password === undefined ? "" : `:${encodeURIComponent(password)}@`}127.0.0.1:${port}`,
    stop,
    start,
    freeze: () => void server?.child.kill("SIGSTOP"),
    thaw: () => void server?.child.kill("SIGCONT"),
    command: send,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
