// How much room each holder uses. Every change happens in the transaction that is its cause.

import { sql } from "kysely";
import type { StorageDatabase, Tx } from "./entities.ts";
import { quotaExceeded } from "./refusals.ts";

/** What a holder uses. */
export interface Usage {
  readonly storedBytes: number;
  readonly reservedBytes: number;
  readonly blobCount: number;
}

/** What a holder may use. */
export interface HolderLimits {
  readonly quotaBytes: number;
  /** The largest file. */
  readonly maxFileBytes: number;
}

/** Sets what a holder may use; its row is made where it has none. */
export async function setHolderLimits(tx: Tx, holder: string, limits: HolderLimits): Promise<void> {
  const columns = { quota_bytes: limits.quotaBytes, max_file_bytes: limits.maxFileBytes };
  const updated = await tx.updateTable("storage_usage").set(columns).where("holder", "=", holder).executeTakeFirst();
  if (updated.numUpdatedRows > 0n) return;
  await tx
    .insertInto("storage_usage")
    .values({ holder, stored_bytes: 0, reserved_bytes: 0, blob_count: 0, ...columns })
    .execute();
}

/** The largest file that a holder takes; Infinity where that was never said. */
export async function maxFileBytesOf(tx: Tx, holder: string): Promise<number> {
  const row = await tx
    .selectFrom("storage_usage")
    .select("max_file_bytes")
    .where("holder", "=", holder)
    .executeTakeFirst();
  return row?.max_file_bytes ?? Number.POSITIVE_INFINITY;
}

/** Takes room, or refuses with QUOTA_EXCEEDED. The holder's quota was set before. */
export async function reserve(tx: Tx, holder: string, bytes: number): Promise<void> {
  if (bytes === 0) return;
  const taken = await tx
    .updateTable("storage_usage")
    .set({ reserved_bytes: sql`reserved_bytes + ${bytes}` })
    .where("holder", "=", holder)
    .where(sql<boolean>`stored_bytes + reserved_bytes + ${bytes} <= quota_bytes`)
    .executeTakeFirst();
  if (taken.numUpdatedRows > 0n) return;
  const row = await tx
    .selectFrom("storage_usage")
    .select("quota_bytes")
    .where("holder", "=", holder)
    .executeTakeFirst();
  throw quotaExceeded(row?.quota_bytes ?? 0);
}

/** Changes what is used without asking the quota: room that was reserved becomes stored, or free. */
export async function adjust(
  tx: Tx,
  holder: string,
  change: { readonly reserved?: number; readonly stored?: number; readonly blobs?: number },
): Promise<void> {
  const { reserved = 0, stored = 0, blobs = 0 } = change;
  if (reserved === 0 && stored === 0 && blobs === 0) return;
  await tx
    .updateTable("storage_usage")
    .set({
      reserved_bytes: sql`reserved_bytes + ${reserved}`,
      stored_bytes: sql`stored_bytes + ${stored}`,
      blob_count: sql`blob_count + ${blobs}`,
    })
    .where("holder", "=", holder)
    .execute();
}

/** What a holder uses; nothing where it never did. */
export async function usageOf(db: StorageDatabase, holder: string): Promise<Usage> {
  const row = await db.query.selectFrom("storage_usage").selectAll().where("holder", "=", holder).executeTakeFirst();
  return {
    storedBytes: row?.stored_bytes ?? 0,
    reservedBytes: row?.reserved_bytes ?? 0,
    blobCount: row?.blob_count ?? 0,
  };
}
