// Streams of changes. Every watcher pulls from the log by itself, at its own speed: what waits for it waits there and not
// in memory, so that replay and live tail are one reading and there is no gap between them. One that has stopped taking
// while much was waiting is ended with RESUME.
import { setTimeout as pause } from "node:timers/promises";
import { create } from "@bufbuild/protobuf";
import { durationFromMs } from "@bufbuild/protobuf/wkt";
import {
  type ListChangesResponse,
  ListChangesResponseSchema,
  type WatchChangesResponse,
  WatchChangesResponseSchema,
} from "@docket/contracts/gen/docket/document/v1/change_service_pb.ts";
import { Reason } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import type { Call, Subject } from "@docket/runtime/call";
import { ChangesTrimmed, heads, type Change as LogRow, lagOf, readChanges } from "@docket/runtime/changelog/read";
import { type Follower, Tailer } from "@docket/runtime/changelog/tailer";
import type { Clock } from "@docket/runtime/clock";
import { AppError, notFound } from "@docket/runtime/errors";
import type { Logger } from "@docket/runtime/logger";
import type { Metrics } from "@docket/runtime/telemetry/metrics";
import type { Clients } from "../clients.ts";
import { accessKinds, type Wanted } from "../domain/change_filter.ts";
import type { DocumentDatabase } from "../store/entities.ts";
import { encodedChanges, entryOf } from "./entry.ts";
import { type Beginning, cursorExpired } from "./places.ts";
import { type Delivery, Session } from "./session.ts";
import type { Viewers } from "./viewers.ts";

/** What watching is made from. */
export interface WatchingOptions {
  readonly db: DocumentDatabase;
  readonly viewers: Viewers;
  readonly clients: Clients;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Where it is told how far the slowest is behind. Default: nowhere. */
  readonly metrics?: Metrics | undefined;
  /** The longest silence of a stream, in milliseconds. Default: 5000. */
  readonly heartbeatMs?: number;
  /** How long a watcher may take over one message while changes wait, in milliseconds. Default: 10,000. */
  readonly slowMs?: number;
  /** How many changes may wait for such a watcher. Default: 1000. */
  readonly queueLength?: number;
  /** How many streams one subject may have open. Default: 50. */
  readonly streamsOfSubject?: number;
}

/** What a stream is to tell. */
export interface Ask {
  readonly subject: Subject;
  readonly call: Call;
  readonly wanted: Wanted;
  readonly beginning: Beginning;
  /** Where workspaces come and go while it is watched: those of the subject now. Absent: they are fixed. */
  readonly workspaces?: () => Promise<readonly string[]>;
  /** The subscription that is read from: its end is the stream's. */
  readonly subscriptionId?: string;
}

/** How often the workspaces of a subject are asked for at most, and at least, in milliseconds. */
const relistMs = { soonest: 1000, latest: 30_000 };
/** How many changes one message carries; fewer where each has a long cursor. */
const batchOf = (workspaces: number) => (workspaces > 10 ? 32 : 200);
/** How many rows one call of ListChanges reads at most. */
const mostRowsListed = 2000;
const mostLagCounted = 10_000;

/** An open stream, as changes from outside reach it. */
interface Open {
  readonly subject: Subject;
  readonly session: Session;
  readonly subscriptionId: string | undefined;
  readonly follower: Follower;
  /** The most rows that come at once. */
  readonly batch: number;
  /** Workspaces to look at anew. */
  readonly stale: Set<string>;
  /** When the list of workspaces was asked for, and when it will be; never, where it is fixed. */
  listedAt: number;
  relistAt: number;
  /** The subscription is gone. */
  removed: boolean;
  wake: () => void;
}

/** What reading the log came to. */
type Step = { readonly rows: readonly LogRow[] } | { readonly error: unknown } | "ended";

/** The next step, as a value: nobody may be waiting any more when it fails. */
function stepOf(rows: AsyncIterator<readonly LogRow[], void>): Promise<Step> {
  return rows.next().then(
    (result) => (result.done ? "ended" : { rows: result.value }),
    (error: unknown) => ({ error }),
  );
}

