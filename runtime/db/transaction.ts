/** Transactions: retried when they meet another, with work that waits for the commit. */

import { Reason } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import type { Kysely, Transaction } from "kysely";
import { AppError } from "../errors.ts";
import { isBusy } from "./errors.ts";
import type { TransactionScope } from "./scope.ts";
import type { Signals } from "./signals.ts";

export type { Transaction } from "kysely";

const LEAST_TRIES = 5;
const LONGEST_MS = 5_000;
const FIRST_DELAY_MS = 5;
const LONGEST_DELAY_MS = 200;

/** How a transaction is run. */
export interface TransactionOptions {
  /**
   * The partition of the change log that it will write to. Its lock is taken first, so that transactions of one
   * partition come one after the other and do not meet half-way; those of other partitions go on. SQLite has one writer
   * anyway.
   */
  readonly lock?: string;
}

/** What each open transaction of this process will do when it has committed. */
interface Pending {
  readonly signals: Signals;
  readonly after: (() => void)[];
  readonly raised: Map<string, Set<string>>;
}

const pending = new WeakMap<object, Pending>();

/**
 * Calls `run` after the transaction has committed, and never when it rolls back. `run` must not throw.
 * Throws when `tx` was not opened by `Database.transaction`.
 */
export function afterCommit<Tables>(tx: Transaction<Tables>, run: () => void): void {
  pendingOf(tx).after.push(run);
}

/** Raises a signal of the database once the transaction has committed; several of one name and topic become one. */
export function signalAfterCommit<Tables>(tx: Transaction<Tables>, name: string, topic: string): void {
  const { raised } = pendingOf(tx);
  const topics = raised.get(name) ?? new Set();
  raised.set(name, topics.add(topic));
}

function pendingOf<Tables>(tx: Transaction<Tables>): Pending {
  const found = pending.get(tx);
  if (found === undefined) throw new Error("this needs a transaction that Database.transaction opened");
  return found;
}

/**
 * Runs `run` in one transaction, after `begin`. Busy and deadlock roll back and run it again, so it must have no effect
 * outside the database; after five tries and five seconds AppError CONFLICT.
 */
export async function runTransaction<Tables, Result>(
  kysely: Kysely<Tables>,
  signals: Signals,
  scope: TransactionScope,
  run: (tx: Transaction<Tables>) => Promise<Result>,
): Promise<Result> {
  scope.refuseInside();
  const began = performance.now();
  for (let attempt = 1; ; attempt++) {
    const work: Pending = { signals, after: [], raised: new Map() };
    try {
      const result = await kysely.transaction().execute(async (tx) => {
        pending.set(tx, work);
        return scope.run(() => run(tx));
      });
      settle(work);
      return result;
    } catch (error) {
      if (!isBusy(error)) throw error;
      if (attempt >= LEAST_TRIES && performance.now() - began > LONGEST_MS) {
        throw new AppError(Reason.CONFLICT, { cause: error });
      }
      const delay = Math.min(FIRST_DELAY_MS * 2 ** attempt, LONGEST_DELAY_MS);
      await new Promise((resolve) => setTimeout(resolve, delay * Math.random()));
    }
  }
}

function settle({ signals, after, raised }: Pending): void {
  for (const [name, topics] of raised) signals.raise(name, topics);
  for (const run of after) run();
}
