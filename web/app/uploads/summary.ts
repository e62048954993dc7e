// All uploads in one line.

import { secondsLeft } from "./speed.ts";
import type { UploadItem, UploadsSummary } from "./types.ts";

export const emptySummary: UploadsSummary = {
  total: 0,
  done: 0,
  failed: 0,
  active: 0,
  paused: 0,
  asking: 0,
  stalled: 0,
  signedOut: 0,
  bytes: 0,
  sent: 0,
  speed: 0,
  secondsLeft: undefined,
};

/** `speed` is in bytes in a second, `pace` in files in a second; 0: unknown. */
export function summaryOf(items: readonly UploadItem[], speed: number, pace: number): UploadsSummary {
  const counts = { done: 0, failed: 0, active: 0, paused: 0, asking: 0, stalled: 0, signedOut: 0 };
  let bytes = 0;
  let sent = 0;
  let left = 0;
  for (const { state, size, sent: own } of items) {
    bytes += size;
    sent += state === "done" ? size : own;
    if (state === "done" || state === "failed" || state === "paused" || state === "asking" || state === "signedOut") {
      counts[state] += 1;
    } else {
      counts.active += 1;
      left += size - own;
      if (state === "stalled") counts.stalled += 1;
    }
  }
  // Of many small files it is not the bytes that take the time.
  const byFiles = pace > 0 ? counts.active / pace : 0;
  const byBytes = secondsLeft(left, speed);
  const longest = byBytes === undefined ? undefined : Math.max(byBytes, byFiles);
  return { ...counts, total: items.length, bytes, sent, speed, secondsLeft: longest };
}
