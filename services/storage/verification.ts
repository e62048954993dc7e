// Whether what is stored is what it says it is: every blob is read whole, its blocks compared with their checksums and
// all of it with its digest. Asked by operators, of any driver; nothing is changed.

import { StartError } from "@docket/runtime/errors";
import type { BlobDriver } from "./drivers/driver.ts";
import type { BlobRow } from "./store/blobs.ts";
import type { StorageDatabase } from "./store/entities.ts";
import { type HeldPiece, piecesFrom } from "./store/pieces.ts";
import { hashPieces } from "./transfer/hash_pieces.ts";
import { isCorrupt, isUnavailable } from "./transfer/verified_pieces.ts";

/** A blob whose bytes are not what they should be. */
export interface Damage {
  readonly blobId: string;
  readonly workspaceId: string;
  readonly sha256: string;
  readonly what: string;
}

/** What a verification found. */
export interface Verification {
  readonly blobs: number;
  readonly bytes: number;
  readonly damaged: readonly Damage[];
}

export interface VerificationOptions {
  /** How many blobs are read at once. Default: 4. */
  readonly concurrency?: number;
  /** Told after each blob. */
  readonly progress?: (blobs: number, bytes: number) => void;
}

const batch = 200;

/** More pieces than any blob has. */
const allPieces = 1_000_000;

/**
 * Reads every blob of a database. One that is collected meanwhile is no damage. Throws StartError when the place of the
 * bytes is away: that says nothing of them.
 */
export async function verifyContents(
  db: StorageDatabase,
  driver: BlobDriver,
  { concurrency = 4, progress }: VerificationOptions = {},
): Promise<Verification> {
  const damaged: Damage[] = [];
  let blobs = 0;
  let bytes = 0;
  const rows = blobsOf(db);
  const verifyOthers = async () => {
    for (let next = await rows.next(); !next.done; next = await rows.next()) {
      const blob = next.value;
      const what = await damageOf(db, driver, blob);
      if (what !== undefined && (await isThere(db, blob.id))) {
        damaged.push({ blobId: blob.id, workspaceId: blob.workspace_id, sha256: blob.sha256, what });
      }
      blobs += 1;
      bytes += blob.size;
      progress?.(blobs, bytes);
    }
  };
  const stopping = async (cause: unknown): Promise<never> => {
    await rows.return(undefined);
    throw cause;
  };
  const ends = await Promise.allSettled(Array.from({ length: concurrency }, () => verifyOthers().catch(stopping)));
  const failed = ends.find((end) => end.status === "rejected");
  if (failed !== undefined) throw failed.reason;
  return { blobs, bytes, damaged };
}

async function* blobsOf(db: StorageDatabase): AsyncGenerator<BlobRow> {
  let after = "";
  for (;;) {
    const rows = await db.query
      .selectFrom("blob")
      .selectAll()
      .where("id", ">", after)
      .orderBy("id")
      .limit(batch)
      .execute();
    const last = rows.at(-1);
    if (last === undefined) return;
    yield* rows;
    after = last.id;
  }
}

/** What is wrong with a blob's bytes, if anything is. */
async function damageOf(db: StorageDatabase, driver: BlobDriver, blob: BlobRow): Promise<string | undefined> {
  const pieces: readonly HeldPiece[] = await piecesFrom(db, blob.id, 0, allPieces);
  const length = pieces.reduce((sum, piece) => sum + piece.length, 0);
  if (length !== blob.size) return `its pieces have ${length} bytes and not ${blob.size}`;
  try {
    const sha256 = await hashPieces(driver, pieces);
    return sha256 === blob.sha256 ? undefined : `its digest is ${sha256}`;
  } catch (error) {
    if (isUnavailable(error)) {
      throw new StartError(`Not all contents could be read: ${(error as Error).message}.`, { cause: error });
    }
    if (isCorrupt(error) && (error.cause as { code?: unknown } | undefined)?.code === "PIECE_MISSING") {
      return `piece ${error.pieceId} is missing`;
    }
    return String((error as { message?: unknown }).message ?? error);
  }
}

async function isThere(db: StorageDatabase, blobId: string): Promise<boolean> {
  return (await db.query.selectFrom("blob").select("id").where("id", "=", blobId).executeTakeFirst()) !== undefined;
}
