// The life of a process: start, wait to be told to stop, stop in order. What an operator can mend is said in one
// sentence without a stack; what is our defect is logged with everything.

import { setTimeout as pause } from "node:timers/promises";
import { ConfigError } from "./config.ts";
import { StartError } from "./errors.ts";
import { createLogger, type Logger } from "./logger.ts";
import { nodeVersionFault } from "./node_version.mjs";

/** How a process is run. */
export interface ProcessOptions {
  /** How long stopping may take before the process ends anyway, in milliseconds. Default: 15 000. */
  readonly stopTimeoutMs?: number;
  /** Where defects are logged. Default: stderr. */
  readonly logger?: Logger;
}

/** Ctrl-C reaches a process from its terminal and once more from npm: together they are one signal. */
const echoMs = 500;

const exitCodes = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;
type StopSignal = keyof typeof exitCodes;

/**
 * Runs `start` and what it returns until SIGTERM, SIGINT or SIGHUP, then disposes of it and exits: with 0 when that went
 * well in time, with 1 otherwise. The signal given to `start` aborts when the process shall stop, also half-way through
 * the start. A second signal exits at once. ConfigError and StartError become one sentence on stderr and exit code 1; an
 * unhandled rejection or exception is logged and exits with 1.
 */
export async function runProcess(
  start: (signal: AbortSignal) => Promise<AsyncDisposable>,
  { stopTimeoutMs = 15_000, logger = createLogger() }: ProcessOptions = {},
): Promise<never> {
  const unfit = nodeVersionFault(process.version);
  if (unfit !== undefined) return exitWith(unfit);
  const crash = (err: unknown, origin: string) => {
    logger.fatal({ err, origin }, "unhandled error");
    process.exit(1);
  };
  process.on("uncaughtException", (error, origin) => crash(error, origin));
  process.on("unhandledRejection", (reason) => crash(reason, "unhandledRejection"));

  const stopping = onStopSignal();
  let running: AsyncDisposable;
  try {
    running = await start(stopping);
  } catch (error) {
    if (error instanceof ConfigError || error instanceof StartError) return exitWith(error.message);
    // A start that was interrupted has not failed.
    if (stopping.aborted) return process.exit(0);
    logger.fatal({ err: error }, "start failed");
    return process.exit(1);
  }
  if (!stopping.aborted) await new Promise((resolve) => stopping.addEventListener("abort", resolve, { once: true }));
  try {
    const inTime = await Promise.race([
      running[Symbol.asyncDispose]().then(() => true),
      pause(stopTimeoutMs, false, { ref: false }),
    ]);
    if (inTime) return process.exit(0);
    logger.error({ stop_timeout_ms: stopTimeoutMs }, "stopping took too long");
  } catch (error) {
    logger.error({ err: error }, "stopping failed");
  }
  return process.exit(1);
}

/** Aborts with the first signal to stop; a later one ends the process. */
function onStopSignal(): AbortSignal {
  const stop = new AbortController();
  let firstAt: number | undefined;
  // Nothing else may be left to do, and the process must still wait for a signal.
  const alive = setInterval(() => undefined, 60_000);
  stop.signal.addEventListener("abort", () => clearInterval(alive));
  for (const name of Object.keys(exitCodes) as StopSignal[]) {
    process.on(name, () => {
      if (firstAt === undefined) {
        firstAt = performance.now();
        stop.abort();
      } else if (performance.now() - firstAt > echoMs) {
        process.exit(exitCodes[name]);
      }
    });
  }
  return stop.signal;
}

function exitWith(sentence: string): never {
  process.stderr.write(`${sentence}\n`);
  process.exit(1);
}
