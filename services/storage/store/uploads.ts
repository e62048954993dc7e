// Uploads: made, found, written to. Every change is one transaction, with the room it takes in it, and is told to whoever
// watches the upload once it is committed.

import type { Clock } from "@docket/runtime/clock";
import { afterCommit } from "@docket/runtime/db/database";
import { type Page, type PageResult, selectPage } from "@docket/runtime/db/page";
import { notFound } from "@docket/runtime/errors";
import { newId } from "@docket/runtime/ids";
import { enqueue } from "@docket/runtime/queue/queue";
import type { Limits } from "../domain/limits.ts";
import type { Owner } from "../domain/owner.ts";
import {
  addRange,
  contiguousEnd,
  encodeRanges,
  lastEnd,
  meets,
  type Range,
  rangeAt,
  removeRange,
  sizeOf,
} from "../domain/ranges.ts";
import { expiryOf, type Happening, isFinal, next } from "../domain/upload.ts";
import type { StorageDatabase, Tx } from "./entities.ts";
import { cutPieces, doomPieces, insertPieces, movePieces, type SealedPiece, unknownPieces } from "./pieces.ts";
import {
  fileTooLarge,
  incomplete,
  offsetConflict,
  sizeConflict,
  sizeExceeded,
  stateConflict,
  tooManyParts,
  tooManyUploads,
  uploadFailed,
} from "./refusals.ts";
import { rangesOf, type UploadRow } from "./upload_row.ts";
import {
  endedWrites,
  forgetWrite,
  type NotedWrite,
  noteWrite,
  refuseSuperseded,
  WRITES_SIGNAL,
} from "./upload_writes.ts";
import { adjust, type HolderLimits, maxFileBytesOf, reserve, setHolderLimits } from "./usage.ts";

/** The job that hashes an upload; its payload has the `uploadId`. */
export const VERIFY_JOB = "verify_upload";

/** Hears of every committed change of an upload. */
export interface UploadListener {
  changed(row: UploadRow): void;
}

/** What a new upload is made from. */
export interface NewUpload {
  readonly owner: Owner;
  /** Null makes a partial upload. */
  readonly workspaceId: string | null;
  readonly name: string;
  readonly mediaType: string;
  readonly size: number | null;
  readonly declaredSha256: string | null;
  /** What the holder (the workspace, or the owner of a partial upload) may use. */
  readonly holderLimits: HolderLimits;
}

/** Whose room an upload takes. */
export function holderOf(row: Pick<UploadRow, "workspace_id" | "owner">): string {
  return row.workspace_id ?? row.owner;
}

export class UploadStore {
  readonly #db: StorageDatabase;
  readonly #listener: UploadListener;
  readonly #clock: Clock;
  readonly limits: Limits;

  constructor(db: StorageDatabase, listener: UploadListener, clock: Clock, limits: Limits) {
    this.#db = db;
    this.#listener = listener;
    this.#clock = clock;
    this.limits = limits;
  }

  async find(id: string): Promise<UploadRow | undefined> {
    const row = await this.#db.query.selectFrom("upload").selectAll().where("id", "=", id).executeTakeFirst();
    return row as UploadRow | undefined;
  }

  async get(id: string): Promise<UploadRow> {
    const row = await this.find(id);
    if (row === undefined) throw notFound("upload", id);
    return row;
  }

  /** A page of an owner's unfinished uploads, newest first. */
  async list(owner: Owner, workspaceId: string | undefined, page: Page): Promise<PageResult<UploadRow>> {
    let query = this.#db.query.selectFrom("upload").selectAll().where("owner", "=", owner).where("open", "=", 1);
    if (workspaceId !== undefined) query = query.where("workspace_id", "=", workspaceId);
    const { rows, nextPageToken } = await selectPage(query, page, ["id"], "desc");
    return { rows: rows as UploadRow[], nextPageToken };
  }

  /** The unfinished uploads into a workspace. */
  async openIn(workspaceId: string): Promise<string[]> {
    const rows = await this.#db.query
      .selectFrom("upload")
      .select("id")
      .where("workspace_id", "=", workspaceId)
      .where("open", "=", 1)
      .execute();
    return rows.map(({ id }) => id);
  }

