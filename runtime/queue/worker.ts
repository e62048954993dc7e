/**
 * Runs the jobs of a service's queue. Several processes may: each claims with a lease, prolongs it while it works, and
 * takes over what others left when they died. Failed jobs come back with growing, jittered pauses, then are dead letters.
 */
import type { Transaction } from "kysely";
import { type Clock, systemClock } from "../clock.ts";
import type { Database } from "../db/database.ts";
import type { RuntimeTables } from "../db/entities.ts";
import { isUniqueViolation } from "../db/errors.ts";
import { afterCommit } from "../db/transaction.ts";
import { newId } from "../ids.ts";
import type { Logger } from "../logger.ts";
import { jobBounds } from "../telemetry/bounds.ts";
import type { Histogram } from "../telemetry/metrics.ts";
import { activeSpan, detached, errorType, within } from "../telemetry/span.ts";
import type { Telemetry } from "../telemetry/telemetry.ts";
import { parseTraceparent } from "../telemetry/traceparent.ts";
import { type DatabaseClock, databaseClock } from "./database_clock.ts";
import { bury, type Claimed, claimJobs, finish, JobLost, prolong, putBack } from "./lease.ts";
import { JOBS_SIGNAL } from "./queue.ts";
import { observeQueue } from "./queue_metrics.ts";

export { JobLost } from "./lease.ts";

const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 60 * 60 * 1_000;
const ERROR_CHARACTERS = 1_000;
/** Periodic jobs never die. */
const ENDLESS_ATTEMPTS = 2 ** 31 - 1;

/** A job that runs. */
export interface Job<Tables> {
  readonly id: string;
  readonly kind: string;
  /** What `enqueue` was given, through JSON. */
  readonly payload: unknown;
  /** 1 at the first try. */
  readonly attempt: number;
  /** Grows with each claim: hand it to systems outside, so that they refuse an older holder. */
  readonly fencingToken: number;
  /**
   * Marks the job done in a transaction of the handler's, as its last statement: effect and completion are one. Throws
   * JobLost when another worker has it by now, which rolls the effect back. Without it, the job is done when the
   * handler returns, and the effect must bear a repetition.
   */
  complete(tx: Transaction<Tables>): Promise<void>;
}

/** Does one job. What it throws is tried again later; `signal` aborts when the lease is lost or the process ends. */
export type JobHandler<Tables> = (job: Job<Tables>, db: Database<Tables>, signal: AbortSignal) => Promise<void>;

export type JobHandlers<Tables> = Readonly<Record<string, JobHandler<Tables>>>;

/** Thrown by a handler: trying again cannot help, the job is dead at once. */
export class JobHopeless extends Error {
  override readonly name = "JobHopeless";
}

export interface PeriodicJob<Tables> {
  /**
   * From the end of one run to the next, in milliseconds. One run at a time over all processes; runs that were missed,
   * because no worker ran, are made up for by one.
   */
  readonly everyMs: number;
  readonly run: JobHandler<Tables>;
}

export interface WorkerOptions<Tables> {
  readonly db: Database<Tables>;
  readonly handlers: JobHandlers<Tables>;
  /** Work that comes back by itself, by kind. The first run is within a tenth of its period. */
  readonly periodic?: Readonly<Record<string, PeriodicJob<Tables>>>;
  readonly logger: Pick<Logger, "debug" | "info" | "warn" | "error">;
  /** Jobs at once in this process. Default: 4. */
  readonly concurrency?: number;
  /** After how long without a sign of life others take the job, in milliseconds. Default: 30,000. */
  readonly leaseMs?: number;
  /** How often to look for due jobs, in milliseconds; those of this process's commits are seen at once. Default: 1000. */
  readonly pollMs?: number;
  /** How long disposal waits for running jobs before it aborts them, and then once more, in milliseconds. Default: 10,000. */
  readonly drainMs?: number;
  readonly now?: Clock;
  /** Where jobs are traced and counted. Default: nowhere. */
  readonly telemetry?: Telemetry | undefined;
}

/** How a run of a job ended. */
type Outcome = "done" | "failed" | "dead" | "lost" | "put back";

interface Running {
  readonly job: Claimed;
  readonly abort: AbortController;
  done: Promise<void>;
}

/** Starts running jobs until disposed. */
export function startWorker<Tables extends RuntimeTables>(options: WorkerOptions<Tables>): AsyncDisposable {
  const worker = new Worker(options as unknown as WorkerOptions<RuntimeTables>);
  worker.start();
  return worker;
}

class Worker implements AsyncDisposable {
  readonly #db: Database<RuntimeTables>;
  readonly #handlers: ReadonlyMap<string, JobHandler<RuntimeTables>>;
  readonly #periodic: ReadonlyMap<string, PeriodicJob<RuntimeTables>>;
  readonly #logger: WorkerOptions<RuntimeTables>["logger"];
  readonly #concurrency: number;
  readonly #leaseMs: number;
  readonly #pollMs: number;
  readonly #drainMs: number;
  readonly #clock: DatabaseClock;
  readonly #now: Clock;
  readonly #running = new Map<string, Running>();
  readonly #timers: NodeJS.Timeout[] = [];
  readonly #telemetry: Telemetry | undefined;
  readonly #durations: Histogram | undefined;
  #observing: Disposable | undefined;
  #listening: Disposable | undefined;
  #claiming: Promise<void> | undefined;
  #woken = false;
  #periodicEnsured = false;
  #ending = false;

