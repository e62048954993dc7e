// Reads blobs for peers: verified, a little ahead of what was asked for, and with bounded memory.

import { Reason } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import { AppError } from "@docket/runtime/errors";
import { sentChunkBytes } from "../domain/limits.ts";
import type { BlobDriver } from "../drivers/driver.ts";
import type { StorageEvents } from "../events.ts";
import type { BlobRow, BlobStore } from "../store/blobs.ts";
import type { StorageDatabase } from "../store/entities.ts";
import { piecesFrom } from "../store/pieces.ts";
import type { ByteBudget } from "./budget.ts";
import { isCorrupt, isUnavailable, openPiece, readVerified } from "./verified_pieces.ts";

/** How much is read at once while the budget allows it, and when it does not. */
const largeRead = 512 * 1024;
const smallRead = 128 * 1024;

/** How many rows of pieces are fetched at once. */
const fetchedPieces = 16;

/** What a peer wants of a blob. */
export interface ReadRange {
  readonly offset: number;
  readonly length: number;
}

export interface ReaderDeps {
  readonly db: StorageDatabase;
  readonly driver: BlobDriver;
  readonly blobs: BlobStore;
  readonly budget: ByteBudget;
  readonly events: StorageEvents;
}

/** The range that a request means, or RANGE_INVALID. */
export function resolveRange(size: number, offset: number, length: number | undefined): ReadRange {
  if (offset > size) {
    throw new AppError(Reason.RANGE_INVALID, {
      metadata: { size: String(size) },
      message: `The file has ${size} bytes.`,
    });
  }
  return { offset, length: Math.min(length ?? Number.POSITIVE_INFINITY, size - offset) };
}

export class BlobReader {
  readonly #deps: ReaderDeps;

  constructor(deps: ReaderDeps) {
    this.#deps = deps;
  }

  /**
   * The bytes of the range in chunks of at most 256 KiB. A chunk is valid until the next one is asked for: its memory is
   * used again, and the runtime asks for the next only when a chunk was sent. Damaged bytes end it with BLOB_CORRUPT.
   */
  async *read(blob: BlobRow, range: ReadRange, signal: AbortSignal): AsyncGenerator<Buffer> {
    const { budget, blobs, events } = this.#deps;
    const large = range.length > 2 * smallRead && budget.tryTake(2 * largeRead);
    const size = large ? largeRead : smallRead;
    const source = this.#portions(blob.id, range, size);
    let ahead: Promise<IteratorResult<Buffer>> | undefined;
    try {
      ahead = source.next();
      while (!signal.aborted) {
        const portion = await ahead;
        if (portion.done) return;
        // The next read goes on while this one is sent; its failure is met in the next round.
        ahead = source.next();
        ahead.catch(() => undefined);
        for (let from = 0; from < portion.value.byteLength; from += sentChunkBytes) {
          if (signal.aborted) return;
          yield portion.value.subarray(from, from + sentChunkBytes);
        }
      }
    } catch (error) {
      if (isUnavailable(error)) throw new AppError(Reason.UNAVAILABLE, { cause: error });
      if (!isCorrupt(error)) throw error;
      events.blobCorrupt(blob, error);
      await blobs.markCorrupt(blob.id);
      throw new AppError(Reason.BLOB_CORRUPT, {
        metadata: { blob_id: blob.id, offset: String(error.offset) },
        message: "The stored file is damaged. Tell your operator.",
        cause: error,
      });
    } finally {
      await ahead?.catch(() => undefined);
      await source.return(undefined);
      if (large) budget.give(2 * largeRead);
    }
  }

  /** Verified bytes in portions; a portion is valid until the next but one is asked for. */
  async *#portions(blobId: string, { offset, length }: ReadRange, size: number): AsyncGenerator<Buffer> {
    const end = offset + length;
    const buffers: Buffer[] = [];
    let turn = 0;
    let at = offset;
    while (at < end) {
      const pieces = await piecesFrom(this.#deps.db, blobId, at, fetchedPieces);
      if (pieces[0] === undefined || pieces[0].position > at) throw missing(blobId, at);
      for (const piece of pieces) {
        if (piece.position > at) break;
        await using reader = await openPiece(this.#deps.driver, piece);
        const stop = Math.min(end, piece.position + piece.length) - piece.position;
        while (at - piece.position < stop) {
          const buffer = buffers[turn] ?? Buffer.allocUnsafeSlow(Math.min(size, roundedUp(length)));
          buffers[turn] = buffer;
          turn = 1 - turn;
          const bytes = await readVerified(reader, piece, at - piece.position, stop, buffer);
          at += bytes.byteLength;
          yield bytes;
        }
        if (at >= end) return;
      }
    }
  }
}

/** A short range may touch two blocks more than its bytes fill. */
function roundedUp(length: number): number {
  return (Math.ceil(length / 65_536) + 1) * 65_536;
}

function missing(blobId: string, offset: number): Error & { code: string } {
  return Object.assign(new Error(`no piece of blob ${blobId} holds byte ${offset}`), { code: "PIECE_CORRUPT", offset });
}
