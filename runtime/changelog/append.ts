/**
 * A service's log of changes, written in the transaction of the change itself, read by streams and other services.
 * Stores append; streams read through the Tailer. It must never know what a change says: the payload is bytes.
 *
 * Why no reader skips a row that commits late: a transaction takes its numbers by updating the partition's row in
 * change_sequence, and holds that row's lock until it commits. The next one gets its numbers after that commit, so the
 * order of numbers is the order of commits, and a number that is visible means that all before it are. A rollback gives
 * its numbers back, so there are no holes either: a hole proves that rows were trimmed. SQLite's single writer gives
 * the same. On a replicated database, read from the primary only.
 */
import type { Transaction } from "kysely";
import { type Clock, systemClock } from "../clock.ts";
import type { RuntimeTables } from "../db/entities.ts";
import { isUniqueViolation } from "../db/errors.ts";
import { signalAfterCommit } from "../db/transaction.ts";
import { tracePlaceForRow } from "../telemetry/traceparent.ts";

/** The signal that is raised after each commit; its topics are the partitions. */
export const CHANGES_SIGNAL = "changes";

/** Rows in one INSERT; SQLite takes 32,766 parameters at most. */
const INSERT_ROWS = 1_000;

export interface NewChange {
  /** What happened, in the service's own words; 64 characters at most. */
  readonly kind: string;
  /** The id of what it is about, for filters. */
  readonly subjectId?: string;
  /** The change itself, encoded once. */
  readonly payload: Uint8Array;
  /** When, as a Date or in milliseconds since 1970. Default: now. */
  readonly occurredAt?: Date | number;
}

/**
 * Appends changes and answers the sequence number of the last. Must be the last thing that a transaction does: from here
 * to the commit other transactions of the partition wait. Wakes this process's readers after the commit.
 * `partition` is the workspace's id, or "" for a log that is read as a whole. Throws when `rows` is empty.
 */
export async function appendChanges<Tables extends RuntimeTables>(
  transaction: Transaction<Tables>,
  partition: string,
  rows: readonly NewChange[],
  now: Clock = systemClock,
): Promise<number> {
  if (rows.length === 0) throw new Error("appendChanges needs at least one change");
  const tx = transaction as unknown as Transaction<RuntimeTables>;
  const last = await takeNumbers(tx, partition, rows.length);
  const first = last - rows.length + 1;
  const present = now().getTime();
  const trace = tracePlaceForRow();
  const values = rows.map((row, index) => ({
    partition,
    sequence: first + index,
    kind: row.kind,
    subject_id: row.subjectId ?? null,
    payload: row.payload,
    occurred_at: Number(row.occurredAt ?? present),
    trace,
  }));
  for (let at = 0; at < values.length; at += INSERT_ROWS) {
    await tx
      .insertInto("change")
      .values(values.slice(at, at + INSERT_ROWS))
      .execute();
  }
  signalAfterCommit(transaction, CHANGES_SIGNAL, partition);
  return last;
}

async function takeNumbers(tx: Transaction<RuntimeTables>, partition: string, count: number): Promise<number> {
  const add = () =>
    tx
      .updateTable("change_sequence")
      .set((eb) => ({ n: eb("n", "+", count) }))
      .where("partition", "=", partition)
      .executeTakeFirst();
  if ((await add()).numUpdatedRows === 0n) {
    try {
      await tx.insertInto("change_sequence").values({ partition, n: count }).execute();
      return count;
    } catch (error) {
      // Another transaction began this partition meanwhile.
      if (!isUniqueViolation(error)) throw error;
      await add();
    }
  }
  const row = await tx
    .selectFrom("change_sequence")
    .select("n")
    .where("partition", "=", partition)
    .executeTakeFirstOrThrow();
  return row.n;
}
