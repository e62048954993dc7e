// Copies a piece from one place for bytes to another: each block is compared with its checksum on the way, so that damage
// is found here and not handed on.

import { createHash } from "node:crypto";
import { blockBytes, findCorrupt } from "../domain/blocks.ts";
import type { BlobDriver } from "../drivers/driver.ts";

/** What was copied. */
export interface CopiedPiece {
  readonly bytes: number;
  /** SHA-256 in hexadecimal, of all bytes of the file. */
  readonly sha256: string;
}

/** A piece as it is to be found. */
export interface PieceToCopy {
  readonly id: string;
  readonly fileBytes: number;
  /** Checksums of its blocks, as the database has them. */
  readonly sums: Uint8Array;
}

const readBytes = 16 * blockBytes;

/** The source's bytes are not those that were stored. */
export class PieceDamaged extends Error {
  override name = "PieceDamaged";
  readonly code = "PIECE_DAMAGED";
}

/** Copies it durably. Throws PieceMissing where the source has none, and PieceDamaged where its bytes are others. */
export async function copyPiece(from: BlobDriver, to: BlobDriver, piece: PieceToCopy): Promise<CopiedPiece> {
  await using reader = await from.open(piece.id);
  const writer = await to.create(piece.id);
  const hash = createHash("sha256");
  let at = 0;
  try {
    while (at < piece.fileBytes) {
      // The writer may keep what it is given for a while, so each portion has memory of its own.
      const target = Buffer.allocUnsafe(Math.min(readBytes, piece.fileBytes - at));
      const bytes = target.subarray(0, await reader.read(target, at));
      const bad = findCorrupt(bytes, at / blockBytes, piece.sums);
      if (bytes.byteLength < target.byteLength || bad !== undefined) {
        throw new PieceDamaged(`The stored piece ${piece.id} is damaged behind byte ${at}.`);
      }
      hash.update(bytes);
      await writer.write([bytes]);
      at += bytes.byteLength;
    }
    await writer.seal();
    return { bytes: at, sha256: hash.digest("hex") };
  } catch (error) {
    await writer.discard().catch(() => undefined);
    throw error;
  }
}

/** What an error of {@link copyPiece} says of the source; classes differ between realms. */
export function faultOfPiece(error: unknown): "missing" | "damaged" | undefined {
  const code = (error as { code?: unknown } | undefined)?.code;
  if (code === "PIECE_MISSING") return "missing";
  return code === "PIECE_DAMAGED" ? "damaged" : undefined;
}
