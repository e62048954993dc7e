import { detached } from "../telemetry/span.ts";

/**
 * In-process wake-ups of one database: those who poll for rows of others need not wait for the next poll. What is raised
 * here may be relayed to other processes, and what was raised there is received.
 */
export class Signals {
  readonly #listeners = new Map<string, Set<(topics: ReadonlySet<string>) => void>>();
  readonly #relays = new Set<(name: string, topics: ReadonlySet<string>) => void>();

  /** Calls `wake` at each signal of this name until disposed. `wake` must return at once and not throw. */
  listen(name: string, wake: (topics: ReadonlySet<string>) => void): Disposable {
    const listeners = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, listeners.add(wake));
    return { [Symbol.dispose]: () => void listeners.delete(wake) };
  }

  /** Calls `pass` at each signal that is raised here, of any name, until disposed. It must return at once and not throw. */
  relay(pass: (name: string, topics: ReadonlySet<string>) => void): Disposable {
    this.#relays.add(pass);
    return { [Symbol.dispose]: () => void this.#relays.delete(pass) };
  }

  /** Tells everybody who listens to this name, here and where it is relayed to. */
  raise(name: string, topics: ReadonlySet<string>): void {
    this.receive(name, topics);
    for (const pass of this.#relays) pass(name, topics);
  }

  /** Tells those who listen here of what another process raised. */
  receive(name: string, topics: ReadonlySet<string>): void {
    // What others read then is no part of the request that raised it.
    for (const wake of this.#listeners.get(name) ?? []) detached(() => wake(topics));
  }
}
