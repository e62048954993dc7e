// The SHA-256 of files that arrive in order, taken on the way. A hash cannot be saved, so this is a shortcut only: when it
// is lost (a restart, parallel parts, a write that was taken back), the file is hashed from disk instead.

import { createHash, type Hash } from "node:crypto";

/** A hash and how many bytes from the file's start it has seen. */
export interface RunningDigest {
  readonly hash: Hash;
  position: number;
  /** The last write whose bytes it has seen; 0 where this process is the only one that writes. */
  write: number;
}

/** More files than this at once are hashed from disk. */
const maxRunning = 4096;

export class RunningDigests {
  readonly #running = new Map<string, RunningDigest>();

  /**
   * The digest to go on with, taken out; undefined when bytes before the position were not seen in order. `write` is the
   * number of the write that goes on: when another one began since the digest was kept, it may know other bytes.
   */
  take(uploadId: string, position: number, write = 0): RunningDigest | undefined {
    const known = this.#running.get(uploadId);
    if (known?.position === position && known.write === Math.max(0, write - 1)) {
      this.#running.delete(uploadId);
      known.write = write;
      return known;
    }
    if (position !== 0) return undefined;
    this.#running.delete(uploadId);
    return { hash: createHash("sha256"), position: 0, write };
  }

  /** Keeps a digest whose bytes are all durable. */
  keep(uploadId: string, digest: RunningDigest): void {
    this.#running.delete(uploadId);
    this.#running.set(uploadId, digest);
    if (this.#running.size > maxRunning) this.#running.delete(this.#running.keys().next().value ?? "");
  }

  /** The digest of a whole file, if all of it was seen, and by this process alone; it is forgotten either way. */
  finish(uploadId: string, size: number, writes = 0): string | undefined {
    const known = this.#running.get(uploadId);
    this.#running.delete(uploadId);
    if (known === undefined) return size === 0 ? createHash("sha256").digest("hex") : undefined;
    return known.position === size && known.write === writes ? known.hash.digest("hex") : undefined;
  }

  forget(uploadId: string): void {
    this.#running.delete(uploadId);
  }
}
