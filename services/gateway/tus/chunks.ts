// A request's body in pieces of a good size for storage, cut into segments in time: what a segment brought is durable
// when it ends, and the next one is sent with a token of its own.

/** The size that storage likes, in bytes. */
export const pieceBytes = 256 * 1024;

/** How long bytes wait for more of them, in milliseconds. */
const flushMs = 250;

export interface SegmentedBody {
  /** Pieces until the body ends, fails, or the segment's time is up; each is valid until the next one is asked for. */
  segment(limitMs: number): AsyncGenerator<Uint8Array>;
  /** True once the body has ended, or failed. */
  readonly over: boolean;
  /** What it failed with: the client went away, or was too slow. */
  readonly failure: unknown;
}

/**
 * Segments a body. When it fails, what came before is still given out, unless `whole` says that only all of it counts;
 * then the failure is thrown.
 */
export function segmented(body: AsyncIterable<Uint8Array>, { whole }: { readonly whole: boolean }): SegmentedBody {
  const iterator = body[Symbol.asyncIterator]();
  let over = false;
  let failure: unknown;
  const gathered = Buffer.allocUnsafeSlow(pieceBytes);
  let pending: Promise<Uint8Array | undefined> | undefined;

  const read = async (): Promise<Uint8Array | undefined> => {
    if (over) return undefined;
    try {
      const next = await iterator.next();
      if (!next.done) return next.value;
    } catch (error) {
      failure = error;
    }
    over = true;
    if (failure !== undefined && whole) throw failure;
    return undefined;
  };

  return {
    get over() {
      return over;
    },
    get failure() {
      return failure;
    },
    async *segment(limitMs) {
      const end = Date.now() + limitMs;
      let filled = 0;
      let waited: NodeJS.Timeout | undefined;
      let wake: () => void = () => undefined;
      const orLate = (piece: Promise<Uint8Array | undefined>) =>
        new Promise<Uint8Array | undefined | typeof late>((resolve, reject) => {
          wake = () => resolve(late);
          piece.then(resolve, reject);
        });
      try {
        while (Date.now() < end) {
          pending ??= read();
          // A failure that nobody waits for any more is no failure of the process.
          pending.catch(() => undefined);
          // What a slow client has sent does not wait for the rest.
          const piece = await (filled === 0 ? pending : orLate(pending));
          if (piece === late) {
            yield gathered.subarray(0, filled);
            filled = 0;
            continue;
          }
          pending = undefined;
          if (piece === undefined) break;
          for (let from = 0; from < piece.byteLength; ) {
            const part = piece.subarray(from, from + pieceBytes - filled);
            from += part.byteLength;
            // What is large enough goes on as it is; only smaller parts are copied together.
            if (part.byteLength < pieceBytes) {
              if (filled === 0) waited = setTimeout(() => wake(), flushMs);
              gathered.set(part, filled);
              filled += part.byteLength;
              if (filled < pieceBytes) break;
            }
            clearTimeout(waited);
            yield filled === 0 ? part : gathered;
            filled = 0;
          }
        }
        if (filled > 0) yield gathered.subarray(0, filled);
      } finally {
        clearTimeout(waited);
      }
    },
  };
}

const late = Symbol("late");
