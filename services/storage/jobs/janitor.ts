// Housekeeping: abandoned uploads expire, contents that nothing refers to are removed, verification that was interrupted
// goes on, stored bytes are looked at. Every step may be cut anywhere and is taken up by the next round; the queue lets one
// process of all do each at a time, and what two did at once would count once.

import type { Clock } from "@docket/runtime/clock";
import { forgetRequests, REQUEST_RECORD_LIFE_MS } from "@docket/runtime/db/request_record";
import type { PeriodicJob } from "@docket/runtime/queue/worker";
import type { Limits } from "../domain/limits.ts";
import type { BlobDriver } from "../drivers/driver.ts";
import type { StorageEvents } from "../events.ts";
import type { BlobStore } from "../store/blobs.ts";
import type { StorageDatabase, Tables } from "../store/entities.ts";
import { doomedPieces, forgetPieces, unknownPieces } from "../store/pieces.ts";
import type { TicketKeyStore } from "../store/ticket_keys.ts";
import { forgetOldWrites } from "../store/upload_writes.ts";
import type { UploadStore } from "../store/uploads.ts";
import type { Verifier } from "../transfer/verifier.ts";
import type { Writers } from "../transfer/writers.ts";

export interface JanitorDeps {
  readonly db: StorageDatabase;
  readonly driver: BlobDriver;
  readonly uploads: UploadStore;
  readonly blobs: BlobStore;
  readonly verifier: Verifier;
  readonly writers: Writers;
  readonly ticketKeys: TicketKeyStore;
  readonly events: StorageEvents;
  readonly clock: Clock;
  readonly limits: Limits;
}

/** Rows per statement. */
const batch = 200;

/** Pieces that are removed at once: a bucket takes a while for each. */
const removedAtOnce = 8;

/** How much stored content is looked at in one round. */
const scrubbedBytes = 1024 * 1024 * 1024;

const hour = 60 * 60 * 1000;

type Step = (signal: AbortSignal) => Promise<void>;

export class Janitor {
  readonly #deps: JanitorDeps;

  constructor(deps: JanitorDeps) {
    this.#deps = deps;
  }

