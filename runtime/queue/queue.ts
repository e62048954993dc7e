/**
 * Work to be done after a transaction, kept in the service's own database: asked for in the transaction that makes it
 * necessary, so that neither is without the other. Stores and handlers enqueue; worker.ts runs. It must never know what
 * a job does. At least once: a job whose worker died runs again; `complete(tx)` makes its effect exactly once.
 */
import type { Kysely, Transaction } from "kysely";
import { type Clock, systemClock } from "../clock.ts";
import type { Database } from "../db/database.ts";
import type { RuntimeTables } from "../db/entities.ts";
import { isUniqueViolation } from "../db/errors.ts";
import { type Page, type PageResult, selectPage } from "../db/page.ts";
import { signalAfterCommit } from "../db/transaction.ts";
import { newId } from "../ids.ts";
import { tracePlaceForRow } from "../telemetry/traceparent.ts";

/** The signal that wakes this process's workers; its topics are kinds. */
export const JOBS_SIGNAL = "jobs";

/** How often a job is tried before it is dead, unless it says otherwise: about a day with the default backoff. */
export const DEFAULT_MAX_ATTEMPTS = 25;

export interface NewJob {
  /** Which handler runs it; 64 characters at most. */
  readonly kind: string;
  /**
   * At most one job of the kind with this key is waiting or running; 200 characters at most. Asking again while it waits
   * does nothing (but may bring it forward); while it runs, it runs once more afterwards, with its own payload.
   */
  readonly key?: string;
  /** Any JSON value. Ids rather than things: the job reads what is true when it runs. */
  readonly payload: unknown;
  /** Not before. Default: at once. */
  readonly runAt?: Date;
  /** Default: DEFAULT_MAX_ATTEMPTS. */
  readonly maxAttempts?: number;
}

/** Asks for a job in this transaction and answers its id, or that of the unfinished job with the same key. */
export async function enqueue<Tables extends RuntimeTables>(
  transaction: Transaction<Tables>,
  job: NewJob,
  now: Clock = systemClock,
): Promise<string> {
  const tx = transaction as unknown as Transaction<RuntimeTables>;
  const present = now().getTime();
  const runAt = job.runAt?.getTime() ?? present;
  signalAfterCommit(transaction, JOBS_SIGNAL, job.kind);
  const id = newId();
  // Not looked for first: two that find nothing would both hold the gap that both then write into.
  try {
    await tx
      .insertInto("job")
      .values(rowOf(id, job, runAt, present))
      .execute();
    return id;
  } catch (error) {
    const other =
      job.key !== undefined && isUniqueViolation(error) ? await askAgain(tx, job.kind, job.key, runAt) : undefined;
    if (other === undefined) throw error;
    return other;
  }
}

function rowOf(id: string, job: NewJob, runAt: number, createdAt: number) {
  return {
    id,
    kind: job.kind,
    unique_key: job.key ?? null,
    payload: JSON.stringify(job.payload ?? null),
    state: "pending",
    run_at: runAt,
    max_attempts: job.maxAttempts ?? DEFAULT_MAX_ATTEMPTS,
    created_at: createdAt,
    trace: tracePlaceForRow(),
  };
}

async function askAgain(
  tx: Transaction<RuntimeTables>,
  kind: string,
  key: string,
  runAt: number,
): Promise<string | undefined> {
  const job = await tx
    .selectFrom("job")
    .select(["id", "state", "run_at"])
    .where("kind", "=", kind)
    .where("unique_key", "=", key)
    .executeTakeFirst();
  if (job === undefined) return undefined;
  // A running job notices at its end that its time is no longer the one it was claimed at.
  const next = job.state === "running" ? Math.max(runAt, job.run_at + 1) : Math.min(runAt, job.run_at);
  if (next !== job.run_at) await tx.updateTable("job").set({ run_at: next }).where("id", "=", job.id).execute();
  return job.id;
}

export type JobState = "pending" | "running" | "dead";

/** A job as operators see it. */
export interface JobRecord {
  readonly id: string;
  readonly kind: string;
  readonly key: string | undefined;
  readonly payload: unknown;
  readonly state: JobState;
  readonly runAt: Date;
  readonly attempts: number;
  readonly maxAttempts: number;
  readonly lastError: string | undefined;
  readonly createdAt: Date;
}

/** The jobs in a state, oldest first. Dead ones stay until somebody runs them again or discards them. */
export async function listJobs<Tables extends RuntimeTables>(
  db: Database<Tables>,
  filter: { readonly state: JobState; readonly kind?: string },
  page: Page,
): Promise<PageResult<JobRecord>> {
  let query = queue(db).selectFrom("job").selectAll().where("state", "=", filter.state);
  if (filter.kind !== undefined) query = query.where("kind", "=", filter.kind);
  const found = await selectPage(query, page, ["run_at", "id"]);
  return {
    nextPageToken: found.nextPageToken,
    rows: found.rows.map((row) => ({
      id: row.id,
      kind: row.kind,
      key: row.unique_key ?? undefined,
      payload: JSON.parse(row.payload) as unknown,
      state: row.state as JobState,
      runAt: new Date(row.run_at),
      attempts: row.attempts,
      maxAttempts: row.max_attempts,
      lastError: row.last_error ?? undefined,
      createdAt: new Date(row.created_at),
    })),
  };
}

/** Gives a dead job all its attempts again; false when there is no dead job of this id. */
export async function rerunJob<Tables extends RuntimeTables>(
  db: Database<Tables>,
  id: string,
  now: Clock = systemClock,
): Promise<boolean> {
  return db.transaction(async (transaction) => {
    const result = await (transaction as unknown as Transaction<RuntimeTables>)
      .updateTable("job")
      .set({ state: "pending", attempts: 0, run_at: now().getTime(), finished_at: null })
      .where("id", "=", id)
      .where("state", "=", "dead")
      .executeTakeFirst();
    signalAfterCommit(transaction, JOBS_SIGNAL, "");
    return result.numUpdatedRows === 1n;
  });
}

/** Removes a dead job for good; false when there is no dead job of this id. */
export async function discardJob<Tables extends RuntimeTables>(db: Database<Tables>, id: string): Promise<boolean> {
  const result = await queue(db).deleteFrom("job").where("id", "=", id).where("state", "=", "dead").executeTakeFirst();
  return result.numDeletedRows === 1n;
}

export interface QueueDepth {
  readonly kind: string;
  readonly state: JobState;
  readonly count: number;
  /** When the oldest of them was due. */
  readonly oldest: Date;
}

/** How many jobs there are of each kind and state, for metrics. */
export async function queueDepth<Tables extends RuntimeTables>(db: Database<Tables>): Promise<QueueDepth[]> {
  const rows = await queue(db)
    .selectFrom("job")
    .select((eb) => ["kind", "state", eb.fn.countAll<number>().as("count"), eb.fn.min("run_at").as("oldest")])
    .groupBy(["kind", "state"])
    .execute();
  return rows.map((row) => ({
    kind: row.kind,
    state: row.state as JobState,
    count: Number(row.count),
    oldest: new Date(Number(row.oldest)),
  }));
}

function queue<Tables extends RuntimeTables>(db: Database<Tables>): Kysely<RuntimeTables> {
  return db.query as unknown as Kysely<RuntimeTables>;
}
