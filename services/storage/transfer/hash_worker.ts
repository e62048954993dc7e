// The worker thread of the verifier. It knows the place of the bytes and nothing else.

import { parentPort, workerData } from "node:worker_threads";
import { type BlobPlace, openDriver } from "../drivers/open.ts";
import type { HeldPiece } from "../store/pieces.ts";
import { hashPieces } from "./hash_pieces.ts";
import { isCorrupt, isUnavailable } from "./verified_pieces.ts";

/** A file to be hashed. */
export interface HashTask {
  readonly id: number;
  readonly pieces: readonly HeldPiece[];
}

/** What came of it. */
export type HashResult = { readonly id: number } & (
  | { readonly sha256: string }
  | { readonly corrupt: string }
  /** The place of the bytes is away: nothing is known of the file. */
  | { readonly away: string }
  | { readonly fault: string }
);

const driver = openDriver(workerData as BlobPlace, { shared: true });
// Met again, and answered, with the first task.
driver.catch(() => undefined);

parentPort?.on("message", async ({ id, pieces }: HashTask) => {
  parentPort?.postMessage(await work(id, pieces));
});

async function work(id: number, pieces: readonly HeldPiece[]): Promise<HashResult> {
  try {
    return { id, sha256: await hashPieces(await driver, pieces) };
  } catch (error) {
    const message = String((error as { message?: unknown }).message ?? error);
    if (isCorrupt(error)) return { id, corrupt: message };
    return isUnavailable(error) ? { id, away: message } : { id, fault: message };
  }
}
