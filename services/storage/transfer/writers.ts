// The write sessions of this process, by upload. A new one ends the older ones whose range it meets, before it begins:
// that is how a client that was cut resumes while its old call is still open.

import { setTimeout as pause } from "node:timers/promises";
import { Reason } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import { FairMutex } from "@docket/runtime/db/mutex";
import { AppError } from "@docket/runtime/errors";
import type { Algorithm } from "../domain/checksum.ts";
import { contiguousEnd, meets, nextStart, type Range, rangeAt } from "../domain/ranges.ts";
import { next } from "../domain/upload.ts";
import { diskFull, fileTooLarge, offsetConflict, sizeExceeded, stateConflict } from "../store/refusals.ts";
import { rangesOf, type UploadRow } from "../store/upload_row.ts";
import { type WriteDeps, WriteSession } from "./write_session.ts";

/** What a client asks for with the first message of a write. */
export interface WriteStart {
  readonly uploadId: string;
  readonly offset: number;
  readonly length: number | undefined;
  readonly size: number | undefined;
  readonly append: boolean;
  readonly checksum: { readonly algorithm: Algorithm; readonly value: Uint8Array } | undefined;
}

/** How long somebody who asks waits for a slow disk, in milliseconds; less than the deadline of the question. */
const longestWaitMs = 1500;

/** What is open at one upload. */
interface Desk {
  readonly sessions: Set<WriteSession>;
  /** One begins after the other. */
  readonly turn: FairMutex;
  users: number;
}

export class Writers {
  readonly #deps: WriteDeps;
  readonly #desks = new Map<string, Desk>();

  constructor(deps: WriteDeps) {
    this.#deps = deps;
  }

  /** How many sessions are open. */
  get size(): number {
    return [...this.#desks.values()].reduce((sum, { sessions }) => sum + sessions.size, 0);
  }

  /**
   * Runs one write session. What `run` throws ends it, and what had arrived is kept as far as it may be; `interrupted`
   * tells the session's own end, which takes the place of whatever `run` threw.
   */
  async write<T>(start: WriteStart, run: (session: WriteSession) => Promise<T>): Promise<T> {
    const { uploadId } = start;
    const desk = this.#deskOf(uploadId);
    desk.users += 1;
    try {
      const session = await this.#begin(desk, start);
      try {
        return await run(session);
      } catch (error) {
        await session.salvage();
        if (session.interruption === "superseded") throw new AppError(Reason.UPLOAD_SUPERSEDED, { cause: error });
        if (session.interruption === "aborted") throw stateConflict(await this.#deps.uploads.get(uploadId));
        if ((error as { code?: unknown }).code === "STORE_FULL") throw diskFull(error);
        throw error;
      } finally {
        desk.sessions.delete(session);
        session.close();
      }
    } finally {
      desk.users -= 1;
      if (desk.users === 0) this.#desks.delete(uploadId);
    }
  }

  /**
   * Waits while calls that have ended, or were cut, still make durable what had arrived: only then is it known where a
   * client can go on. Calls that still bring bytes are not waited for.
   */
  async settled(uploadId: string): Promise<void> {
    const ending = [...(this.#desks.get(uploadId)?.sessions ?? [])].flatMap((session) => session.ending ?? []);
    if (ending.length === 0) return;
    const limit = new AbortController();
    await Promise.race([
      Promise.all(ending),
      pause(longestWaitMs, undefined, { signal: limit.signal }).catch(() => undefined),
    ]);
    limit.abort();
  }

  /** Ends all sessions at an upload that was given up, and drops what they hold. */
  async abort(uploadId: string): Promise<void> {
    const sessions = [...(this.#desks.get(uploadId)?.sessions ?? [])];
    await Promise.all(sessions.map((session) => session.interrupt("aborted", 0)));
    this.#deps.digests.forget(uploadId);
  }

  async #begin(desk: Desk, start: WriteStart): Promise<WriteSession> {
    const release = await desk.turn.acquire();
    try {
      const { uploads, driver } = this.#deps;
      let row = await uploads.get(start.uploadId);
      if (!next(row.state, { kind: "bytes" }, row.partial === 1).allowed) throw stateConflict(row);
      if (start.size !== undefined && start.size !== row.size) row = await uploads.declareSize(row.id, start.size);
      const region: Range = { start: start.offset, end: start.offset + (start.length ?? Number.POSITIVE_INFINITY) };
      const older = [...desk.sessions].filter((session) => meets(session.plan.region, region));
      if (older.length > 0) {
        await Promise.all(older.map((session) => session.interrupt("superseded", start.offset)));
        row = await uploads.get(start.uploadId);
        if (!next(row.state, { kind: "bytes" }, row.partial === 1).allowed) throw stateConflict(row);
      }
      const limits = this.#limitsOf(row, start, region);
      if ((await driver.free()) < uploads.limits.diskFloorBytes) throw diskFull();
      const session = new WriteSession(this.#deps, {
        uploadId: row.id,
        region,
        checksum: start.checksum,
        ...limits,
      });
      desk.sessions.add(session);
      return session;
    } finally {
      release();
    }
  }

  /** Where the session must stop and why, or a refusal of where it begins. */
  #limitsOf(row: UploadRow, start: WriteStart, region: Range): { limit: number; overrun: () => AppError } {
    const ranges = rangesOf(row);
    const { offset } = start;
    if (start.append && offset !== contiguousEnd(ranges)) throw offsetConflict(contiguousEnd(ranges));
    const taken = rangeAt(ranges, offset);
    if (taken !== undefined) throw offsetConflict(taken.end);
    const { maxFileBytes } = this.#deps.uploads.limits;
    const size = row.size ?? maxFileBytes;
    if (offset > size) throw row.size === null ? fileTooLarge(maxFileBytes) : sizeExceeded(size);
    const ahead = nextStart(ranges, offset);
    const limit = Math.min(region.end, size, ahead);
    const overrun = () => {
      if (limit === ahead) return offsetConflict(rangeAt(ranges, ahead)?.end ?? ahead);
      if (limit === region.end) return sizeExceeded(region.end - region.start);
      return row.size === null ? fileTooLarge(maxFileBytes) : sizeExceeded(size);
    };
    return { limit, overrun };
  }

  #deskOf(uploadId: string): Desk {
    const known = this.#desks.get(uploadId);
    if (known !== undefined) return known;
    const desk: Desk = { sessions: new Set(), turn: new FairMutex(), users: 0 };
    this.#desks.set(uploadId, desk);
    return desk;
  }
}
