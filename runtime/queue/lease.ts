/**
 * Who holds a job. A claim raises the job's fencing token, and everything that the holder writes names that token: who
 * was thought dead and comes back finds that it has lost the job.
 */
import type { Kysely, Selectable, Transaction } from "kysely";
import type { Database } from "../db/database.ts";
import type { RuntimeTables } from "../db/entities.ts";

/** A job in a worker's hands. */
export interface Claimed {
  readonly id: string;
  readonly kind: string;
  readonly payload: string;
  readonly runAt: number;
  /** 1 at the first try. */
  readonly attempt: number;
  readonly maxAttempts: number;
  /** Grows with each claim of this job: hand it to systems outside, so that they refuse an older holder. */
  readonly token: number;
  /** The trace that asked for it, as `traceparent`. */
  readonly trace: string | null;
}

/** Somebody else has the job by now; what was done under it must not be kept. */
export class JobLost extends Error {
  override readonly name = "JobLost";

  constructor(id: string) {
    super(`job ${id} was taken over by another worker`);
  }
}

/** Claims up to `limit` jobs that are due or whose holder has died. */
export async function claimJobs(
  db: Database<RuntimeTables>,
  kinds: readonly string[],
  limit: number,
  now: number,
  leaseMs: number,
): Promise<Claimed[]> {
  // Looked for without a lock: an idle queue takes none, and of a busy one only the jobs themselves are locked, by
  // their keys, not the range of an index into which others write.
  const candidates = await findDue(db.query, kinds, limit, now);
  if (candidates.length === 0) return [];
  return db.transaction(async (tx) => {
    const claimed: Claimed[] = [];
    for (const job of await free(db, tx, candidates)) {
      if (job.attempts >= job.max_attempts) {
        await bury(tx, job.id, job.lease_token, "its worker died at the last attempt", now);
        continue;
      }
      const result = await tx
        .updateTable("job")
        .set({
          state: "running",
          attempts: job.attempts + 1,
          lease_token: job.lease_token + 1,
          lease_until: now + leaseMs,
        })
        .where("id", "=", job.id)
        // Another worker may have claimed it since.
        .where("lease_token", "=", job.lease_token)
        .where("state", "=", job.state)
        .executeTakeFirst();
      if (result.numUpdatedRows !== 1n) continue;
      claimed.push({
        id: job.id,
        kind: job.kind,
        payload: job.payload,
        runAt: job.run_at,
        attempt: job.attempts + 1,
        maxAttempts: job.max_attempts,
        token: job.lease_token + 1,
        trace: job.trace,
      });
    }
    return claimed;
  });
}

type JobRow = Selectable<RuntimeTables["job"]>;

async function findDue(query: Kysely<RuntimeTables>, kinds: readonly string[], limit: number, now: number) {
  const jobs = query
    .selectFrom("job")
    .selectAll()
    .where("kind", "in", [...kinds])
    .orderBy("run_at")
    .limit(limit);
  const abandoned = await jobs.where("state", "=", "running").where("lease_until", "<", now).execute();
  if (abandoned.length >= limit) return abandoned;
  const due = await jobs.where("state", "=", "pending").where("run_at", "<=", now).execute();
  return [...abandoned, ...due].slice(0, limit);
}

/** Those of the candidates that nobody else claims at this moment. SQLite's one writer claims alone. */
async function free(db: Database<RuntimeTables>, tx: Transaction<RuntimeTables>, candidates: readonly JobRow[]) {
  if (db.dialect === "sqlite") return candidates;
  const ids = candidates.map(({ id }) => id);
  const locked = await tx.selectFrom("job").selectAll().where("id", "in", ids).forUpdate().skipLocked().execute();
  const seen = new Map(candidates.map((job) => [job.id, job]));
  return locked.filter((job) => seen.get(job.id)?.lease_token === job.lease_token);
}

/** Prolongs the lease; false when it is lost. */
export async function prolong(db: Database<RuntimeTables>, job: Claimed, until: number): Promise<boolean> {
  const result = await held(db.query.updateTable("job").set({ lease_until: until }), job).executeTakeFirst();
  return result.numUpdatedRows === 1n;
}

/**
 * Ends a job that has done its work: it goes, unless it was asked for again while it ran, or is periodic (`nextRunAt`).
 * Throws JobLost when the lease is lost, which rolls the transaction back.
 */
export async function finish(
  tx: Transaction<RuntimeTables>,
  job: Claimed,
  nextRunAt: number | undefined,
): Promise<void> {
  if (nextRunAt === undefined) {
    const gone = await held(tx.deleteFrom("job"), job).where("run_at", "=", job.runAt).executeTakeFirst();
    if (gone.numDeletedRows === 1n) return;
  }
  const kept = await held(
    tx.updateTable("job").set({
      state: "pending",
      attempts: 0,
      lease_until: null,
      last_error: null,
      ...(nextRunAt !== undefined && { run_at: nextRunAt }),
    }),
    job,
  ).executeTakeFirst();
  if (kept.numUpdatedRows !== 1n) throw new JobLost(job.id);
}

/** Puts a job back for a later try. With `uncounted`, this one does not count. */
export async function putBack(
  db: Database<RuntimeTables>,
  job: Claimed,
  change: { readonly runAt: number; readonly lastError?: string; readonly uncounted?: boolean },
): Promise<void> {
  await held(
    db.query.updateTable("job").set({
      state: "pending",
      run_at: change.runAt,
      lease_until: null,
      ...(change.lastError !== undefined && { last_error: change.lastError }),
      ...(change.uncounted && { attempts: job.attempt - 1 }),
    }),
    job,
  ).execute();
}

/** Makes a job a dead letter. Its key is free again. */
export async function bury(
  db: Kysely<RuntimeTables>,
  id: string,
  token: number,
  lastError: string,
  now: number,
): Promise<void> {
  await held(
    db
      .updateTable("job")
      .set({ state: "dead", unique_key: null, lease_until: null, last_error: lastError, finished_at: now }),
    { id, token },
  ).execute();
}

function held<
  Query extends { where(column: "id" | "lease_token" | "state", operator: "=", value: string | number): Query },
>(query: Query, job: Pick<Claimed, "id" | "token">): Query {
  return query.where("id", "=", job.id).where("lease_token", "=", job.token).where("state", "=", "running");
}
