// The write sessions of this process, by upload. A new one ends the older ones whose range it meets, before it begins:
// that is how a client that was cut resumes while its old call is still open. Where other processes write to the same
// place, each session is noted in the database, which ends theirs (store/upload_writes.ts) and tells when ours are ended.

import { setTimeout as pause } from "node:timers/promises";
import { Reason } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import { FairMutex } from "@docket/runtime/db/mutex";
import { AppError } from "@docket/runtime/errors";
import type { Algorithm } from "../domain/checksum.ts";
import { contiguousEnd, meets, nextStart, type Range, rangeAt } from "../domain/ranges.ts";
import { next } from "../domain/upload.ts";
import { diskFull, fileTooLarge, offsetConflict, sizeExceeded, stateConflict } from "../store/refusals.ts";
import { rangesOf, type UploadRow } from "../store/upload_row.ts";
import { isUnavailable } from "./verified_pieces.ts";
import { type WriteDeps, type WritePlan, WriteSession } from "./write_session.ts";

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

/** How often it is looked whether another process has ended a session, without having been told, in milliseconds. */
const pollMs = 1000;

type WriteLimits = Pick<WritePlan, "limit" | "overrun">;

/** What is open at one upload. */
interface Desk {
  readonly sessions: Set<WriteSession>;
  /** One begins after the other. */
  readonly turn: FairMutex;
  users: number;
}

export class Writers implements Disposable {
  readonly #deps: WriteDeps;
  readonly #desks = new Map<string, Desk>();
  readonly #listening: Disposable | undefined;
  readonly #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> | undefined;

  constructor(deps: WriteDeps) {
    this.#deps = deps;
    if (deps.driver.exclusive) return;
    this.#listening = deps.uploads.onWritesEnded(() => this.#look());
    this.#timer = setInterval(() => this.#look(), pollMs).unref();
  }

  [Symbol.dispose](): void {
    this.#listening?.[Symbol.dispose]();
    clearInterval(this.#timer);
  }

  /** How many sessions are open, and how many bytes they have taken. */
  arriving(): { readonly writes: number; readonly bytes: number } {
    const open = [...this.#desks.values()].flatMap(({ sessions }) => [...sessions]);
    const bytes = open.reduce((sum, { position, plan }) => sum + position - plan.region.start, 0);
    return { writes: open.length, bytes };
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
        // What could not be taken back has no row, and is removed as what nobody knows.
        await session.salvage().catch(() => undefined);
        if (session.interruption === "superseded") throw new AppError(Reason.UPLOAD_SUPERSEDED, { cause: error });
        if (session.interruption === "aborted") throw stateConflict(await this.#deps.uploads.get(uploadId));
        if ((error as { code?: unknown }).code === "STORE_FULL") throw diskFull(error);
        if (isUnavailable(error)) throw new AppError(Reason.UNAVAILABLE, { cause: error });
        throw error;
      } finally {
        desk.sessions.delete(session);
        session.close();
        const { write } = session.plan;
        // Left behind where it fails, it is forgotten later.
        if (write !== undefined) await this.#deps.uploads.endWrite(write.id).catch(() => undefined);
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

  /** Ends the sessions that another process has ended. Two looks at once are one. */
  #look(): void {
    const open = new Map(
      [...this.#desks.values()]
        .flatMap(({ sessions }) => [...sessions])
        .flatMap((session) => (session.plan.write === undefined ? [] : [[session.plan.write.id, session]])),
    );
    if (open.size === 0 || this.#looking !== undefined) return;
    this.#looking = this.#deps.uploads
      .endedWrites([...open.keys()])
      .then((ended) => {
        // What such a session noted stays: whoever ended it has seen it, and goes on behind it.
        for (const [id, cause] of ended) void open.get(id)?.interrupt(cause, Number.POSITIVE_INFINITY);
      })
      // The next look comes soon, and whatever such a session notes is refused.
      .catch(() => undefined)
      .finally(() => {
        this.#looking = undefined;
      });
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
      if ((await driver.free()) < uploads.limits.diskFloorBytes) throw diskFull();
      const plan = { uploadId: start.uploadId, region, checksum: start.checksum };
      if (driver.exclusive) {
        const session = new WriteSession(this.#deps, {
          ...plan,
          write: undefined,
          ...this.#limitsOf(row, start, region),
        });
        desk.sessions.add(session);
        return session;
      }
      const begun = await uploads.beginWrite(start.uploadId, region);
      const { write } = begun;
      let limits: WriteLimits;
      try {
        limits = this.#limitsOf(begun.row, start, region);
      } catch (refusal) {
        await uploads.endWrite(write.id);
        throw refusal;
      }
      const session = new WriteSession(this.#deps, { ...plan, write, ...limits });
      desk.sessions.add(session);
      return session;
    } finally {
      release();
    }
  }

  /** Where the session must stop and why, or a refusal of where it begins. */
  #limitsOf(row: UploadRow, start: WriteStart, region: Range): WriteLimits {
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
