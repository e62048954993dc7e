// When a delivery is tried again, and when it is given up. Pauses double, and are drawn between half and all of themselves, so
// that receivers which come back are not met by everything at once.

/** The longest pause between two attempts, in milliseconds. */
export const longestPauseMs = 3 * 3_600_000;
/** The longest pause that a receiver's Retry-After is granted. */
const longestAskedMs = 12 * 3_600_000;
/** The longest pause after rounds in which nothing succeeded. */
const longestBlockMs = 300_000;

/** What a failed attempt is judged by. */
export interface Failed {
  /** How often it was tried, this time included. */
  readonly attempts: number;
  /** In milliseconds since 1970, as all times here. */
  readonly now: number;
  readonly retryUntil: number;
  readonly retryAfterMs: number | undefined;
}

/** When to try again; undefined: give it up. `random` is from 0 to 1. */
export function nextAttempt(failed: Failed, firstPauseMs: number, random: number): number | undefined {
  const { attempts, now, retryUntil, retryAfterMs = 0 } = failed;
  if (now >= retryUntil) return undefined;
  const pause = pauseOf(attempts, firstPauseMs, longestPauseMs, random);
  // The last attempt is made when the time ends.
  return Math.min(now + Math.max(pause, Math.min(retryAfterMs, longestAskedMs)), retryUntil);
}

/** How long a webhook is left alone after so many rounds in a row without success. */
export function blockOf(failedRounds: number, firstPauseMs: number, random: number): number {
  return pauseOf(failedRounds, firstPauseMs, longestBlockMs, random);
}

function pauseOf(times: number, firstMs: number, longestMs: number, random: number): number {
  const pause = Math.min(longestMs, firstMs * 2 ** Math.min(times - 1, 40));
  return Math.round(pause * (0.5 + random / 2));
}
