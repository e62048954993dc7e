// When something is tried again.

const firstMs = 500;
const longestMs = 30_000;

/** How long to wait before the attempt after `failures` failed ones, in milliseconds. `random` is from 0 up to 1. */
export function backoffMs(failures: number, retryAfterMs: number, random: number): number {
  const most = Math.min(longestMs, firstMs * 2 ** Math.min(failures - 1, 16));
  // Half of it by chance, so that those who were cut together do not come back together.
  const own = most / 2 + (most / 2) * random;
  return Math.max(own, retryAfterMs > 0 ? retryAfterMs + own * 0.1 : 0);
}

export interface Waits {
  /** Waits; unless everybody is woken first, where `wakeable` says so (default). Rejects when the signal ends. */
  wait(ms: number, signal: AbortSignal, wakeable?: boolean): Promise<void>;
  /** The network is back, the laptop has woken, somebody is impatient. */
  wake(): void;
}

export function createWaits(): Waits {
  const waiting = new Set<() => void>();
  return {
    wait: (ms, signal, wakeable = true) =>
      new Promise((resolve, reject) => {
        const over = (settle: () => void) => () => {
          clearTimeout(timer);
          signal.removeEventListener("abort", stop);
          waiting.delete(go);
          settle();
        };
        const go = over(resolve);
        const stop = over(() => reject(signal.reason));
        const timer = setTimeout(go, ms);
        if (wakeable) waiting.add(go);
        signal.addEventListener("abort", stop);
        if (signal.aborted) stop();
      }),
    wake() {
      for (const go of [...waiting]) go();
    },
  };
}
