// Limits on how slowly a body may come. HTTP/1's own timers know no streams, and HTTP/2 has none.

import { Reason } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import { AppError } from "@docket/runtime/errors";

export interface BodyLimits {
  /** For the whole body, in milliseconds; undefined for none. */
  readonly totalMs?: number;
  /** For each piece, in milliseconds. */
  readonly idleMs: number;
}

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
  let fail: (fault: AppError) => void = () => undefined;
  let expired = false;
  // Made only when needed: an error takes its stack along, and this path is taken for each piece.
  const slow = () => new AppError(Reason.DEADLINE_EXCEEDED, { message: "The request's body came too slowly." });
  const idle = setTimeout(() => fail(slow()), limits.idleMs);
  const expire = () => {
    expired = true;
    fail(slow());
  };
  const total = limits.totalMs === undefined ? undefined : setTimeout(expire, limits.totalMs);
  const abort = () => {
    // A reader that refused the body may have left for good, without a word: what is below never runs then.
    clearTimeout(idle);
    clearTimeout(total);
    fail(new AppError(Reason.CANCELLED));
  };
  signal.addEventListener("abort", abort, { once: true });
  try {
    while (true) {
      if (signal.aborted) throw new AppError(Reason.CANCELLED);
      if (expired) throw slow();
      idle.refresh();
      const next = await new Promise<IteratorResult<Uint8Array>>((resolve, reject) => {
        fail = reject;
        iterator.next().then(resolve, reject);
      });
      fail = () => undefined;
      if (next.done) return;
      yield next.value;
    }
  } finally {
    clearTimeout(idle);
    clearTimeout(total);
    signal.removeEventListener("abort", abort);
    // Not awaited: a body that hangs would hold back the answer.
    void Promise.resolve(iterator.return?.()).catch(() => undefined);
  }
}
