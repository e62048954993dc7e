// Takes uploads from VERIFYING to STORED or FAILED: with the digest that was taken on the way, or by hashing the file in a
// worker thread, which a job of the queue asks for, so that one process of all does it.

import { setTimeout as pause } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import type { BlobPlace } from "../drivers/open.ts";
import type { StorageEvents } from "../events.ts";
import type { BlobStore } from "../store/blobs.ts";
import type { StorageDatabase } from "../store/entities.ts";
import { type HeldPiece, piecesFrom } from "../store/pieces.ts";
import type { UploadRow } from "../store/upload_row.ts";
import type { HashResult, HashTask } from "./hash_worker.ts";

export interface VerifierDeps {
  readonly db: StorageDatabase;
  readonly blobs: BlobStore;
  readonly events: StorageEvents;
  readonly place: BlobPlace;
  /** More pieces than an upload may have. */
  readonly maxParts: number;
}

/** How often a file is read that cannot be read, and the first pause between, in milliseconds. */
const attempts = 3;
const retryMs = 500;

/** The pause between looks at a place that is away, in milliseconds. */
const awayMs = 1000;

export class Verifier implements AsyncDisposable {
  readonly #deps: VerifierDeps;
  #worker: Worker | undefined;
  readonly #answers = new Map<number, (result: HashResult) => void>();
  #nextTask = 1;

  constructor(deps: VerifierDeps) {
    this.#deps = deps;
  }

  /** With the digest that was taken on the way, the upload is STORED or FAILED at once. */
  async settle(uploadId: string, digest: string): Promise<UploadRow> {
    const row = await this.#deps.blobs.store(uploadId, digest);
    this.#deps.events.uploadSettled(row);
    return row;
  }

  /**
   * Hashes an upload's file and settles it; waits while the place of the bytes is away. Rejects when the signal aborts:
   * then it is still VERIFYING, and somebody else may go on.
   */
  async verify(uploadId: string, signal: AbortSignal): Promise<void> {
    const { blobs, events } = this.#deps;
    const stillVerifying = (row: UploadRow) => row.state === "verifying";
    for (let attempt = 1; ; ) {
      if (!(await blobs.isVerifying(uploadId))) return;
      const result = await this.#hash(await this.#piecesOf(uploadId), signal);
      signal.throwIfAborted();
      if ("sha256" in result) {
        await this.settle(uploadId, result.sha256);
        return;
      }
      if ("corrupt" in result) {
        events.pieceCorrupt(uploadId, result.corrupt);
        events.uploadSettled(await blobs.fail(uploadId, "corrupt", stillVerifying));
        return;
      }
      if ("away" in result) {
        await pause(awayMs, undefined, { signal });
        continue;
      }
      events.verificationBroke(uploadId, new Error(result.fault));
      if (attempt === attempts) {
        events.uploadSettled(await blobs.fail(uploadId, "store_fault", stillVerifying));
        return;
      }
      await pause(retryMs * 2 ** attempt, undefined, { signal });
      attempt += 1;
    }
  }

  /** Reads all bytes of a blob; answers what is damaged, if anything is. A fault of the place is thrown. */
  async check(blobId: string, signal?: AbortSignal): Promise<string | undefined> {
    const result = await this.#hash(await this.#piecesOf(blobId), signal);
    signal?.throwIfAborted();
    if ("fault" in result) throw new Error(result.fault);
    if ("away" in result) throw new Error(result.away);
    return "corrupt" in result ? result.corrupt : undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#worker?.terminate();
  }

  async #piecesOf(holderId: string): Promise<HeldPiece[]> {
    return await piecesFrom(this.#deps.db, holderId, 0, this.#deps.maxParts + 1);
  }

  /** An aborted signal ends the wait; the thread finishes the file for nobody. */
  #hash(pieces: readonly HeldPiece[], signal?: AbortSignal): Promise<HashResult> {
    const id = this.#nextTask;
    this.#nextTask += 1;
    return new Promise((resolve) => {
      this.#answers.set(id, resolve);
      signal?.addEventListener("abort", () => resolve({ id, fault: "aborted" }), { once: true });
      this.#workerThread().postMessage({ id, pieces } satisfies HashTask);
    });
  }

  #workerThread(): Worker {
    if (this.#worker !== undefined) return this.#worker;
    const worker = new Worker(new URL("./hash_worker.ts", import.meta.url), { workerData: this.#deps.place });
    worker.unref();
    worker.on("message", (result: HashResult) => {
      this.#answers.get(result.id)?.(result);
      this.#answers.delete(result.id);
    });
    worker.on("error", (fault) => this.#lost(worker, String(fault)));
    worker.on("exit", () => this.#lost(worker, "the worker ended"));
    this.#worker = worker;
    return worker;
  }

  /** The thread is gone: what it was asked is answered, and the next task gets a new one. */
  #lost(worker: Worker, fault: string): void {
    if (this.#worker !== worker) return;
    this.#worker = undefined;
    for (const [id, answer] of this.#answers) answer({ id, fault });
    this.#answers.clear();
  }
}
