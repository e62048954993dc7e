// Housekeeping: abandoned uploads expire, contents that nothing refers to are removed, verification that was interrupted
// goes on. Every step may be cut anywhere and is taken up by the next round; several replicas may do it at once.

import type { Clock } from "@docket/runtime/clock";
import { forgetRequests, REQUEST_RECORD_LIFE_MS } from "@docket/runtime/db/request_record";
import type { Limits } from "../domain/limits.ts";
import type { BlobDriver } from "../drivers/driver.ts";
import type { StorageEvents } from "../events.ts";
import type { BlobStore } from "../store/blobs.ts";
import type { StorageDatabase } from "../store/entities.ts";
import { doomedPieces, forgetPieces, unknownPieces } from "../store/pieces.ts";
import type { TicketKeyStore } from "../store/ticket_keys.ts";
import type { Verifier } from "../transfer/verifier.ts";
import type { Writers } from "../transfer/writers.ts";

export interface JanitorDeps {
  readonly db: StorageDatabase;
  readonly driver: BlobDriver;
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

/** How much stored content is looked at in one round. */
const scrubbedBytes = 1024 * 1024 * 1024;

/** Files of a shared place without a row are left alone for so long: another replica may be about to commit. */
const sharedOrphanMs = 24 * 60 * 60 * 1000;

export class Janitor implements AsyncDisposable {
  readonly #deps: JanitorDeps;
  #timer: NodeJS.Timeout | undefined;
  #round: Promise<void> | undefined;
  #stopped = false;

  constructor(deps: JanitorDeps) {
    this.#deps = deps;
  }

  /** Works now and again after each interval, until disposed. */
  start(intervalMs: number): void {
    const round = async () => {
      await this.run();
      if (this.#stopped) return;
      this.#timer = setTimeout(round, intervalMs);
      this.#timer.unref();
    };
    void round();
  }

  /** One round. Two at once are one. Does not reject. */
  run(): Promise<void> {
    this.#round ??= this.#work().finally(() => {
      this.#round = undefined;
    });
    return this.#round;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#round;
  }

  /** Removes what an earlier process left behind: pieces never sealed, and sealed ones that never got their row. */
  async sweep(startedAt: number): Promise<void> {
    const { driver, db, events } = this.#deps;
    const unsealed = await driver.discardUnsealed();
    const before = driver.exclusive ? startedAt : startedAt - sharedOrphanMs;
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
      if (this.#stopped) break;
      if (piece.modifiedAt < before) ids.push(piece.id);
      if (ids.length >= batch) await check();
    }
    await check();
    if (unsealed + removed > 0) events.orphansRemoved(unsealed, removed);
  }

  async #work(): Promise<void> {
    for (const step of [this.#resume, this.#expire, this.#collect, this.#forget, this.#scrub]) {
      if (this.#stopped) return;
      try {
        await step.call(this);
      } catch (fault) {
        this.#deps.events.janitorBroke(fault);
      }
    }
  }

  async #resume(): Promise<void> {
    const { db, verifier } = this.#deps;
    const rows = await db.query
      .selectFrom("upload")
      .select("id")
      .where("state", "=", "verifying")
      .limit(batch)
      .execute();
    for (const { id } of rows) void verifier.verify(id);
  }

  async #expire(): Promise<void> {
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
  }

  async #collect(): Promise<void> {
    const { db, driver, blobs, limits, events } = this.#deps;
    const before = this.#now() - limits.blobGraceMs;
    let removed = 0;
    for (const id of await blobs.unreferenced(before, batch)) if (await blobs.remove(id, before)) removed += 1;
    let pieces = 0;
    while (!this.#stopped) {
      const doomed = await doomedPieces(db, this.#now() - limits.pieceGraceMs, batch);
      if (doomed.length === 0) break;
      for (const id of doomed) await driver.remove(id);
      // The row goes last: a crash before it has the file removed once more, which is harmless.
      await forgetPieces(db, doomed);
      pieces += doomed.length;
    }
    if (removed + pieces > 0) events.blobsCollected(removed, pieces);
  }

  async #forget(): Promise<void> {
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
  }

  /** Looks at stored bytes that nobody has looked at for long, a little in each round. */
  async #scrub(): Promise<void> {
    const { blobs, verifier, limits, events } = this.#deps;
    let left = scrubbedBytes;
    for (const blob of await blobs.unchecked(this.#now() - limits.scrubAfterMs, batch)) {
      if (this.#stopped || left <= 0) return;
      left -= blob.size;
      const damage = await verifier.check(blob.id);
      // It may have been collected meanwhile, with its files.
      const known = damage === undefined ? undefined : await blobs.find(blob.id);
      if (known !== undefined && damage !== undefined) {
        events.blobCorrupt(known, { offset: 0, message: damage });
        await blobs.markCorrupt(known.id);
      }
      await blobs.markChecked(blob.id);
    }
  }

  #now(): number {
    return this.#deps.clock().getTime();
  }
}
