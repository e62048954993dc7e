// Doing the same to many things: a few at a time, as fast as the edge lets, and telling of each that failed why.

export interface BulkFailure<Item> {
  readonly item: Item;
  readonly error: unknown;
}

export interface BulkOptions<Item> {
  /** How many at the same time. */
  readonly concurrency?: number;
  /** How long to wait before the same is tried again, in milliseconds; 0: it makes no sense to. */
  readonly retryAfterMs: (error: unknown) => number;
  /** Called after each item that is done or has failed. */
  readonly onProgress?: (done: number) => void;
  readonly signal?: AbortSignal;
  /** Waits; for tests. */
  readonly pause?: (milliseconds: number) => Promise<void>;
  /** Called after each item that is done. */
  readonly onDone?: (item: Item) => void;
}

/** So often an item is tried at most. */
const mostTries = 8;

/** Gives what failed. */
export async function runBulk<Item>(
  items: readonly Item[],
  act: (item: Item) => Promise<unknown>,
  { concurrency = 4, retryAfterMs, onProgress, onDone, signal, pause = wait }: BulkOptions<Item>,
): Promise<BulkFailure<Item>[]> {
  const failures: BulkFailure<Item>[] = [];
  const queue = [...items];
  let finished = 0;
  /** Who is told to wait makes all wait: the limit is common. */
  let gate: Promise<void> = Promise.resolve();

  async function tryOne(item: Item): Promise<void> {
    for (let tries = 1; ; tries += 1) {
      await gate;
      try {
        await act(item);
        onDone?.(item);
        return;
      } catch (error) {
        const ms = retryAfterMs(error);
        if (ms <= 0 || tries >= mostTries || signal?.aborted) {
          failures.push({ item, error });
          return;
        }
        gate = Promise.all([gate, pause(ms)]).then(() => undefined);
      }
    }
  }

  const worker = async () => {
    for (let item = queue.shift(); item !== undefined && !signal?.aborted; item = queue.shift()) {
      await tryOne(item);
      finished += 1;
      onProgress?.(finished);
    }
  };
  await Promise.all(Array.from({ length: Math.min(concurrency, items.length) }, worker));
  return failures;
}

function wait(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
