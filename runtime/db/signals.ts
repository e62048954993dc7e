/** In-process wake-ups of one database: those who poll for rows of others need not wait for the next poll. */
export class Signals {
  readonly #listeners = new Map<string, Set<(topics: ReadonlySet<string>) => void>>();

  /** Calls `wake` at each signal of this name until disposed. `wake` must return at once and not throw. */
  listen(name: string, wake: (topics: ReadonlySet<string>) => void): Disposable {
    const listeners = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, listeners.add(wake));
    return { [Symbol.dispose]: () => void listeners.delete(wake) };
  }

  /** Tells everybody who listens to this name. */
  raise(name: string, topics: ReadonlySet<string>): void {
    for (const wake of this.#listeners.get(name) ?? []) wake(topics);
  }
}
