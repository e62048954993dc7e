// Limits on how slowly a body may come. HTTP/1's own timers know no streams, and HTTP/2 has none.

import { Reason } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import { AppError } from "@docket/runtime/errors";

export interface BodyLimits {
  /** For the whole body, in milliseconds; undefined for none. */
  readonly totalMs?: number;
  /** For each piece, in milliseconds. */
  readonly idleMs: number;
}

/** Why a body is no longer waited for. */
const over = () => new AppError(Reason.CANCELLED);
const slow = () => new AppError(Reason.DEADLINE_EXCEEDED, { message: "The request's body came too slowly." });

/**
 * Passes a body on, and throws DEADLINE_EXCEEDED when it comes too slowly. Time spent by the reader does not
 * count as idle. Ends with CANCELLED when the exchange is over.
 */
export async function* watched(
  body: AsyncIterable<Uint8Array>,
  limits: BodyLimits,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const iterator = body[Symbol.asyncIterator]();
  const end = limits.totalMs === undefined ? Number.POSITIVE_INFINITY : Date.now() + limits.totalMs;
  try {
    while (true) {
      const next = await within(iterator.next(), Math.min(limits.idleMs, end - Date.now()), signal);
      if (next.done) return;
      yield next.value;
    }
  } finally {
    // Not awaited: a body that hangs would hold back the answer.
    void Promise.resolve(iterator.return?.()).catch(() => undefined);
  }
}

function within<T>(pending: Promise<T>, limitMs: number, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const settle = (how: () => void) => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      how();
    };
    const end = () => settle(() => reject(over()));
    const timer = setTimeout(() => settle(() => reject(slow())), Math.max(0, limitMs));
    signal.addEventListener("abort", end, { once: true });
    pending.then(
      (value) => settle(() => resolve(value)),
      (error) => settle(() => reject(error)),
    );
    if (signal.aborted) end();
  });
}
