// Pieces and whom they belong to. Files are put together here, by rows; bytes never move.

import { sql } from "kysely";
import type { StorageDatabase, Tx } from "./entities.ts";

/** A piece that was sealed and has no row yet. */
export interface SealedPiece {
  readonly id: string;
  readonly position: number;
  readonly length: number;
  readonly fileBytes: number;
  readonly sums: Uint8Array;
}

/** A piece of a holder, as a reader needs it. */
export interface HeldPiece extends SealedPiece {}

export async function insertPieces(tx: Tx, holder: string, pieces: readonly SealedPiece[], now: number): Promise<void> {
  for (const piece of pieces) {
    await tx
      .insertInto("piece")
      .values({
        id: piece.id,
        holder_id: holder,
        position: piece.position,
        length: piece.length,
        file_bytes: piece.fileBytes,
        sums: piece.sums,
        created_at: now,
        doomed_at: null,
      })
      .execute();
  }
}

/** Gives all pieces of a holder to another one, further back by so many bytes. */
export async function movePieces(tx: Tx, from: string, to: string, by: number): Promise<void> {
  await tx
    .updateTable("piece")
    .set({ holder_id: to, position: sql`position + ${by}` })
    .where("holder_id", "=", from)
    .execute();
}

/** Takes all pieces from their holder; their files are removed later. */
export async function doomPieces(tx: Tx, holder: string, now: number): Promise<void> {
  await tx.updateTable("piece").set({ holder_id: null, doomed_at: now }).where("holder_id", "=", holder).execute();
}

/** Takes these pieces from their holder, or the ends of them: what stands at `from` or after it. */
export async function cutPieces(tx: Tx, ids: readonly string[], from: number, now: number): Promise<void> {
  for (const id of ids) {
    await tx
      .updateTable("piece")
      .set({ holder_id: null, doomed_at: now })
      .where("id", "=", id)
      .where("position", ">=", from)
      .execute();
    await tx
      .updateTable("piece")
      .set({ length: sql`${from} - position` })
      .where("id", "=", id)
      .where("holder_id", "is not", null)
      .where(sql<boolean>`position + length > ${from}`)
      .execute();
  }
}

/** The pieces of a holder that end after `offset`, in order, at most `limit`. */
export async function piecesFrom(
  db: StorageDatabase,
  holder: string,
  offset: number,
  limit: number,
): Promise<HeldPiece[]> {
  // Pieces do not overlap, so at most one of them begins before the offset and ends after it.
  const before = await db.query
    .selectFrom("piece")
    .selectAll()
    .where("holder_id", "=", holder)
    .where("position", "<=", offset)
    .orderBy("position", "desc")
    .limit(1)
    .execute();
  const after = await db.query
    .selectFrom("piece")
    .selectAll()
    .where("holder_id", "=", holder)
    .where("position", ">", offset)
    .orderBy("position")
    .limit(limit)
    .execute();
  return [...before.filter((piece) => piece.position + piece.length > offset), ...after].map((row) => ({
    id: row.id,
    position: row.position,
    length: row.length,
    fileBytes: row.file_bytes,
    sums: row.sums,
  }));
}

/** Pieces that nobody has needed since before `time`. */
export async function doomedPieces(db: StorageDatabase, time: number, limit: number): Promise<string[]> {
  const rows = await db.query
    .selectFrom("piece")
    .select("id")
    .where("doomed_at", "<", time)
    .orderBy("doomed_at")
    .limit(limit)
    .execute();
  return rows.map(({ id }) => id);
}

/** Forgets doomed pieces whose files are gone. */
export async function forgetPieces(db: StorageDatabase, ids: readonly string[]): Promise<void> {
  await db.query.deleteFrom("piece").where("id", "in", ids).where("doomed_at", "is not", null).execute();
}

/** Which of these ids have no row: their files have no owner. */
export async function unknownPieces(db: StorageDatabase, ids: readonly string[]): Promise<string[]> {
  if (ids.length === 0) return [];
  const rows = await db.query.selectFrom("piece").select("id").where("id", "in", ids).execute();
  const known = new Set(rows.map(({ id }) => id));
  return ids.filter((id) => !known.has(id));
}
