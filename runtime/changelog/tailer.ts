/**
 * Follows the log as it grows: one per process and service. Woken after this process's commits, and once a second for
 * those of others. It keeps the newest rows of each followed partition in memory, so that many followers cost one read.
 * Followers pull: a slow one falls out of that memory and reads from the database instead, so memory stays bounded and
 * nothing is lost; one that is slower than the log is kept gets ChangesTrimmed.
 */
import type { Database } from "../db/database.ts";
import type { RuntimeTables } from "../db/entities.ts";
import type { Logger } from "../logger.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import { activeSpan } from "../telemetry/span.ts";
import { parseTraceparent } from "../telemetry/traceparent.ts";
import { CHANGES_SIGNAL } from "./append.ts";
import { type Change, ChangesTrimmed, heads, type Lag, lagOf, readChanges } from "./read.ts";

export interface TailerOptions {
  readonly db: Database<RuntimeTables>;
  readonly logger: Pick<Logger, "error">;
  /** How often to look for what other processes wrote, in milliseconds. Default: 1000. */
  readonly pollMs?: number;
  /** How many rows of each followed partition stay in memory. Default: 256. */
  readonly keep?: number;
  /** Where the slowest follower's lag is told, and what the followers are called there. Default: nowhere. */
  readonly metrics?: { readonly of: Metrics | undefined; readonly consumer: string };
}

export interface FollowOptions {
  /** Ends the following; the iteration then simply ends. */
  readonly signal: AbortSignal;
  /** The largest batch. Default: 200. */
  readonly batch?: number;
}

/** The newest rows of one partition, without holes, the last of them at `head`. */
interface Tail {
  head: number;
  recent: Change[];
  readonly followers: Set<Follower>;
}

export class Tailer implements AsyncDisposable {
  readonly #db: Database<RuntimeTables>;
  readonly #logger: Pick<Logger, "error">;
  readonly #keep: number;
  readonly #tails = new Map<string, Tail>();
  readonly #followers = new Set<Follower>();
  readonly #listening: Disposable;
  readonly #poll: NodeJS.Timeout;
  readonly #observing: Disposable | undefined;
  #stale = new Set<string>();
  #refreshing: Promise<void> | undefined;
  #ended = false;