export class Watching implements AsyncDisposable {
  readonly #options: Required<Omit<WatchingOptions, "metrics">>;
  readonly #tailer: Tailer;
  readonly #open = new Set<Open>();
  readonly #end = new AbortController();
  /** Hears of changes of access in every watched workspace, however far behind its watchers are. */
  #sentinel: Follower;
  readonly #hearing: Promise<void>;

  constructor(options: WatchingOptions) {
    this.#options = { heartbeatMs: 5000, slowMs: 10_000, queueLength: 1000, streamsOfSubject: 50, ...options };
    const metrics = { of: options.metrics, consumer: "streams" };
    this.#tailer = new Tailer({ db: options.db as never, logger: options.logger, metrics });
    this.#sentinel = this.#tailer.follow([], { signal: this.#end.signal });
    this.#hearing = this.#hear();
  }

  /** How many streams are open. */
  get size(): number {
    return this.#open.size;
  }

  /** Something that bears on access changed at the user service: of this workspace or subject, or, without an id, of any. */
  accessChanged(id: string | undefined): void {
    for (const open of this.#open) {
      const { places } = open.session;
      const watched = id !== undefined && places.has(id);
      if (watched) open.stale.add(id);
      if (id === undefined || id === open.subject.id)
        for (const workspaceId of places.keys()) open.stale.add(workspaceId);
      // It may be a workspace that the subject has just joined; asked once a second, however much happens, and never by a
      // stream whose workspaces are fixed: nothing would move its time on.
      if (!watched && open.relistAt < Number.POSITIVE_INFINITY)
        open.relistAt = Math.min(open.relistAt, open.listedAt + relistMs.soonest);
      open.wake();
    }
  }

  /** Ends the streams of a subscription that is gone. */
  subscriptionRemoved(id: string): void {
    for (const open of this.#open) {
      if (open.subscriptionId !== id) continue;
      open.removed = true;
      open.wake();
    }
  }

  /** Tells changes until the call ends. */
  async *watch(ask: Ask): AsyncGenerator<WatchChangesResponse> {
    const { heartbeatMs } = this.#options;
    const open = await this.#begin(ask);
    const { session } = open;
    try {
      yield* this.#send(open, await this.#opening(open, ask), true);
      let saidAt = performance.now();
      const rows = open.follower[Symbol.asyncIterator]();
      let next = stepOf(rows);
      for (;;) {
        const step = await this.#either(open, next, saidAt + heartbeatMs);
        if (ask.call.signal.aborted) return;
        if (step === "ended") throw new AppError(Reason.RESUME);
        if (open.removed) throw notFound("subscription", ask.subscriptionId ?? "");
        if (step !== undefined && "error" in step) throw step.error;
        const deliveries = step === undefined ? await this.#lookAround(open, ask) : await session.take(step.rows);
        this.#dropLeft(open);
        if (step !== undefined) next = stepOf(rows);
        if (deliveries.length === 0 && performance.now() < saidAt + heartbeatMs) continue;
        const full = step !== undefined && step.rows.length >= open.batch;
        yield* this.#send(open, deliveries, full || step === undefined);
        saidAt = performance.now();
        // Where workspaces are fixed and all of them are gone, nothing can come any more.
        const [gone] = deliveries;
        if (session.places.size === 0 && ask.workspaces === undefined && gone !== undefined) {
          throw notFound("workspace", gone.told.change.workspaceId);
        }
      }
    } catch (error) {
      throw error instanceof ChangesTrimmed ? cursorExpired(error.partition) : error;
    } finally {
      this.#close(open);
    }
  }

