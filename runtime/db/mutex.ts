/** A lock that is given in the order in which it was asked for. */
export class FairMutex {
  readonly #queue: (() => void)[] = [];
  #held = false;

  /** Resolves with the function that releases the lock; calling that twice does nothing. */
  acquire(): Promise<() => void> {
    return new Promise((resolve) => {
      const take = (): void => {
        let released = false;
        resolve(() => {
          if (released) return;
          released = true;
          const next = this.#queue.shift();
          if (next === undefined) this.#held = false;
          else next();
        });
      };
      if (this.#held) {
        this.#queue.push(take);
      } else {
        this.#held = true;
        take();
      }
    });
  }

  /** How many wait for the lock. */
  get waiting(): number {
    return this.#queue.length;
  }
}
