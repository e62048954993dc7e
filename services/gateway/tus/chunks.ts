// A request's body in pieces of a good size for storage, cut into segments in time: what a segment brought is durable
// when it ends, and the next one is sent with a token of its own.

/** The size that storage likes, in bytes. */
export const pieceBytes = 256 * 1024;

/** How long bytes wait for more of them, in milliseconds. */
const flushMs = 250;

export interface SegmentedBody {
  /** Pieces until the body ends, fails, or the segment's time is up. */
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
      let held: Uint8Array[] = [];
      let size = 0;
      while (Date.now() < end) {
        pending ??= read();
        // A failure that nobody waits for any more is no failure of the process.
        pending.catch(() => undefined);
        // What a slow client has sent does not wait for the rest.
        const piece = await (size === 0 ? pending : withinMs(pending, flushMs));
        if (piece !== late) pending = undefined;
        if (piece === undefined) break;
        if (piece !== late) {
          held.push(piece);
          size += piece.byteLength;
          if (size < pieceBytes) continue;
        }
        yield* split(held, size);
        held = [];
        size = 0;
      }
      if (size > 0) yield* split(held, size);
    },
  };
}

const late = Symbol("late");

async function withinMs<T>(pending: Promise<T>, limitMs: number): Promise<T | typeof late> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<typeof late>((resolve) => {
    timer = setTimeout(() => resolve(late), limitMs);
  });
  return await Promise.race([pending, timeout]).finally(() => clearTimeout(timer));
}

/** A single huge piece (an HTTP/2 window's worth) must not exceed what a message may hold. */
function* split(held: readonly Uint8Array[], size: number): Generator<Uint8Array> {
  const [only] = held;
  const bytes = held.length === 1 && only !== undefined ? only : Buffer.concat(held, size);
  for (let at = 0; at < bytes.byteLength; at += 2 * pieceBytes) yield bytes.subarray(at, at + 2 * pieceBytes);
}
