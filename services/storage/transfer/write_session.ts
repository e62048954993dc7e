// One WriteBlob call at one upload. Bytes go into pieces, which are sealed when they are full or old, and noted in the
// database; a session with a checksum notes nothing before its checksum holds. Only then is anything acknowledged.

import { timingSafeEqual } from "node:crypto";
import { Reason } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import type { Clock } from "@docket/runtime/clock";
import { AppError } from "@docket/runtime/errors";
import { newId } from "@docket/runtime/ids";
import { type Algorithm, createSummer, type Summer } from "../domain/checksum.ts";
import type { Range } from "../domain/ranges.ts";
import type { BlobDriver } from "../drivers/driver.ts";
import type { SealedPiece } from "../store/pieces.ts";
import { diskFull } from "../store/refusals.ts";
import type { UploadRow } from "../store/upload_row.ts";
import type { NotedWrite } from "../store/upload_writes.ts";
import type { UploadStore } from "../store/uploads.ts";
import type { ByteBudget } from "./budget.ts";
import { PieceFile } from "./piece_file.ts";
import type { RunningDigest, RunningDigests } from "./running_digest.ts";

/** A piece is sealed at this size: so much may be written between two flushes. */
export const pieceBytes = 64 * 1024 * 1024;

/** A piece is sealed at this age, in milliseconds: so much of a slow write may be lost in a crash. */
const pieceAgeMs = 10_000;

/** What sessions work with. */
export interface WriteDeps {
  readonly driver: BlobDriver;
  readonly uploads: UploadStore;
  readonly budget: ByteBudget;
  readonly digests: RunningDigests;
  readonly clock: Clock;
}

/** What a session does. */
export interface WritePlan {
  readonly uploadId: string;
  /** Where the first byte goes, and what the session keeps others out of. */
  readonly region: Range;
  /** Where it must stop, and what is said when more bytes come. */
  readonly limit: number;
  readonly overrun: () => AppError;
  /** The write as other processes know it; undefined where there are none. */
  readonly write: NotedWrite | undefined;
  /** With a checksum all bytes are kept, or none. */
  readonly checksum: { readonly algorithm: Algorithm; readonly value: Uint8Array } | undefined;
}

/** Why a session ended before its client ended it. */
export type Interruption = "superseded" | "aborted";

export class WriteSession {
  readonly plan: WritePlan;
  readonly #deps: WriteDeps;
  readonly #summer: Summer | undefined;
  #digest: RunningDigest | undefined;
  #position: number;
  #piece: PieceFile | undefined;
  /** The piece before this one, on its way to the disk and the database. */
  #sealing: Promise<void> | undefined;
  /** Sealed, and not in the database yet. */
  #sealed: SealedPiece[] = [];
  #committed: SealedPiece[] = [];
  #row: UploadRow | undefined;
  #interruption: { readonly cause: Interruption; readonly keepBelow: number } | undefined;
  /** Called when somebody interrupts. */
  onInterrupt: () => void = () => undefined;
  readonly #over = Promise.withResolvers<void>();
  #ending = false;
  #pushing = false;
  /** The present piece is to be sealed although it is not full. */
  #sealSoon = false;
  #aging: NodeJS.Timeout | undefined;
  /** Sealing that no push asked for. */
  #rotating: Promise<void> | undefined;

  constructor(deps: WriteDeps, plan: WritePlan) {
    this.#deps = deps;
    this.plan = plan;
    this.#position = plan.region.start;
    this.#digest = deps.digests.take(plan.uploadId, plan.region.start, plan.write?.number);
    this.#summer = plan.checksum && createSummer(plan.checksum.algorithm);
  }

  /** The end of what has arrived. */
  get position(): number {
    return this.#position;
  }

  /** While what has arrived is being made durable and no more can come: resolves when that is done. */
  get ending(): Promise<void> | undefined {
    return this.#ending ? this.#over.promise : undefined;
  }

  get interruption(): Interruption | undefined {
    return this.#interruption?.cause;
  }