  constructor(options: WorkerOptions<RuntimeTables>) {
    const periodic = Object.entries(options.periodic ?? {});
    this.#db = options.db;
    this.#periodic = new Map(periodic);
    this.#handlers = new Map([
      ...Object.entries(options.handlers),
      ...periodic.map(([kind, { run }]) => [kind, run] as const),
    ]);
    this.#logger = options.logger;
    this.#concurrency = options.concurrency ?? 4;
    this.#leaseMs = options.leaseMs ?? 30_000;
    this.#pollMs = options.pollMs ?? 1_000;
    this.#drainMs = options.drainMs ?? 10_000;
    this.#clock = databaseClock(this.#db, options.now ?? systemClock, this.#logger);
    this.#now = this.#clock.now;
    this.#telemetry = options.telemetry;
    this.#durations = options.telemetry?.metrics?.histogram("docket.job.duration", {
      unit: "s",
      description: "Runs of jobs.",
      bounds: jobBounds,
    });
  }

  start(): void {
    if (this.#handlers.size === 0) return;
    const { metrics } = this.#telemetry ?? {};
    if (metrics !== undefined) {
      const kinds = [...this.#handlers.keys()];
      this.#observing = observeQueue(metrics, this.#db, kinds);
      for (const queue of kinds) this.#durations?.series({ queue, outcome: "done" });
    }
    this.#listening = this.#db.signals.listen(JOBS_SIGNAL, () => this.#wake());
    this.#timers.push(
      setInterval(() => this.#wake(), this.#pollMs).unref(),
      setInterval(() => void this.#heartbeat(), this.#leaseMs / 3).unref(),
    );
    this.#wake();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ending = true;
    this.#listening?.[Symbol.dispose]();
    this.#observing?.[Symbol.dispose]();
    await this.#claiming;
    // The heartbeat goes on until the last job has ended.
    if (!(await this.#ended())) {
      for (const { abort } of this.#running.values()) abort.abort(new Error("the process ends"));
      if (!(await this.#ended())) {
        this.#logger.error({ jobs: [...this.#running.keys()] }, "jobs did not end when told to; their leases run out");
      }
    }
    for (const timer of this.#timers) clearInterval(timer);
  }

  /** Whether all running jobs end within the time to drain. */
  async #ended(): Promise<boolean> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<false>((resolve) => {
      timer = setTimeout(resolve, this.#drainMs, false);
    });
    const all = Promise.all([...this.#running.values()].map((running) => running.done)).then(() => true as const);
    const ended = await Promise.race([all, late]);
    clearTimeout(timer);
    return ended;
  }

  #wake(): void {
    this.#woken = true;
    if (this.#ending || this.#claiming !== undefined) return;
    // Looking for jobs is no part of the request whose commit woke this.
    this.#claiming = detached(() => this.#claim()).finally(() => {
      this.#claiming = undefined;
      // A wake-up may have come after the last look.
      if (this.#woken && this.#running.size < this.#concurrency) this.#wake();
    });
  }

  async #claim(): Promise<void> {
    try {
      await this.#ensurePeriodic();
      await this.#clock.compare();
      while (this.#woken && !this.#ending) {
        this.#woken = false;
        const free = this.#concurrency - this.#running.size;
        if (free <= 0) return;
        const kinds = [...this.#handlers.keys()];
        const jobs = await claimJobs(this.#db, kinds, free, this.#now().getTime(), this.#leaseMs);
        for (const job of jobs) this.#begin(job);
        if (jobs.length === free) this.#woken = true;
      }
    } catch (error) {
      // The next poll tries again.
      this.#logger.error({ err: error }, "claiming jobs failed");
    }
  }

  async #ensurePeriodic(): Promise<void> {
    if (this.#periodicEnsured) return;
    for (const [kind, { everyMs }] of this.#periodic) {
      const now = this.#now().getTime();
      try {
        await this.#db.query
          .insertInto("job")
          .values({
            id: newId(),
            kind,
            unique_key: "periodic",
            payload: "null",
            state: "pending",
            run_at: Math.round(now + Math.random() * (everyMs / 10)),
            max_attempts: ENDLESS_ATTEMPTS,
            created_at: now,
          })
          .execute();
      } catch (error) {
        // It is there already, from an earlier start or another process.
        if (!isUniqueViolation(error)) throw error;
        await this.#bringForward(kind, everyMs);
      }
    }
    this.#periodicEnsured = true;
  }

  /** A period that was made shorter holds from now on, and not only after the longer one. */
  async #bringForward(kind: string, everyMs: number): Promise<void> {
    const latest = this.#now().getTime() + everyMs;
    await this.#db.query
      .updateTable("job")
      .set({ run_at: latest })
      .where("kind", "=", kind)
      .where("unique_key", "=", "periodic")
      .where("state", "=", "pending")
      .where("run_at", ">", latest)
      .execute();
  }

  #begin(job: Claimed): void {
    const running: Running = { job, abort: new AbortController(), done: Promise.resolve() };
    this.#running.set(job.id, running);
    running.done = this.#watched(running).finally(() => {
      this.#running.delete(job.id);
      this.#wake();
    });
  }

  /** A trace of its own for each run. */
  async #watched(running: Running): Promise<void> {
    const { kind, attempt, trace } = running.job;
    const askedFor = parseTraceparent(trace);
    const started = performance.now();
    const span = this.#telemetry?.tracing?.start(`job ${kind}`, "consumer", {
      attributes: { "messaging.operation.type": "process", "docket.queue": kind, "docket.attempt": attempt },
      ...(askedFor && { links: [askedFor] }),
    });
    const outcome = await within(span, () => this.#run(running));
    const seconds = (performance.now() - started) / 1000;
    this.#durations?.series({ queue: kind, outcome: outcome.replace(" ", "_") }).record(seconds, span);
    if (span === undefined) return;
    span.set({ "docket.outcome": outcome });
    span.end();
  }

  async #run({ job, abort }: Running): Promise<Outcome> {
    const fields = { job: job.id, kind: job.kind, attempt: job.attempt };
    let completed = false;
    const complete = async (tx: Transaction<RuntimeTables>): Promise<void> => {
      await finish(tx, job, this.#nextRunAt(job));
      afterCommit(tx, () => {
        completed = true;
      });
    };
    try {
      const handler = this.#handlers.get(job.kind);
      if (handler === undefined) throw new Error(`no handler for ${job.kind}`);
      await handler(
        {
          id: job.id,
          kind: job.kind,
          payload: JSON.parse(job.payload) as unknown,
          attempt: job.attempt,
          fencingToken: job.token,
          complete,
        },
        this.#db,
        abort.signal,
      );
      if (!completed) await this.#db.transaction(complete);
      this.#logger.debug(fields, "job done");
      return "done";
    } catch (error) {
      activeSpan()?.fail(errorType(error));
      return await this.#failed(job, abort.signal, error, fields);
    }
  }

  async #failed(job: Claimed, signal: AbortSignal, error: unknown, fields: object): Promise<Outcome> {
    const { name, message } = error as { name?: string; message?: string };
    const now = this.#now().getTime();
    const lastError = (message ?? String(error)).slice(0, ERROR_CHARACTERS);
    try {
      if (name === "JobLost") {
        this.#logger.warn(fields, "job was taken over by another worker");
        return "lost";
      }
      if (this.#ending && signal.aborted) {
        await putBack(this.#db, job, { runAt: now, uncounted: true });
        return "put back";
      }
      if (this.#isHopeless(job, name)) {
        await bury(this.#db.query, job.id, job.token, lastError, now);
        this.#logger.error({ ...fields, err: error }, "job is dead");
        return "dead";
      }
      const pauseMs = this.#pauseOf(job);
      await putBack(this.#db, job, { runAt: now + pauseMs, lastError });
      this.#logger.warn({ ...fields, err: error, pause_ms: pauseMs }, "job failed; it is tried again");
    } catch (failure) {
      // The lease runs out, and the job comes back by itself.
      this.#logger.error({ ...fields, err: failure }, "a job's failure could not be noted");
    }
    return "failed";
  }

  /** Periodic jobs never are: the next run may find another world. */
  #isHopeless(job: Claimed, error: string | undefined): boolean {
    return !this.#periodic.has(job.kind) && (error === "JobHopeless" || job.attempt >= job.maxAttempts);
  }

  #nextRunAt(job: Claimed): number | undefined {
    const periodic = this.#periodic.get(job.kind);
    return periodic === undefined ? undefined : this.#now().getTime() + periodic.everyMs;
  }

  /** 1 s, 2 s, 4 s … up to an hour, or to a periodic job's period, each between half and all of it. */
  #pauseOf(job: Claimed): number {
    const longest = this.#periodic.get(job.kind)?.everyMs ?? LONGEST_PAUSE_MS;
    const pause = Math.min(longest, FIRST_PAUSE_MS * 2 ** Math.min(job.attempt - 1, 20));
    return Math.round(pause * (0.5 + Math.random() / 2));
  }

  async #heartbeat(): Promise<void> {
    for (const { job, abort } of [...this.#running.values()]) {
      try {
        const until = this.#now().getTime() + this.#leaseMs;
        const kept = await prolong(this.#db, job, until);
        if (!kept && this.#running.has(job.id)) abort.abort(new JobLost(job.id));
      } catch (error) {
        this.#logger.warn({ job: job.id, err: error }, "a job's lease could not be prolonged");
      }
    }
  }
}
