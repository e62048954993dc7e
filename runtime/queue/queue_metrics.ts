// How full a service's queue is, for whoever looks at its metrics. Asked of the database when somebody looks, and not more
// often than every few seconds: all jobs that exist are work that is not done, so there are few to count.

import type { Database } from "../db/database.ts";
import type { RuntimeTables } from "../db/entities.ts";
import { detached } from "../telemetry/span.ts";
import type { Metrics, Observation } from "../telemetry/metrics.ts";
import { type JobState, type QueueDepth, queueDepth } from "./queue.ts";

/** How long an answer is good for, in milliseconds. */
const freshMs = 5_000;

const states: readonly JobState[] = ["pending", "running", "dead"];

/** Tells until disposed; `kinds` are told of even when there are none. */
export function observeQueue(metrics: Metrics, db: Database<RuntimeTables>, kinds: readonly string[]): Disposable {
  const parts = new DisposableStack();
  let asked: { readonly at: number; readonly depths: Promise<QueueDepth[]> } | undefined;
  const depths = () => {
    if (asked === undefined || performance.now() - asked.at > freshMs) {
      const answer = detached(() => queueDepth(db));
      asked = { at: performance.now(), depths: answer };
      // One that fails is asked for again at the next look.
      answer.catch(() => {
        asked = undefined;
      });
    }
    return asked.depths;
  };
  parts.use(
    metrics.gauge("docket.queue.jobs", { unit: "{job}", description: "Jobs that are not done." }, async () =>
      countsOf(await depths(), kinds),
    ),
  );
  parts.use(
    metrics.gauge(
      "docket.queue.oldest",
      { unit: "s", description: "How long the oldest pending job is overdue." },
      async () => overdueOf(await depths(), kinds, Date.now()),
    ),
  );
  return parts;
}

function countsOf(depths: readonly QueueDepth[], known: readonly string[]): Observation[] {
  const counts = new Map(depths.map(({ kind, state, count }) => [`${kind} ${state}`, count]));
  return all(depths, known).flatMap((queue) =>
    states.map((state) => ({ value: counts.get(`${queue} ${state}`) ?? 0, labels: { queue, state } })),
  );
}

function overdueOf(depths: readonly QueueDepth[], known: readonly string[], now: number): Observation[] {
  const pending = new Map(depths.filter(({ state }) => state === "pending").map((one) => [one.kind, one.oldest]));
  return all(depths, known).map((queue) => {
    const oldest = pending.get(queue);
    return { value: oldest === undefined ? 0 : Math.max(0, now - oldest.getTime()) / 1000, labels: { queue } };
  });
}

function all(depths: readonly QueueDepth[], known: readonly string[]): string[] {
  return [...new Set([...known, ...depths.map(({ kind }) => kind)])];
}
