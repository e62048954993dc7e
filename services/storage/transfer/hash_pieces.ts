// The SHA-256 of a file that is on disk, piece by piece. Runs in a worker thread, so that nobody else waits for it.

import { createHash } from "node:crypto";
import type { BlobDriver } from "../drivers/driver.ts";
import type { HeldPiece } from "../store/pieces.ts";
import { CorruptPiece, openPiece, readVerified } from "./verified_pieces.ts";

const readBytes = 1024 * 1024;

/** Hashes pieces that follow each other from 0 on. Throws CorruptPiece. */
export async function hashPieces(driver: BlobDriver, pieces: readonly HeldPiece[]): Promise<string> {
  const hash = createHash("sha256");
  const buffer = Buffer.allocUnsafeSlow(readBytes);
  let position = 0;
  for (const piece of pieces) {
    if (piece.position !== position) throw new CorruptPiece(piece.id, position);
    await using reader = await openPiece(driver, piece);
    for (let at = 0; at < piece.length; ) {
      const bytes = await readVerified(reader, piece, at, piece.length, buffer);
      hash.update(bytes);
      at += bytes.byteLength;
    }
    position += piece.length;
  }
  return hash.digest("hex");
}
