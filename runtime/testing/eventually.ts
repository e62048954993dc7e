// Waiting for what happens by itself, without sleeping for a guessed time.

import { setTimeout as pause } from "node:timers/promises";

/** How long and how often to look. */
export interface EventuallyOptions {
  /** When to give up, in milliseconds. Default: 30 000; generous, since it costs time only when something is broken. */
  readonly timeoutMs?: number;
  /** How long to wait between looks, in milliseconds. Default: 10. */
  readonly intervalMs?: number;
}

/**
 * Calls `check` until it neither throws nor returns false, and returns what it returned. When time is up the last
 * error is thrown as it is, so that a failed expectation is shown as such.
 */
export async function eventually<T>(
  check: () => T | Promise<T>,
  { timeoutMs = 30_000, intervalMs = 10 }: EventuallyOptions = {},
): Promise<Exclude<Awaited<T>, false>> {
  const giveUpAt = performance.now() + timeoutMs;
  for (;;) {
    let failure: unknown;
    try {
      const result = await check();
      if (result !== false) return result as Exclude<Awaited<T>, false>;
      failure = new Error(`The condition did not become true within ${timeoutMs} ms.`);
    } catch (error) {
      failure = error;
    }
    if (performance.now() >= giveUpAt) throw failure;
    await pause(intervalMs);
  }
}