  constructor({ db, logger, pollMs = 1_000, keep = 256, metrics }: TailerOptions) {
    this.#db = db;
    this.#logger = logger;
    this.#keep = keep;
    this.#listening = db.signals.listen(CHANGES_SIGNAL, (partitions) => this.#wake(partitions));
    this.#poll = setInterval(() => this.#wake(this.#tails.keys()), pollMs);
    this.#poll.unref();
    this.#observing = metrics?.of?.gauge(
      "docket.change.lag",
      { unit: "s", description: "How far the slowest reader is behind the log of changes." },
      () => [{ value: this.ageOfNext(Date.now()) / 1000, labels: { consumer: metrics.consumer } }],
    );
  }

  /**
   * Follows the log from these positions on (the last number dealt with, 0 = from the beginning). Iterate the result;
   * each batch is of one partition, in order, without holes. Iteration ends when the signal aborts or the tailer is
   * disposed, and throws ChangesTrimmed when a position is older than the log.
   */
  follow(positions: Iterable<readonly [string, number]>, { signal, batch = 200 }: FollowOptions): Follower {
    const follower = new Follower(this, batch);
    this.#followers.add(follower);
    for (const [partition, position] of positions) follower.add(partition, position);
    if (this.#ended || signal.aborted) follower.end();
    else signal.addEventListener("abort", () => follower.end(), { once: true, signal: follower.ended });
    return follower;
  }

  /** How many follow, and how far the slowest of them is behind. */
  async lag(): Promise<Lag & { readonly followers: number }> {
    const lags = await Promise.all([...this.#followers].map((follower) => follower.lag()));
    return {
      followers: lags.length,
      changes: Math.max(0, ...lags.map((lag) => lag.changes)),
      ageMs: Math.max(0, ...lags.map((lag) => lag.ageMs)),
    };
  }

  /**
   * How old the oldest change is that a follower has not taken, in milliseconds; asks no database. Of one that is too far
   * behind to be known, the age of the oldest in memory is told: it is at least that.
   */
  ageOfNext(now: number): number {
    let oldest = now;
    for (const { positions } of this.#followers) {
      for (const [partition, position] of positions) {
        const tail = this.#tails.get(partition);
        const [first] = tail?.recent ?? [];
        if (tail === undefined || first === undefined || position >= tail.head) continue;
        const next = tail.recent[Math.max(0, position + 1 - first.sequence)] ?? first;
        oldest = Math.min(oldest, next.occurredAt.getTime());
      }
    }
    return now - oldest;
  }

  /** Ends every follower's iteration. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended = true;
    this.#observing?.[Symbol.dispose]();
    clearInterval(this.#poll);
    this.#listening[Symbol.dispose]();
    for (const follower of [...this.#followers]) follower.end();
    await this.#refreshing;
  }

  /** @internal */
  attach(follower: Follower, partition: string): void {
    const tail = this.#tails.get(partition);
    if (tail === undefined) {
      this.#tails.set(partition, { head: 0, recent: [], followers: new Set([follower]) });
    } else {
      tail.followers.add(follower);
    }
    this.#wake([partition]);
  }

  /** @internal */
  detach(follower: Follower, partition: string): void {
    const tail = this.#tails.get(partition);
    tail?.followers.delete(follower);
    if (tail?.followers.size === 0) this.#tails.delete(partition);
  }

  /** @internal */
  forget(follower: Follower): void {
    this.#followers.delete(follower);
  }

  /** @internal The next changes after `position`, from memory or from the database; empty when there are none. */
  async next(partition: string, position: number, limit: number): Promise<Change[]> {
    const tail = this.#tails.get(partition);
    if (tail === undefined || position >= tail.head) return [];
    const oldest = tail.recent[0];
    if (oldest !== undefined && oldest.sequence <= position + 1) {
      const from = position + 1 - oldest.sequence;
      return tail.recent.slice(from, from + limit);
    }
    return readChanges(this.#db, partition, position, limit);
  }

  /** @internal How far these positions are behind. */
  lagOf(positions: ReadonlyMap<string, number>): Promise<Lag> {
    return lagOf(this.#db, positions);
  }

  #wake(partitions: Iterable<string>): void {
    for (const partition of partitions) if (this.#tails.has(partition)) this.#stale.add(partition);
    if (this.#stale.size === 0 || this.#ended || this.#refreshing !== undefined) return;
    this.#refreshing = this.#refresh().finally(() => {
      this.#refreshing = undefined;
      // A wake-up may have come after the last look.
      this.#wake([]);
    });
  }

  /** Goes on until nothing is stale: a wake-up during a reading means another reading. */
  async #refresh(): Promise<void> {
    while (this.#stale.size > 0 && !this.#ended) {
      const partitions = [...this.#stale];
      this.#stale = new Set();
      try {
        for (const [partition, head] of await heads(this.#db, partitions)) await this.#advance(partition, head);
      } catch (error) {
        // The next poll tries again.
        if (!this.#ended) this.#logger.error({ err: error }, "reading the change log failed");
      }
    }
  }

  async #advance(partition: string, head: number): Promise<void> {
    const tail = this.#tails.get(partition);
    if (tail === undefined || head <= tail.head) return;
    const known = tail.head;
    // A first look, or a great leap: the followers read it for themselves.
    const rows =
      known === 0 || head - known > this.#keep ? [] : await readChanges(this.#db, partition, known, head - known);
    if (rows.length === 0) {
      tail.recent = [];
      tail.head = head;
    } else {
      tail.recent = [...tail.recent, ...rows].slice(-this.#keep);
      tail.head = rows[rows.length - 1]?.sequence ?? head;
    }
    for (const follower of tail.followers) follower.wake();
  }
}

/** The stream under way had to do with the traces that made these changes. */
function linkTo(changes: readonly Change[]): void {
  const span = activeSpan();
  if (span?.sampled !== true) return;
  for (const trace of new Set(changes.map((change) => change.trace))) {
    const place = parseTraceparent(trace);
    if (place !== undefined) span.link(place);
  }
}

/** One reader's place in the log. */
export class Follower implements AsyncIterable<readonly Change[]> {
  readonly #tailer: Tailer;
  readonly #batch: number;
  readonly #positions = new Map<string, number>();
  readonly #end = new AbortController();
  #wakeUp: (() => void) | undefined;
  #woken = true;

  constructor(tailer: Tailer, batch: number) {
    this.#tailer = tailer;
    this.#batch = batch;
  }

  /** The last number that was handed out, per partition. */
  get positions(): ReadonlyMap<string, number> {
    return this.#positions;
  }

  /** Aborted when the following has ended. */
  get ended(): AbortSignal {
    return this.#end.signal;
  }

  /** Follows one more partition. */
  add(partition: string, position: number): void {
    this.#positions.set(partition, position);
    this.#tailer.attach(this, partition);
    this.wake();
  }

  /** Follows this partition no longer. */
  remove(partition: string): void {
    this.#positions.delete(partition);
    this.#tailer.detach(this, partition);
  }

  /** How far this reader is behind the log. */
  lag(): Promise<Lag> {
    return this.#tailer.lagOf(this.#positions);
  }

  /** Ends the iteration, now or at its next step. */
  end(): void {
    if (this.#end.signal.aborted) return;
    this.#end.abort();
    for (const partition of this.#positions.keys()) this.#tailer.detach(this, partition);
    this.#tailer.forget(this);
    this.wake();
  }

  /** @internal */
  wake(): void {
    this.#woken = true;
    this.#wakeUp?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<readonly Change[], void, undefined> {
    try {
      while (!this.ended.aborted) {
        this.#woken = false;
        for (const partition of [...this.#positions.keys()]) {
          const changes = await this.#take(partition);
          if (changes.length > 0) {
            // There may be more, and this one must not starve the other partitions.
            this.#woken = true;
            linkTo(changes);
            yield changes;
          }
          if (this.ended.aborted) return;
        }
        if (!this.#woken) await this.#untilWoken();
      }
    } finally {
      this.end();
    }
  }

  async #take(partition: string): Promise<readonly Change[]> {
    const position = this.#positions.get(partition);
    if (position === undefined) return [];
    const changes = await this.#tailer.next(partition, position, this.#batch);
    const first = changes[0];
    const last = changes[changes.length - 1];
    if (first === undefined || last === undefined || !this.#positions.has(partition)) return [];
    // Numbers have no holes, so a hole is what trimming left.
    if (first.sequence !== position + 1) throw new ChangesTrimmed(partition);
    this.#positions.set(partition, last.sequence);
    return changes;
  }

  #untilWoken(): Promise<void> {
    return new Promise((resolve) => {
      this.#wakeUp = () => {
        this.#wakeUp = undefined;
        resolve();
      };
    });
  }
}
