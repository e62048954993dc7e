import { AsyncLocalStorage } from "node:async_hooks";

/**
 * Knows whether the present call runs inside an open transaction of this database. A write past `tx` would wait for the
 * transaction, which waits for the write: it fails at once instead of hanging for ever.
 */
export class TransactionScope {
  readonly #storage = new AsyncLocalStorage<{ open: boolean }>();

  async run<Result>(body: () => Promise<Result>): Promise<Result> {
    const state = { open: true };
    try {
      return await this.#storage.run(state, body);
    } finally {
      // What was started inside and lives on may write again.
      state.open = false;
    }
  }

  /** Throws inside a transaction. */
  refuseInside(): void {
    if (this.#storage.getStore()?.open === true) {
      throw new Error("a write or a second transaction inside an open transaction would wait for itself; use its tx");
    }
  }
}
