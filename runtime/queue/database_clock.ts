// One clock for all workers of a queue. A lease says until when a job is somebody's, and it is written by one machine and
// read by others: where those share a database server, its clock is the one that counts. A worker whose own clock is
// ahead would otherwise take jobs that are being done.
import { sql } from "kysely";
import type { Clock } from "../clock.ts";
import type { Database } from "../db/database.ts";
import type { RuntimeTables } from "../db/entities.ts";
import type { Logger } from "../logger.ts";

/** How often the clocks are compared, in milliseconds. */
const compareMs = 60_000;
/** A difference that is worth a line in the log, in milliseconds. */
const noticeableMs = 5_000;

export interface DatabaseClock {
  /** The time as the database has it, as far as it was compared. */
  readonly now: Clock;
  /** Compares with the database, when that is due. */
  compare(): Promise<void>;
}

/**
 * The database's clock, by the difference between this machine's and the database's. SQLite has no clock of its own: all
 * who open it are on one machine.
 */
export function databaseClock(
  db: Database<RuntimeTables>,
  clock: Clock,
  logger: Pick<Logger, "warn">,
  local: () => number = Date.now,
): DatabaseClock {
  let aheadMs = 0;
  let comparedAt = Number.NEGATIVE_INFINITY;
  return {
    now: () => new Date(clock().getTime() + aheadMs),
    async compare() {
      if (db.dialect === "sqlite" || Math.abs(local() - comparedAt) < compareMs) return;
      const before = local();
      // Not unix_timestamp(): of the hour that comes twice in autumn it says the wrong one.
      const { rows } = await sql<{ ms: number | string }>`
        select floor(timestampdiff(microsecond, '1970-01-01', utc_timestamp(3)) / 1000) as ms`.execute(db.query);
      const after = local();
      const offset = Number(rows[0]?.ms ?? after) - (before + after) / 2;
      // Within the time that the question took nobody can say which clock is ahead.
      aheadMs = Math.abs(offset) <= after - before ? 0 : Math.round(offset);
      if (Math.abs(aheadMs) >= noticeableMs && comparedAt === Number.NEGATIVE_INFINITY) {
        logger.warn({ ahead_ms: aheadMs }, "the database's clock and this machine's differ; jobs go by the database's");
      }
      comparedAt = after;
    },
  };
}
