import { afterAttempt, afterSuccess, type Bucket, type ThrottleRule, waitOf } from "../domain/throttle.ts";
import type { Db } from "./database.ts";

/** Something that is slowed: the hash of what it is, and how. */
export interface Slowed {
  readonly bucket: string;
  readonly rule: ThrottleRule;
}

async function read(db: Db, bucket: string): Promise<Bucket | undefined> {
  const row = await db.selectFrom("throttle").selectAll().where("bucket", "=", bucket).executeTakeFirst();
  return row && { failures: row.failures, lastAt: row.last_at, blockedUntil: row.blocked_until };
}

async function write(db: Db, bucket: string, { failures, lastAt, blockedUntil }: Bucket): Promise<void> {
  await db.deleteFrom("throttle").where("bucket", "=", bucket).execute();
  await db.insertInto("throttle").values({ bucket, failures, last_at: lastAt, blocked_until: blockedUntil }).execute();
}

/** Counts an attempt in every bucket, or gives how long it must wait, in milliseconds, and counts nothing. */
export async function countAttempt(db: Db, slowed: readonly Slowed[], now: number): Promise<number> {
  const buckets = await Promise.all(slowed.map(({ bucket }) => read(db, bucket)));
  const wait = Math.max(0, ...buckets.map((bucket) => waitOf(bucket, now)));
  if (wait > 0) return wait;
  for (const [index, { bucket, rule }] of slowed.entries()) {
    await write(db, bucket, afterAttempt(buckets[index], rule, now));
  }
  return 0;
}

/** Takes an attempt back that turned out to be right, or that was not tried at all. */
export async function forgiveAttempt(db: Db, slowed: readonly Slowed[], now: number): Promise<void> {
  for (const { bucket } of slowed) {
    const known = await read(db, bucket);
    if (known !== undefined) await write(db, bucket, afterSuccess(known, now));
  }
}

export async function isKnownSource(db: Db, userId: string, sourceHash: string): Promise<boolean> {
  const row = await db
    .selectFrom("known_source")
    .select("user_id")
    .where("user_id", "=", userId)
    .where("source_hash", "=", sourceHash)
    .executeTakeFirst();
  return row !== undefined;
}

export async function rememberSource(db: Db, userId: string, sourceHash: string, now: Date): Promise<void> {
  await db.deleteFrom("known_source").where("user_id", "=", userId).where("source_hash", "=", sourceHash).execute();
  await db
    .insertInto("known_source")
    .values({ user_id: userId, source_hash: sourceHash, last_at: now.getTime() })
    .execute();
}

/** Removes what is too old to matter. */
export async function deleteOldThrottles(db: Db, before: Date, sourcesBefore: Date): Promise<void> {
  await db.deleteFrom("throttle").where("last_at", "<", before.getTime()).execute();
  await db.deleteFrom("known_source").where("last_at", "<", sourcesBefore.getTime()).execute();
}
