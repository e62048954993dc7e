// The requests of a stream, handed over one by one.

/** An async iterable that is filled by hand. */
export class Requests<T> implements AsyncIterable<T> {
  readonly #waiting: { readonly value: T; readonly taken: () => void }[] = [];
  #ended = false;
  #wake: () => void = () => undefined;

  /** Resolves when the call has taken it, or has ended. */
  async send(value: T): Promise<void> {
    if (this.#ended) return;
    await new Promise<void>((taken) => {
      this.#waiting.push({ value, taken });
      this.#wake();
    });
  }

  end(): void {
    this.#ended = true;
    this.#wake();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T> {
    try {
      while (true) {
        const next = this.#waiting.shift();
        if (next !== undefined) {
          next.taken();
          yield next.value;
        } else if (this.#ended) return;
        else
          await new Promise<void>((resolve) => {
            this.#wake = resolve;
          });
      }
    } finally {
      this.#ended = true;
      for (const { taken } of this.#waiting) taken();
    }
  }
}
