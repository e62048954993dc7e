// Reads pieces so that every byte was compared with its checksum before anybody gets to see it.

import { blockBytes, findCorrupt } from "../domain/blocks.ts";
import type { BlobDriver, PieceReader } from "../drivers/driver.ts";
import type { HeldPiece } from "../store/pieces.ts";

/** Bytes on disk no longer match their checksum, or are gone. */
export class CorruptPiece extends Error {
  override name = "CorruptPiece";
  readonly code = "PIECE_CORRUPT";
  readonly pieceId: string;
  /** The first byte, in the holder, that cannot be served. */
  readonly offset: number;

  constructor(pieceId: string, offset: number, options?: ErrorOptions) {
    super(`piece ${pieceId} is damaged at byte ${offset} of its file`, options);
    this.pieceId = pieceId;
    this.offset = offset;
  }
}

/** Whether an error says that bytes are damaged; classes differ between realms. */
export function isCorrupt(error: unknown): error is CorruptPiece {
  return (error as { code?: unknown } | undefined)?.code === "PIECE_CORRUPT";
}

/** Whether an error says that the place of the bytes is away. */
export function isUnavailable(error: unknown): boolean {
  return (error as { code?: unknown } | undefined)?.code === "STORE_UNAVAILABLE";
}

/** Opens a piece, of which a damaged store may have no file any more. */
export async function openPiece(driver: BlobDriver, piece: HeldPiece): Promise<PieceReader> {
  try {
    return await driver.open(piece.id);
  } catch (cause) {
    throw missingIsCorrupt(piece, piece.position, cause);
  }
}

/**
 * Reads bytes of a piece from `from` (within the piece) up to at most `to`, as many as fit into `buffer`, which must hold
 * whole blocks. Answers the part of the buffer that holds them.
 */
export async function readVerified(
  reader: PieceReader,
  piece: HeldPiece,
  from: number,
  to: number,
  buffer: Buffer,
): Promise<Buffer> {
  const block = Math.floor(from / blockBytes);
  const start = block * blockBytes;
  const whole = Math.min(Math.ceil(to / blockBytes) * blockBytes, piece.fileBytes);
  const target = buffer.subarray(0, Math.min(whole - start, buffer.byteLength));
  const got = await reader.read(target, start).catch((cause: unknown) => {
    throw missingIsCorrupt(piece, piece.position + from, cause);
  });
  const bad = findCorrupt(target.subarray(0, got), block, piece.sums);
  const firstBad = bad ?? (got < target.byteLength ? Math.floor((start + got) / blockBytes) : undefined);
  const good = firstBad === undefined ? start + target.byteLength : firstBad * blockBytes;
  // What stands before the damaged block is served, and the damage reported when it is reached.
  if (good <= from) throw new CorruptPiece(piece.id, piece.position + Math.max(from, (firstBad ?? block) * blockBytes));
  return target.subarray(from - start, Math.min(good, to) - start);
}

/** A piece that is noted and not there is damage. */
function missingIsCorrupt(piece: HeldPiece, offset: number, cause: unknown): unknown {
  const { code } = (cause ?? {}) as { code?: unknown };
  return code === "PIECE_MISSING" ? new CorruptPiece(piece.id, offset, { cause }) : cause;
}