  /** The steps as work that comes back by itself. */
  periodic(intervalMs: number): Record<string, PeriodicJob<Tables>> {
    const every = (everyMs: number, ...steps: Step[]): PeriodicJob<Tables> => ({
      everyMs,
      run: async (_job, _db, signal) => {
        for (const step of steps) await step(signal);
      },
    });
    const { exclusive } = this.#deps.driver;
    return {
      tidy_uploads: every(intervalMs, this.#resume, this.#expire),
      collect_contents: every(intervalMs, this.#collect),
      check_contents: every(intervalMs, this.#scrub),
      forget_ended: every(hour, this.#forget),
      // What nobody knows in a place of one process was left by an earlier one, and is looked for when it starts.
      ...(exclusive ? {} : { remove_abandoned: every(6 * hour, this.#removeAbandoned) }),
    };
  }

  /** All steps, one after the other, whatever becomes of each. */
  async run(): Promise<void> {
    const { signal } = new AbortController();
    const steps = [this.#resume, this.#expire, this.#collect, this.#forget, this.#scrub];
    if (!this.#deps.driver.exclusive) steps.push(this.#removeAbandoned);
    for (const step of steps) {
      try {
        await step(signal);
      } catch (fault) {
        this.#deps.events.janitorBroke(fault);
      }
    }
  }

  /** Removes pieces that were begun before that time and never sealed, and sealed ones that never got their row. */
  async sweep(before: number, signal?: AbortSignal): Promise<void> {
    const { driver, db, events } = this.#deps;
    const unsealed = await driver.discardUnsealed(before);
    let removed = 0;
    let ids: string[] = [];
    const check = async () => {
      for (const id of await unknownPieces(db, ids)) {
        await driver.remove(id);
        removed += 1;
      }
      ids = [];
    };
    for await (const piece of driver.list()) {
      signal?.throwIfAborted();
      if (piece.modifiedAt < before) ids.push(piece.id);
      if (ids.length >= batch) await check();
    }
    await check();
    if (unsealed + removed > 0) events.orphansRemoved(unsealed, removed);
  }

  /** By the real time, as the place dates what it holds: a replica that is writing now must be far from it. */
  readonly #removeAbandoned: Step = async (signal) => {
    await this.sweep(Date.now() - this.#deps.limits.abandonedMs, signal);
  };

  readonly #resume: Step = () => this.resume();

  /** Has uploads verified whose verification nobody asked for, or asked for in vain. */
  async resume(): Promise<void> {
    const { db, uploads } = this.#deps;
    const rows = await db.query
      .selectFrom("upload")
      .select("id")
      .where("state", "=", "verifying")
      .limit(batch)
      .execute();
    await uploads.askForVerification(rows.map(({ id }) => id));
  }

  readonly #expire: Step = async () => {
    const { db, blobs, writers, events } = this.#deps;
    const now = this.#now();
    const rows = await db.query
      .selectFrom("upload")
      .select("id")
      .where("expires_at", "<", now)
      .orderBy("expires_at")
      .limit(batch)
      .execute();
    let count = 0;
    for (const { id } of rows) {
      const row = await blobs.fail(
        id,
        "expired",
        ({ state, expires_at }) => state !== "verifying" && expires_at !== null && expires_at < now,
      );
      if (row.state !== "failed") continue;
      await writers.abort(id);
      count += 1;
    }
    if (count > 0) events.uploadsExpired(count);
  };

  readonly #collect: Step = async (signal) => {
    const { db, driver, blobs, limits, events } = this.#deps;
    const before = this.#now() - limits.blobGraceMs;
    let removed = 0;
    for (const id of await blobs.unreferenced(before, batch)) if (await blobs.remove(id, before)) removed += 1;
    let pieces = 0;
    while (!signal.aborted) {
      const doomed = await doomedPieces(db, this.#now() - limits.pieceGraceMs, batch);
      if (doomed.length === 0) break;
      for (let from = 0; from < doomed.length; from += removedAtOnce) {
        await Promise.all(doomed.slice(from, from + removedAtOnce).map((id) => driver.remove(id)));
      }
      // The row goes last: a crash before it has the file removed once more, which is harmless.
      await forgetPieces(db, doomed);
      pieces += doomed.length;
    }
    if (removed + pieces > 0) events.blobsCollected(removed, pieces);
  };

  readonly #forget: Step = async () => {
    const { db, ticketKeys, limits } = this.#deps;
    const now = this.#now();
    await db.query
      .deleteFrom("upload")
      .where("open", "=", 0)
      .where("state", "in", ["attached", "failed", "concatenated"])
      .where("updated_at", "<", now - limits.historyMs)
      .execute();
    await forgetRequests(db, new Date(now - REQUEST_RECORD_LIFE_MS));
    await ticketKeys.prune();
    await forgetOldWrites(db, now);
  };

  /** Looks at stored bytes that nobody has looked at for long, a little in each round. */
  readonly #scrub: Step = async (signal) => {
    const { blobs, verifier, limits, events } = this.#deps;
    let left = scrubbedBytes;
    for (const blob of await blobs.unchecked(this.#now() - limits.scrubAfterMs, batch)) {
      if (signal.aborted || left <= 0) return;
      left -= blob.size;
      const damage = await verifier.check(blob.id, signal);
      // It may have been collected meanwhile, with its files.
      const known = damage === undefined ? undefined : await blobs.find(blob.id);
      if (known !== undefined && damage !== undefined) {
        events.blobCorrupt(known, { offset: 0, message: damage });
        await blobs.markCorrupt(known.id);
      }
      await blobs.markChecked(blob.id);
    }
  };

  #now(): number {
    return this.#deps.clock().getTime();
  }
}
