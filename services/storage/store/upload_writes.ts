// Writes at uploads, where several processes share one place for bytes. A write notes itself before its first byte, and
// with that ends the older ones whose bytes it meets, whoever runs them: what they still seal is refused in the very
// transaction that would note it, so that nothing of an older write counts once a newer one began. Its process hears of
// it a moment later, by a signal or by looking. Where this process has the place for itself, none of this is needed.

import { signalAfterCommit } from "@docket/runtime/db/transaction";
import { Reason } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import { AppError } from "@docket/runtime/errors";
import { newId } from "@docket/runtime/ids";
import type { Range } from "../domain/ranges.ts";
import type { StorageDatabase, Tx } from "./entities.ts";
import type { UploadRow } from "./upload_row.ts";

/** The signal that writes may have come to their end; its topics are uploads. */
export const WRITES_SIGNAL = "upload_writes";

/** Longer than any call may take, in milliseconds: an older write is nobody's. */
const longestWriteMs = 24 * 60 * 60 * 1000;

/** A write that is noted. */
export interface NotedWrite {
  readonly id: string;
  /** Which write at the upload it is, counted from 1. */
  readonly number: number;
}

/** Notes a write and ends those that it meets. The upload's row must be locked. */
export async function noteWrite(tx: Tx, row: UploadRow, region: Range, now: number): Promise<NotedWrite> {
  const id = newId();
  let older = tx
    .updateTable("upload_write")
    .set({ superseded_at: now })
    .where("upload_id", "=", row.id)
    .where("superseded_at", "is", null)
    .where((build) => build.or([build("end", "is", null), build("end", ">", region.start)]));
  if (Number.isFinite(region.end)) older = older.where("start", "<", region.end);
  const { numUpdatedRows } = await older.executeTakeFirstOrThrow();
  const end = Number.isFinite(region.end) ? region.end : null;
  await tx
    .insertInto("upload_write")
    .values({ id, upload_id: row.id, start: region.start, end, created_at: now, superseded_at: null })
    .execute();
  const number = row.write_count + 1;
  await tx.updateTable("upload").set({ write_count: number }).where("id", "=", row.id).execute();
  if (numUpdatedRows > 0n) signalAfterCommit(tx, WRITES_SIGNAL, row.id);
  return { id, number };
}

/** Refuses what a write brings that a newer one has ended. */
export async function refuseSuperseded(tx: Tx, writeId: string): Promise<void> {
  const row = await tx.selectFrom("upload_write").select("superseded_at").where("id", "=", writeId).executeTakeFirst();
  if (row === undefined || row.superseded_at !== null) throw new AppError(Reason.UPLOAD_SUPERSEDED);
}

/** Why writes came to their end from outside, by id; those that may go on are not in it. */
export async function endedWrites(
  db: StorageDatabase,
  ids: readonly string[],
): Promise<ReadonlyMap<string, "superseded" | "aborted">> {
  if (ids.length === 0) return new Map();
  const rows = await db.query
    .selectFrom("upload_write")
    .innerJoin("upload", "upload.id", "upload_write.upload_id")
    .select(["upload_write.id", "upload_write.superseded_at", "upload.state"])
    .where("upload_write.id", "in", ids)
    .execute();
  const ended = new Map<string, "superseded" | "aborted">();
  for (const row of rows) {
    if (row.superseded_at !== null) ended.set(row.id, "superseded");
    else if (row.state !== "receiving") ended.set(row.id, "aborted");
  }
  return ended;
}

/** A write that is over. */
export async function forgetWrite(db: StorageDatabase, id: string): Promise<void> {
  await db.query.deleteFrom("upload_write").where("id", "=", id).execute();
}

/** Writes whose process died. */
export async function forgetOldWrites(db: StorageDatabase, now: number): Promise<void> {
  await db.query
    .deleteFrom("upload_write")
    .where("created_at", "<", now - longestWriteMs)
    .execute();
}
