// Takes uploads from VERIFYING to STORED or FAILED: with the digest that was taken on the way, or by hashing the file in a
// worker thread. Whatever is VERIFYING when the process starts, or is found so by the janitor, comes here again.

import { setTimeout as pause } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import type { StorageEvents } from "../events.ts";
import type { BlobStore } from "../store/blobs.ts";
import type { StorageDatabase } from "../store/entities.ts";
import { type HeldPiece, piecesFrom } from "../store/pieces.ts";
import type { HashResult, HashTask } from "./hash_worker.ts";

export interface VerifierDeps {
  readonly db: StorageDatabase;
  readonly blobs: BlobStore;
  readonly events: StorageEvents;
  readonly blobUrl: string;
  /** More pieces than an upload may have. */
  readonly maxParts: number;
}

/** How often a file is read that cannot be read, and the first pause between, in milliseconds. */
const attempts = 3;
const retryMs = 500;

export class Verifier implements AsyncDisposable {
  readonly #deps: VerifierDeps;
  readonly #busy = new Map<string, Promise<void>>();
  #worker: Worker | undefined;
  readonly #answers = new Map<number, (result: HashResult) => void>();
  #nextTask = 1;
  #stopped = false;

  constructor(deps: VerifierDeps) {
    this.#deps = deps;
  }

  /** Verifies an upload, once at a time; resolves when it is no longer VERIFYING, or the attempt was given up. Never rejects. */
  verify(uploadId: string, digest?: string): Promise<void> {
    const known = this.#busy.get(uploadId);
    if (known !== undefined) return known;
    const work = this.#verify(uploadId, digest)
      // It stays VERIFYING, and the janitor brings it here again.
      .catch((fault) => this.#deps.events.verificationBroke(uploadId, fault))
      .finally(() => this.#busy.delete(uploadId));
    this.#busy.set(uploadId, work);
    return work;
  }

  /** Reads all bytes of a blob; answers what is damaged, if anything is. A fault of the disk is thrown. */
  async check(blobId: string): Promise<string | undefined> {
    const result = await this.#hash(await this.#piecesOf(blobId));
    if ("fault" in result) throw new Error(result.fault);
    return "corrupt" in result ? result.corrupt : undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped = true;
    await this.#worker?.terminate();
    await Promise.all(this.#busy.values());
  }

  async #verify(uploadId: string, digest: string | undefined): Promise<void> {
    const { blobs, events } = this.#deps;
    if (digest !== undefined) {
      events.uploadSettled(await blobs.store(uploadId, digest));
      return;
    }
    const pieces = await this.#piecesOf(uploadId);
    for (let attempt = 1; ; attempt += 1) {
      const result = await this.#hash(pieces);
      if (this.#stopped) return;
      if ("sha256" in result) {
        events.uploadSettled(await blobs.store(uploadId, result.sha256));
        return;
      }
      if ("corrupt" in result) {
        events.pieceCorrupt(uploadId, result.corrupt);
        events.uploadSettled(await blobs.fail(uploadId, "corrupt", (row) => row.state === "verifying"));
        return;
      }
      events.verificationBroke(uploadId, new Error(result.fault));
      if (attempt === attempts) {
        events.uploadSettled(await blobs.fail(uploadId, "store_fault", (row) => row.state === "verifying"));
        return;
      }
      await pause(retryMs * 2 ** attempt);
    }
  }

  async #piecesOf(holderId: string): Promise<HeldPiece[]> {
    return await piecesFrom(this.#deps.db, holderId, 0, this.#deps.maxParts + 1);
  }

  #hash(pieces: readonly HeldPiece[]): Promise<HashResult> {
    const id = this.#nextTask;
    this.#nextTask += 1;
    return new Promise((resolve) => {
      this.#answers.set(id, resolve);
      this.#workerThread().postMessage({ id, pieces } satisfies HashTask);
    });
  }

  #workerThread(): Worker {
    if (this.#worker !== undefined) return this.#worker;
    const worker = new Worker(new URL("./hash_worker.ts", import.meta.url), { workerData: this.#deps.blobUrl });
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