  /** Waits for rows; undefined when something else is due first: a heartbeat, or a look at what may be seen now. */
  async #either(open: Open, rows: Promise<Step>, beatAt: number): Promise<Step | undefined> {
    const dueAt = Math.min(beatAt, open.relistAt);
    if (open.removed || open.stale.size > 0 || performance.now() >= dueAt) return undefined;
    const woken = Promise.withResolvers<undefined>();
    open.wake = () => woken.resolve(undefined);
    const timer = setTimeout(open.wake, dueAt - performance.now());
    try {
      return await Promise.race([rows, woken.promise]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Looks at the workspaces where access may have changed, and which there are. */
  async #lookAround(open: Open, ask: Ask): Promise<Delivery[]> {
    const deliveries: Delivery[] = [];
    for (const workspaceId of [...open.stale]) {
      open.stale.delete(workspaceId);
      deliveries.push(...(await open.session.look(workspaceId)));
    }
    if (ask.workspaces !== undefined && performance.now() >= open.relistAt) {
      open.listedAt = performance.now();
      open.relistAt = open.listedAt + relistMs.latest;
      deliveries.push(...(await this.#relist(open, await ask.workspaces())));
    }
    return deliveries;
  }

  /** One page of changes, for those who ask now and then. */
  async list(ask: Ask, pageSize: number): Promise<ListChangesResponse> {
    const { db } = this.#options;
    const session = this.#session(ask);
    const deliveries = await this.#departures(session, ask);
    let left = mostRowsListed;
    try {
      for (const workspaceId of [...session.places.keys()]) {
        while (deliveries.length < pageSize && left > 0 && session.places.has(workspaceId)) {
          const limit = Math.min(batchOf(session.places.size), left);
          const rows = await readChanges(db, workspaceId, session.places.get(workspaceId) ?? 0, limit);
          if (rows.length === 0) break;
          left -= rows.length;
          deliveries.push(...(await session.take(rows, pageSize - deliveries.length)));
        }
      }
    } catch (error) {
      throw error instanceof ChangesTrimmed ? cursorExpired(error.partition) : error;
    }
    const newest = await heads(db, [...session.places.keys()]);
    const more = [...session.places].some(([id, place]) => place < (newest.get(id) ?? 0));
    const response = create(ListChangesResponseSchema, { cursor: session.cursor, more });
    response.$unknown = encodedChanges(ListChangesResponseSchema.field.changes.number, deliveries);
    return response;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#end.abort();
    await this.#tailer[Symbol.asyncDispose]();
    await this.#hearing;
  }

  #session({ subject, call, wanted, beginning }: Ask): Session {
    const { viewers, clients } = this.#options;
    return new Session({ viewers, clients, subject, call, wanted, places: beginning.places });
  }

  async #begin(ask: Ask): Promise<Open> {
    const { streamsOfSubject } = this.#options;
    const { subject, call, beginning } = ask;
    const others = [...this.#open].filter((one) => one.subject.kind === subject.kind && one.subject.id === subject.id);
    if (others.length >= streamsOfSubject) throw limitReached(streamsOfSubject);
    const batch = batchOf(beginning.places.size);
    const now = performance.now();
    const open: Open = {
      subject,
      session: this.#session(ask),
      subscriptionId: ask.subscriptionId,
      follower: this.#tailer.follow([], { signal: call.signal, batch }),
      batch,
      stale: new Set(),
      listedAt: now,
      relistAt: ask.workspaces === undefined ? Number.POSITIVE_INFINITY : now + relistMs.latest,
      removed: false,
      wake: () => undefined,
    };
    this.#open.add(open);
    call.signal.addEventListener("abort", () => open.wake(), { once: true });
    try {
      await this.#guard([...beginning.places.keys()]);
    } catch (error) {
      // One that never began must not count among its subject's streams.
      this.#close(open);
      throw error;
    }
    for (const [workspaceId, place] of beginning.places) open.follower.add(workspaceId, place);
    return open;
  }

  /** What is said first: which workspaces came and went since the cursor. */
  async #opening(open: Open, ask: Ask): Promise<Delivery[]> {
    const deliveries = await this.#departures(open.session, ask);
    for (const workspaceId of [...open.session.places.keys()])
      deliveries.push(...(await open.session.look(workspaceId)));
    this.#dropLeft(open);
    return deliveries;
  }

  async #departures(session: Session, { beginning }: Ask): Promise<Delivery[]> {
    const deliveries: Delivery[] = [];
    for (const workspaceId of beginning.left) deliveries.push(...(await session.leave(workspaceId)));
    for (const workspaceId of beginning.joined) {
      deliveries.push(...session.join(workspaceId, session.places.get(workspaceId) ?? 0));
    }
    return deliveries;
  }

