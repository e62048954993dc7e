// Whether what is stored is what it says it is: every blob is read whole, its blocks compared with their checksums and
// all of it with its digest. Asked by operators, of any driver; nothing is changed.

import type { BlobDriver } from "./drivers/driver.ts";
import type { BlobRow } from "./store/blobs.ts";
import type { StorageDatabase } from "./store/entities.ts";
import { type HeldPiece, piecesFrom } from "./store/pieces.ts";
import { hashPieces } from "./transfer/hash_pieces.ts";

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

/** Reads every blob of a database. One that is collected meanwhile is no damage. */
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
  await Promise.all(Array.from({ length: concurrency }, verifyOthers));
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
    return String((error as { message?: unknown }).message ?? error);
  }
}

async function isThere(db: StorageDatabase, blobId: string): Promise<boolean> {
  return (await db.query.selectFrom("blob").select("id").where("id", "=", blobId).executeTakeFirst()) !== undefined;
}
