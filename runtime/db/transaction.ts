/** Transactions: retried when they meet another, with work that waits for the commit. */
import type { Kysely, Transaction } from "kysely";
import { AppError } from "../errors.ts";
import { Reason } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import { isBusy } from "./errors.ts";

export type { Transaction } from "kysely";

const TRIES = 5;
const FIRST_DELAY_MS = 10;

/** What waits for each open transaction's commit. */
const waiting = new WeakMap<object, (() => void)[]>();

/**
 * Calls `run` after the transaction has committed, and never when it rolls back. `run` must not throw.
 * Throws when `tx` was not opened by `Database.transaction`.
 */
export function afterCommit<Tables>(tx: Transaction<Tables>, run: () => void): void {
  const list = waiting.get(tx);
  if (list === undefined) throw new Error("afterCommit needs a transaction of Database.transaction");
  list.push(run);
}

/**
 * Runs `run` in one transaction. Busy and deadlock roll back and run it again, so it must have no effect outside the
 * database; after five tries AppError CONFLICT.
 */
export async function runTransaction<Tables, Result>(
  kysely: Kysely<Tables>,
  run: (tx: Transaction<Tables>) => Promise<Result>,
): Promise<Result> {
  for (let attempt = 1; ; attempt++) {
    const after: (() => void)[] = [];
    try {
      const result = await kysely.transaction().execute(async (tx) => {
        waiting.set(tx, after);
        return run(tx);
      });
      for (const wake of after) wake();
      return result;
    } catch (error) {
      if (!isBusy(error)) throw error;
      if (attempt === TRIES) throw new AppError(Reason.CONFLICT, { cause: error });
      await new Promise((resolve) => setTimeout(resolve, FIRST_DELAY_MS * 2 ** attempt * Math.random()));
    }
  }
}