  /** Which of these pieces no row knows. */
  async withoutRow(pieceIds: readonly string[]): Promise<string[]> {
    return await unknownPieces(this.#db, pieceIds);
  }

  async create(tx: Tx, upload: NewUpload): Promise<UploadRow> {
    if (upload.size !== null) this.#refuseTooLarge(upload.size, upload.holderLimits.maxFileBytes);
    await this.#refuseTooMany(tx, upload.owner);
    const now = this.#clock().getTime();
    const row: UploadRow = {
      id: newId(),
      owner: upload.owner,
      workspace_id: upload.workspaceId,
      partial: upload.workspaceId === null ? 1 : 0,
      name: upload.name,
      media_type: upload.mediaType,
      size: upload.size,
      state: "receiving",
      failure: null,
      open: 1,
      declared_sha256: upload.declaredSha256,
      sha256: null,
      ranges: "[]",
      part_count: 0,
      reserved_bytes: upload.size ?? 0,
      blob_id: null,
      version_id: null,
      concatenated_into: null,
      created_at: now,
      updated_at: now,
      expires_at: this.#expiry(now, now),
      write_count: 0,
    };
    await setHolderLimits(tx, holderOf(row), upload.holderLimits);
    await reserve(tx, holderOf(row), row.reserved_bytes);
    await tx.insertInto("upload").values(row).execute();
    return row;
  }

  /** Makes an upload of complete partial ones; their pieces become its own. */
  async concatenate(tx: Tx, upload: NewUpload, partIds: readonly string[]): Promise<UploadRow> {
    const parts: UploadRow[] = [];
    for (const id of partIds) {
      const part = await this.#lock(tx, id);
      if (part.owner !== upload.owner) throw notFound("upload", id);
      if (!next(part.state, { kind: "concatenated" }, part.partial === 1).allowed) throw stateConflict(part);
      const got = contiguousEnd(rangesOf(part));
      if (part.size === null || got !== part.size) throw incomplete(got, part.size ?? got);
      parts.push(part);
    }
    const size = parts.reduce((sum, part) => sum + (part.size ?? 0), 0);
    const partCount = parts.reduce((sum, part) => sum + part.part_count, 0);
    if (partCount > this.limits.maxParts) throw tooManyParts(this.limits.maxParts);
    // The parts give back what they held of their owner's room before the workspace's is asked.
    const whole = await this.create(tx, { ...upload, size });
    let position = 0;
    for (const part of parts) {
      await movePieces(tx, part.id, whole.id, position);
      position += part.size ?? 0;
      await adjust(tx, holderOf(part), { reserved: -part.reserved_bytes });
      const change = { concatenated_into: whole.id, reserved_bytes: 0 };
      await this.#apply(tx, part, { kind: "concatenated" }, change);
    }
    const ranges = encodeRanges(size === 0 ? [] : [{ start: 0, end: size }]);
    return await this.#write(tx, whole, { ranges, part_count: partCount });
  }

  /** Says how large the file is, where that was left open. */
  async declareSize(id: string, size: number): Promise<UploadRow> {
    return await this.#db.transaction(async (tx) => {
      const row = await this.#lock(tx, id);
      return row.state === "receiving" ? await this.#declareSize(tx, row, size) : row;
    });
  }

  /** Notes a write before its first byte, and ends those of other processes that it meets. */
  async beginWrite(id: string, region: Range): Promise<{ readonly row: UploadRow; readonly write: NotedWrite }> {
    return await this.#db.transaction(async (tx) => {
      const row = await this.#lock(tx, id);
      if (!next(row.state, { kind: "bytes" }, row.partial === 1).allowed) throw stateConflict(row);
      const write = await noteWrite(tx, row, region, this.#clock().getTime());
      return { row: { ...row, write_count: write.number }, write };
    });
  }

  /** The end of a write that was noted. */
  async endWrite(id: string): Promise<void> {
    await forgetWrite(this.#db, id);
  }

  /** Which of these writes somebody has ended, and how. */
  async endedWrites(ids: readonly string[]): Promise<ReadonlyMap<string, "superseded" | "aborted">> {
    return await endedWrites(this.#db, ids);
  }

  /** Calls back when writes may have been ended from outside, until disposed. */
  onWritesEnded(wake: () => void): Disposable {
    return this.#db.signals.listen(WRITES_SIGNAL, wake);
  }

  /** Asks for the upload's bytes to be hashed, by one process of all. */
  async askForVerification(ids: readonly string[]): Promise<void> {
    if (ids.length === 0) return;
    await this.#db.transaction(async (tx) => {
      for (const uploadId of ids) await enqueue(tx, { kind: VERIFY_JOB, key: uploadId, payload: { uploadId } });
    });
  }

  /** Notes pieces as durable. They must be sealed. Refused when a newer write has ended the one that brings them. */
  async commit(id: string, pieces: readonly SealedPiece[], writeId?: string): Promise<UploadRow> {
    return await this.#db.transaction(async (tx) => {
      const row = await this.#lock(tx, id);
      if (writeId !== undefined) await refuseSuperseded(tx, writeId);
      if (!next(row.state, { kind: "bytes" }, row.partial === 1).allowed) throw stateConflict(row);
      let ranges = rangesOf(row);
      for (const { position, length } of pieces) {
        const range = { start: position, end: position + length };
        // Writers of this process never meet; another replica's may.
        if (ranges.some((other) => meets(other, range)))
          throw offsetConflict(rangeAt(ranges, position)?.end ?? position);
        if (row.size !== null && range.end > row.size) throw sizeExceeded(row.size);
        ranges = addRange(ranges, range);
      }
      const partCount = row.part_count + pieces.length;
      if (partCount > this.limits.maxParts) throw tooManyParts(this.limits.maxParts);
      let reserved = row.reserved_bytes;
      if (row.size === null) {
        this.#refuseTooLarge(lastEnd(ranges), await maxFileBytesOf(tx, holderOf(row)));
        const added = Math.max(0, sizeOf(ranges) - reserved);
        await reserve(tx, holderOf(row), added);
        reserved += added;
      }
      const now = this.#clock().getTime();
      await insertPieces(tx, id, pieces, now);
      return await this.#write(tx, row, {
        ranges: encodeRanges(ranges),
        part_count: partCount,
        reserved_bytes: reserved,
      });
    });
  }

  /** Takes back what pieces of one unacknowledged write hold at `from` and after it. */
  async cut(id: string, pieces: readonly SealedPiece[], from: number): Promise<void> {
    await this.#db.transaction(async (tx) => {
      const row = await this.#lock(tx, id);
      if (row.state !== "receiving") return;
      const now = this.#clock().getTime();
      let ranges = rangesOf(row);
      for (const { position, length } of pieces) {
        ranges = removeRange(ranges, { start: Math.max(position, from), end: position + length });
      }
      await cutPieces(
        tx,
        pieces.map((piece) => piece.id),
        from,
        now,
      );
      await this.#write(tx, row, { ranges: encodeRanges(ranges) });
    });
  }

  /** All bytes are there: verification may begin. What was completed before is given as it is. */
  async complete(id: string, size: number | undefined, sha256: string | null): Promise<UploadRow> {
    return await this.#db.transaction(async (tx) => {
      let row = await this.#lock(tx, id);
      if (row.state === "failed") throw uploadFailed(row);
      if (!next(row.state, { kind: "complete" }, row.partial === 1).allowed) throw stateConflict(row);
      if (size !== undefined && row.size !== null && size !== row.size) throw sizeConflict(row.size);
      if (row.state !== "receiving") return row;
      const ranges = rangesOf(row);
      if (row.size === null) row = await this.#declareSize(tx, row, size ?? lastEnd(ranges));
      const got = contiguousEnd(ranges);
      if (got !== row.size) throw incomplete(got, row.size ?? got);
      const declared = row.declared_sha256 ?? sha256;
      // Two digests that differ cannot both be right: the file is refused as one that does not have its digest.
      if (sha256 !== null && declared !== sha256) {
        return await this.fail(tx, row, "digest_mismatch");
      }
      return await this.#apply(tx, row, { kind: "complete" }, { declared_sha256: declared });
    });
  }

  /** Gives an upload up, or notes why it failed: room and pieces are free. A final state stays. */
  async fail(tx: Tx, row: UploadRow, failure: Extract<Happening, { kind: "failed" }>["failure"]): Promise<UploadRow> {
    const transition = next(row.state, { kind: "failed", failure }, row.partial === 1);
    if (!transition.allowed) throw stateConflict(row);
    if (row.state === "failed") return row;
    await doomPieces(tx, row.id, this.#clock().getTime());
    await adjust(tx, holderOf(row), { reserved: -row.reserved_bytes });
    return await this.#apply(
      tx,
      row,
      { kind: "failed", failure },
      { ranges: "[]", reserved_bytes: 0, blob_id: null, part_count: 0 },
    );
  }

  /** The upload inside a transaction. */
  async lock(tx: Tx, id: string): Promise<UploadRow> {
    return await this.#lock(tx, id);
  }

  /** Takes it to the state that follows, with further columns. */
  async apply(tx: Tx, row: UploadRow, happening: Happening, change: Partial<UploadRow>): Promise<UploadRow> {
    return await this.#apply(tx, row, happening, change);
  }

  async #declareSize(tx: Tx, row: UploadRow, size: number): Promise<UploadRow> {
    if (row.size !== null) {
      if (row.size !== size) throw sizeConflict(row.size);
      return row;
    }
    this.#refuseTooLarge(size, await maxFileBytesOf(tx, holderOf(row)));
    const end = lastEnd(rangesOf(row));
    if (size < end) throw sizeConflict(end);
    if (size > row.reserved_bytes) await reserve(tx, holderOf(row), size - row.reserved_bytes);
    else await adjust(tx, holderOf(row), { reserved: size - row.reserved_bytes });
    return await this.#write(tx, row, { size, reserved_bytes: size });
  }

  async #apply(tx: Tx, row: UploadRow, happening: Happening, change: Partial<UploadRow>): Promise<UploadRow> {
    const transition = next(row.state, happening, row.partial === 1);
    if (!transition.allowed) throw stateConflict(row);
    const { state, failure = null } = transition;
    const over = isFinal(state);
    return await this.#write(tx, row, { ...change, state, failure: failure ?? row.failure, open: over ? 0 : 1 });
  }

  async #write(tx: Tx, row: UploadRow, change: Partial<UploadRow>): Promise<UploadRow> {
    const now = this.#clock().getTime();
    const state = change.state ?? row.state;
    const expires_at = isFinal(state) ? null : this.#expiry(now, row.created_at);
    const written: UploadRow = { ...row, ...change, updated_at: now, expires_at };
    const { id, ...columns } = written;
    await tx.updateTable("upload").set(columns).where("id", "=", id).execute();
    afterCommit(tx, () => this.#listener.changed(written));
    return written;
  }

  async #lock(tx: Tx, id: string): Promise<UploadRow> {
    const query = tx.selectFrom("upload").selectAll().where("id", "=", id);
    // Those that only read it would meet half-way when both write; SQLite has one writer anyway.
    const row = await (this.#db.dialect === "mysql" ? query.forUpdate() : query).executeTakeFirst();
    if (row === undefined) throw notFound("upload", id);
    return row as UploadRow;
  }

  async #refuseTooMany(tx: Tx, owner: Owner): Promise<void> {
    const limit = this.limits.maxOpenUploads;
    const { count } = await tx
      .selectFrom("upload")
      .select((build) => build.fn.countAll<number>().as("count"))
      .where("owner", "=", owner)
      .where("open", "=", 1)
      .executeTakeFirstOrThrow();
    if (count >= limit) throw tooManyUploads(limit);
  }

  #refuseTooLarge(size: number, holdersLimit: number): void {
    const limit = Math.min(this.limits.maxFileBytes, holdersLimit);
    if (size > limit) throw fileTooLarge(limit);
  }

  #expiry(now: number, createdAt: number): number {
    return expiryOf(now, createdAt, this.limits.uploadIdleMs, this.limits.uploadLongestMs);
  }
}