  /** Follows the workspaces that the subject has joined, from now on, and leaves those that it has left. */
  async #relist(open: Open, workspaceIds: readonly string[]): Promise<Delivery[]> {
    const { session } = open;
    const deliveries: Delivery[] = [];
    for (const workspaceId of [...session.places.keys()]) {
      if (!workspaceIds.includes(workspaceId)) deliveries.push(...(await session.leave(workspaceId)));
    }
    const joined = workspaceIds.filter((id) => !session.places.has(id));
    const newest = await heads(this.#options.db, joined);
    await this.#guard(joined);
    for (const workspaceId of joined) {
      const place = newest.get(workspaceId) ?? 0;
      deliveries.push(...session.join(workspaceId, place));
      open.follower.add(workspaceId, place);
    }
    return deliveries;
  }

  /** Sends a message and looks how long it took to be taken. */
  async *#send(open: Open, deliveries: readonly Delivery[], behind: boolean): AsyncGenerator<WatchChangesResponse> {
    const { db, clock, slowMs, queueLength } = this.#options;
    const { session } = open;
    // Who has just been given the last change is not behind, so that only heartbeats and full batches count.
    const lag = behind ? await lagOf(db, session.places, clock) : { changes: 0, ageMs: 0 };
    const response = create(WatchChangesResponseSchema, {
      cursor: session.cursor,
      lagCount: BigInt(Math.min(lag.changes, mostLagCounted)),
      lag: durationFromMs(Math.round(lag.ageMs)),
    });
    response.$unknown = encodedChanges(WatchChangesResponseSchema.field.changes.number, deliveries);
    const sentAt = performance.now();
    yield response;
    if (deliveries.length === 0 || performance.now() - sentAt < slowMs) return;
    if ((await lagOf(db, session.places, clock)).changes > queueLength) throw new AppError(Reason.RESUME);
  }

  #dropLeft({ follower, session }: Open): void {
    for (const workspaceId of [...follower.positions.keys()]) {
      if (!session.places.has(workspaceId)) follower.remove(workspaceId);
    }
  }

  #close(open: Open): void {
    this.#open.delete(open);
    open.follower.end();
    for (const workspaceId of [...this.#sentinel.positions.keys()]) {
      if ([...this.#open].some(({ session }) => session.places.has(workspaceId))) continue;
      this.#sentinel.remove(workspaceId);
      this.#options.viewers.forget(workspaceId);
    }
  }

  /** Listens for changes of access in these workspaces. What came before now is seen by whoever asks from now on. */
  async #guard(workspaceIds: readonly string[]): Promise<void> {
    const unheard = workspaceIds.filter((id) => !this.#sentinel.positions.has(id));
    const newest = await heads(this.#options.db, unheard);
    for (const id of unheard) {
      if (!this.#sentinel.positions.has(id)) this.#sentinel.add(id, newest.get(id) ?? 0);
      this.#options.viewers.remember(id);
    }
  }

  async #hear(): Promise<void> {
    while (!this.#end.signal.aborted) {
      try {
        for await (const rows of this.#sentinel) {
          for (const row of rows) {
            if (accessKinds.has(entryOf(row).change.kind))
              this.#options.viewers.accessChanged(row.partition, row.sequence);
          }
        }
        return;
      } catch (error) {
        this.#options.logger.error({ err: error }, "changes of access could not be followed; they are followed anew");
        await this.#listenAnew();
      }
    }
  }

  /** Forgets what was remembered, since a change of access may have been missed. */
  async #listenAnew(): Promise<void> {
    const workspaceIds = [...this.#sentinel.positions.keys()];
    for (const id of workspaceIds) this.#options.viewers.forget(id);
    this.#sentinel = this.#tailer.follow([], { signal: this.#end.signal });
    await pause(1000, undefined, { signal: this.#end.signal }).catch(() => undefined);
    await this.#guard(workspaceIds).catch(() => undefined);
  }
}

export function limitReached(limit: number): AppError {
  return new AppError(Reason.LIMIT_REACHED, { metadata: { limit: String(limit) } });
}
