// The portal as a child of this process: started again when it dies, ended with its parent, its log lines passed on.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { StartError } from "@docket/runtime/errors";
import type { Logger } from "@docket/runtime/logger";

export interface PortalProcessOptions {
  /** Where the edge takes the portal's calls. */
  readonly innerAddress: string;
  /** The folder of the build. */
  readonly output: string;
  /** The settings; of these the child gets what concerns it, and no secret but that of the OTLP endpoint. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly logger: Logger;
}

export interface PortalProcess extends AsyncDisposable {
  /** Where it serves at the moment; undefined while it is being started again. */
  readonly address: string | undefined;
  /** The child, for tests that kill it. */
  readonly pid: number | undefined;
}

const firstDelayMs = 250;
const longestDelayMs = 10_000;
/** One that lived so long did not die of its start. */
const healthyMs = 60_000;
const startMs = 60_000;

/** What a child may know of the environment. Not METRICS_PORT: its own port cannot be the same. */
const passedOn =
  /^(DOCKET_DATA_DIR|LOG_LEVEL|OTEL_\w+|MESH_\w+|WEB_(CALL|DRAIN)_TIMEOUT|NUXT_\w+|PATH|HOME|LANG|LC_\w+|TZ|TMPDIR|TEMP|SystemRoot)$/;

/** Starts it and waits until it serves. Throws StartError when it does not come up. */
export async function startPortalProcess(options: PortalProcessOptions): Promise<PortalProcess> {
  const stop = new AbortController();
  let child: ChildProcess | undefined;
  let address: string | undefined;
  const served = Promise.withResolvers<void>();
  // Somebody waits for it only once the first child runs.
  served.promise.catch(() => undefined);

  const live = async () => {
    for (let delayMs = firstDelayMs; !stop.signal.aborted; ) {
      const started = performance.now();
      child = launch(options);
      child.on("message", (message: { readonly address?: unknown }) => {
        if (typeof message.address !== "string") return;
        address = message.address;
        served.resolve();
      });
      const [code, signal] = await ended(child);
      address = undefined;
      if (stop.signal.aborted) return;
      served.reject(new StartError(`The portal's process ended with ${signal ?? code} before it served.`));
      if (performance.now() - started > healthyMs) delayMs = firstDelayMs;
      options.logger.error({ code, signal, again_in_ms: delayMs }, "the portal's process ended");
      await pause(delayMs, undefined, { signal: stop.signal }).catch(() => undefined);
      delayMs = Math.min(longestDelayMs, delayMs * 2);
    }
  };
  const life = live();
  const portal: PortalProcess = {
    get address() {
      return address;
    },
    get pid() {
      return child?.pid;
    },
    async [Symbol.asyncDispose]() {
      stop.abort();
      child?.kill("SIGTERM");
      await life;
    },
  };
  try {
    await Promise.race([served.promise, late(stop.signal)]);
    return portal;
  } catch (error) {
    await portal[Symbol.asyncDispose]();
    throw error;
  }
}

function launch({ innerAddress, output, environment }: PortalProcessOptions): ChildProcess {
  const main = fileURLToPath(new URL("../web/main.ts", import.meta.url));
  const known = { ...process.env, ...environment };
  return spawn(process.execPath, [main], {
    env: {
      ...Object.fromEntries(Object.entries(known).filter(([name]) => passedOn.test(name))),
      NODE_ENV: "production",
      WEB_PORT: "0",
      WEB_OUTPUT: output,
      GATEWAY_INNER_ADDRESS: innerAddress,
    },
    stdio: ["ignore", "ignore", "inherit", "ipc"],
    // In a group of its own: Ctrl-C is for the parent, which ends the child when no page needs it any more. Should the
    // parent be killed, the channel closes and the child ends by itself.
    detached: process.platform !== "win32",
    windowsHide: true,
  });
}

async function ended(child: ChildProcess): Promise<readonly [code: number | null, signal: NodeJS.Signals | null]> {
  try {
    return (await once(child, "exit")) as [number | null, NodeJS.Signals | null];
  } catch {
    // It could not even be started.
    return [null, null];
  }
}

async function late(signal: AbortSignal): Promise<never> {
  await pause(startMs, undefined, { signal, ref: false }).catch(() => undefined);
  throw new StartError(`The portal's process did not serve within ${startMs / 1000} s.`);
}
