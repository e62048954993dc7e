// Small transformations of message streams that several links share. Each passes an early return on to its source, so
// that cancellation reaches the handler.

/** Calls `seen` for each message; what it throws ends the stream. */
export async function* observing<T>(source: AsyncIterable<T>, seen: (message: T) => void): AsyncGenerator<T> {
  for await (const message of source) {
    seen(message);
    yield message;
  }
}

/** Replaces what the source throws. */
export async function* mappingErrors<T>(
  source: AsyncIterable<T>,
  translate: (error: unknown) => unknown,
): AsyncGenerator<T> {
  try {
    yield* source;
  } catch (error) {
    throw translate(error);
  }
}

/** Calls `finish` once when the stream has ended, with the error if it failed; leaving early counts as an end. */
export async function* finishing<T>(source: AsyncIterable<T>, finish: (error?: unknown) => void): AsyncGenerator<T> {
  let failure: unknown;
  try {
    yield* source;
  } catch (error) {
    failure = error;
    throw error;
  } finally {
    finish(failure);
  }
}

/** Ends with the signal's reason as soon as it aborts, even while the source is silent. `finish` runs once at the end. */
export async function* endingWith<T>(
  source: AsyncIterable<T>,
  signal: AbortSignal,
  finish: () => void,
): AsyncGenerator<T> {
  const iterator = source[Symbol.asyncIterator]();
  // Not Promise.race against one long-lived promise: that one would keep each message until the stream ends.
  let wake: (end: "aborted") => void = () => undefined;
  const abort = () => wake("aborted");
  const nextOrAborted = () =>
    new Promise<IteratorResult<T> | "aborted">((resolve, reject) => {
      wake = resolve;
      if (signal.aborted) return resolve("aborted");
      iterator.next().then(resolve, reject);
    });
  signal.addEventListener("abort", abort, { once: true });
  let over = false;
  try {
    while (true) {
      const next = await nextOrAborted();
      if (next === "aborted") throw signal.reason;
      if (next.done) {
        over = true;
        return;
      }
      yield next.value;
    }
  } catch (error) {
    over = !signal.aborted;
    throw error;
  } finally {
    signal.removeEventListener("abort", abort);
    finish();
    // Not awaited: a source that hangs must not hold back the answer; its own failure has nobody left to tell.
    if (!over) void iterator.return?.().catch(() => undefined);
  }
}

/** Takes the first message and gives it back in front of the rest. */
export async function peeking<T>(source: AsyncIterable<T>): Promise<{ first: T | undefined; all: AsyncIterable<T> }> {
  const iterator = source[Symbol.asyncIterator]();
  const head = await iterator.next();
  if (head.done) return { first: undefined, all: empty() };
  return { first: head.value, all: prepend(head.value, iterator) };
}

async function* prepend<T>(first: T, rest: AsyncIterator<T>): AsyncGenerator<T> {
  try {
    yield first;
    while (true) {
      const next = await rest.next();
      if (next.done) return;
      yield next.value;
    }
  } finally {
    await rest.return?.();
  }
}

async function* empty<T>(): AsyncGenerator<T> {}

/** Rejects with the signal's reason when it aborts, and never otherwise. */
export function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    else signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
}