  /** Takes the next bytes; resolves when more may come. Bytes beyond the limit are an error; those before it are taken. */
  async push(bytes: Uint8Array): Promise<void> {
    this.#pushing = true;
    try {
      await this.#rotating;
      await this.#take(bytes);
      if (this.#sealSoon) await this.#rotate();
    } finally {
      this.#pushing = false;
    }
  }

  async #take(bytes: Uint8Array): Promise<void> {
    const room = this.plan.limit - this.#position;
    let rest = bytes.byteLength > room ? bytes.subarray(0, room) : bytes;
    while (rest.byteLength > 0) {
      this.#piece ??= await this.#open();
      const part = rest.subarray(0, pieceBytes - this.#piece.length);
      rest = rest.subarray(part.byteLength);
      this.#summer?.update(part);
      if (this.#digest !== undefined) {
        this.#digest.hash.update(part);
        this.#digest.position += part.byteLength;
      }
      this.#position += part.byteLength;
      await this.#piece.append(part);
      if (this.#piece.length === pieceBytes) await this.#rotate();
    }
    if (bytes.byteLength > room) throw this.plan.overrun();
  }

  /** The client is done: everything is made durable and checked. Answers the upload as it is then. */
  async finish(value?: Uint8Array): Promise<UploadRow> {
    this.#ending = true;
    await this.#rotating;
    await this.#rotate();
    await this.#sealing;
    const { checksum, uploadId } = this.plan;
    if (this.#summer !== undefined && checksum !== undefined) {
      const expected = checksum.value.byteLength > 0 ? checksum.value : (value ?? new Uint8Array());
      const actual = this.#summer.digest();
      if (actual.byteLength !== expected.byteLength || !timingSafeEqual(actual, expected)) {
        throw new AppError(Reason.CHECKSUM_MISMATCH, {
          metadata: { algorithm: checksum.algorithm },
          message: "The bytes do not have the checksum that was sent. None of them is kept; send them again.",
        });
      }
      if (this.#sealed.length > 0) await this.#commit(this.#sealed);
      this.#sealed = [];
    }
    this.#row ??= await this.#deps.uploads.get(uploadId);
    if (this.#digest !== undefined) this.#deps.digests.keep(uploadId, this.#digest);
    this.#digest = undefined;
    return this.#row;
  }

  /** The call broke. What arrived is kept, where nothing speaks against it; does not reject for what cannot be kept. */
  async salvage(): Promise<void> {
    this.#ending = true;
    const { uploadId, checksum } = this.plan;
    if (checksum === undefined && this.interruption !== "aborted") await this.finish().catch(() => undefined);
    await this.drop();
    const keepBelow = this.#interruption?.keepBelow ?? Number.POSITIVE_INFINITY;
    const beyond = this.#committed.filter(({ position, length }) => position + length > keepBelow);
    if (beyond.length === 0) return;
    this.#deps.digests.forget(uploadId);
    await this.#deps.uploads.cut(uploadId, beyond, keepBelow);
  }

  /** Removes what is not in the database. */
  async drop(): Promise<void> {
    this.#digest = undefined;
    await this.#rotating;
    await this.#sealing?.catch(() => undefined);
    clearTimeout(this.#aging);
    const piece = this.#piece;
    this.#piece = undefined;
    await piece?.discard();
    const sealed = this.#sealed.map(({ id }) => id);
    this.#sealed = [];
    // Asked of the database: a commit whose answer was lost may have taken place.
    for (const id of await this.#deps.uploads.withoutRow(sealed)) await this.#deps.driver.remove(id);
  }

  /** Ends the session from outside; resolves when it holds nothing any more. What stands at `keepBelow` and after is dropped. */
  interrupt(cause: Interruption, keepBelow: number): Promise<void> {
    this.#interruption ??= { cause, keepBelow };
    this.onInterrupt();
    return this.#over.promise;
  }

  /** To be called last, whatever happened. */
  close(): void {
    this.#over.resolve();
  }

  async #open(): Promise<PieceFile> {
    const { driver, budget, uploads } = this.#deps;
    if ((await driver.free()) < uploads.limits.diskFloorBytes) throw diskFull();
    this.#sealSoon = false;
    this.#aging = setTimeout(() => this.#ripen(), pieceAgeMs).unref();
    const expected = Math.min(pieceBytes, this.plan.limit - this.#position);
    return await PieceFile.open(driver, budget, newId(), this.#position, { expected, pressed: () => this.#ripen() });
  }

  /** The piece is old, or others wait for the memory it holds: it is sealed, also when no more bytes come. */
  #ripen(): void {
    this.#sealSoon = true;
    if (this.#pushing || this.#ending || this.#piece === undefined) return;
    // A failure is met by whoever comes next: #sealing keeps it.
    this.#rotating = this.#rotate().catch(() => undefined);
  }

  /** Seals the present piece while the next one is filled; waits for the one before. */
  async #rotate(): Promise<void> {
    await this.#sealing;
    const piece = this.#piece;
    if (piece === undefined) return;
    this.#piece = undefined;
    this.#sealSoon = false;
    clearTimeout(this.#aging);
    this.#sealing = this.#seal(piece);
    // Awaited later; until then a failure must not count as unhandled.
    this.#sealing.catch(() => undefined);
  }

  async #seal(piece: PieceFile): Promise<void> {
    let sealed: SealedPiece;
    try {
      sealed = await piece.seal();
    } catch (fault) {
      await piece.discard();
      throw fault;
    }
    this.#sealed.push(sealed);
    if (this.plan.checksum !== undefined) return;
    await this.#commit([sealed]);
    this.#sealed = [];
  }

  async #commit(pieces: readonly SealedPiece[]): Promise<void> {
    const { uploadId, write } = this.plan;
    this.#row = await this.#deps.uploads.commit(uploadId, pieces, write?.id);
    this.#committed.push(...pieces);
  }
}
