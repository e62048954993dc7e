/** Reading a service's log of changes; append.ts says why no row is ever skipped. */
import type { Kysely, Selectable } from "kysely";
import { type Clock, systemClock } from "../clock.ts";
import type { Database } from "../db/database.ts";
import type { RuntimeTables } from "../db/entities.ts";

/** Partitions in one `in (…)`. */
const PARTITIONS_AT_ONCE = 500;

export interface Change {
  readonly partition: string;
  /** 1, 2, 3 … without holes within the partition, in the order of commits. */
  readonly sequence: number;
  readonly kind: string;
  readonly subjectId: string | undefined;
  readonly payload: Uint8Array;
  readonly occurredAt: Date;
  /** The trace that made it, as `traceparent`, where one was recorded. */
  readonly trace?: string | undefined;
}

/** The log no longer reaches back to the cursor: rows after it were trimmed. The reader lists again. */
export class ChangesTrimmed extends Error {
  override readonly name = "ChangesTrimmed";
  readonly partition: string;

  constructor(partition: string) {
    super(`changes after the cursor were trimmed in partition ${partition === "" ? "(none)" : partition}`);
    this.partition = partition;
  }
}

export interface ChangeFilter {
  /** Only these kinds. */
  readonly kinds?: readonly string[];
  /** Only changes about these. */
  readonly subjectIds?: readonly string[];
}

/**
 * The changes after `after` (0 = from the beginning), oldest first, at most `limit`. Throws ChangesTrimmed when the log
 * no longer reaches back to there.
 */
export async function readChanges<Tables extends RuntimeTables>(
  db: Database<Tables>,
  partition: string,
  after: number,
  limit: number,
  filter: ChangeFilter = {},
): Promise<Change[]> {
  let query = reading(db)
    .selectFrom("change")
    .select(["sequence", "kind", "subject_id", "payload", "occurred_at", "trace"])
    .where("partition", "=", partition)
    .where("sequence", ">", after)
    .orderBy("sequence")
    .limit(limit);
  if (filter.kinds !== undefined) query = query.where("kind", "in", [...filter.kinds]);
  if (filter.subjectIds !== undefined) query = query.where("subject_id", "in", [...filter.subjectIds]);
  const rows = await query.execute();
  // Asked after the reading: what was trimmed before it is seen, what is trimmed later has been read.
  if (rows[0]?.sequence !== after + 1) await refuseTrimmed(db, partition, after);
  return rows.map((row) => changeOf(partition, row));
}

type ChangeRow = Pick<
  Selectable<RuntimeTables["change"]>,
  "sequence" | "kind" | "subject_id" | "payload" | "occurred_at" | "trace"
>;

function changeOf(partition: string, row: ChangeRow): Change {
  return {
    partition,
    sequence: row.sequence,
    kind: row.kind,
    subjectId: row.subject_id ?? undefined,
    trace: row.trace ?? undefined,
    payload: row.payload,
    occurredAt: new Date(row.occurred_at),
  };
}

/**
 * The changes about one subject below the number `before` (undefined = from the newest), newest first, at most `limit`;
 * what was trimmed is not among them.
 */
export async function readChangesBack<Tables extends RuntimeTables>(
  db: Database<Tables>,
  partition: string,
  subjectId: string,
  before: number | undefined,
  limit: number,
): Promise<Change[]> {
  let query = reading(db)
    .selectFrom("change")
    .select(["sequence", "kind", "subject_id", "payload", "occurred_at", "trace"])
    .where("partition", "=", partition)
    .where("subject_id", "=", subjectId)
    .orderBy("sequence", "desc")
    .limit(limit);
  if (before !== undefined) query = query.where("sequence", "<", before);
  return (await query.execute()).map((row) => changeOf(partition, row));
}

async function refuseTrimmed<Tables extends RuntimeTables>(
  db: Database<Tables>,
  partition: string,
  after: number,
): Promise<void> {
  const trimmed = (await trimmedUpTo(db, [partition])).get(partition) ?? 0;
  if (after < trimmed) throw new ChangesTrimmed(partition);
}

/** The last number of each partition; partitions without changes are absent. Default: all partitions. */
export async function heads<Tables extends RuntimeTables>(
  db: Database<Tables>,
  partitions?: readonly string[],
): Promise<Map<string, number>> {
  const rows = await sequences(db, partitions);
  return new Map(rows.map((row) => [row.partition, row.n]));
}

/** The oldest position from which each partition can still be read: a smaller one has lost rows. */
export async function trimmedUpTo<Tables extends RuntimeTables>(
  db: Database<Tables>,
  partitions?: readonly string[],
): Promise<Map<string, number>> {
  const rows = await sequences(db, partitions);
  return new Map(rows.map((row) => [row.partition, row.trimmed]));
}

async function sequences<Tables extends RuntimeTables>(
  db: Database<Tables>,
  partitions: readonly string[] | undefined,
) {
  const query = reading(db).selectFrom("change_sequence").selectAll();
  if (partitions === undefined) return query.execute();
  const rows: Awaited<ReturnType<typeof query.execute>> = [];
  for (let at = 0; at < partitions.length; at += PARTITIONS_AT_ONCE) {
    rows.push(...(await query.where("partition", "in", partitions.slice(at, at + PARTITIONS_AT_ONCE)).execute()));
  }
  return rows;
}

export interface Lag {
  /** How many changes are behind the position. */
  readonly changes: number;
  /** How long ago the first of them was made, in milliseconds; 0 when there is none. */
  readonly ageMs: number;
}

/** How far a reader at these positions is behind. */
export async function lagOf<Tables extends RuntimeTables>(
  db: Database<Tables>,
  positions: ReadonlyMap<string, number>,
  now: Clock = systemClock,
): Promise<Lag> {
  let changes = 0;
  let oldest = Number.POSITIVE_INFINITY;
  for (const [partition, head] of await heads(db, [...positions.keys()])) {
    const position = positions.get(partition) ?? 0;
    if (head <= position) continue;
    changes += head - position;
    const first = await reading(db)
      .selectFrom("change")
      .select("occurred_at")
      .where("partition", "=", partition)
      .where("sequence", ">", position)
      .orderBy("sequence")
      .limit(1)
      .executeTakeFirst();
    if (first !== undefined) oldest = Math.min(oldest, first.occurred_at);
  }
  return { changes, ageMs: Number.isFinite(oldest) ? Math.max(0, now().getTime() - oldest) : 0 };
}

/** The runtime's own tables of any service's database. */
export function reading<Tables extends RuntimeTables>(db: Database<Tables>): Kysely<RuntimeTables> {
  return db.query as unknown as Kysely<RuntimeTables>;
}
