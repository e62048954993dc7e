// The handlers of all jobs, and what comes back by itself.
import { forgetRequests, REQUEST_RECORD_LIFE_MS } from "@docket/runtime/db/request_record";
import { enqueue } from "@docket/runtime/queue/queue";
import type { JobHandler, JobHandlers, PeriodicJob } from "@docket/runtime/queue/worker";
import { removeDeliveries, removeEnded, removeUnneededMessages, webhooksWithDue } from "../store/deliveries.ts";
import type { IntegrationDatabase, Tables, Tx } from "../store/entities.ts";
import { removeExpiredSecrets } from "../store/webhooks.ts";
import { type DeliveringOptions, deliverHandler } from "./deliver.ts";
import { deliverJob, deliverKind, removeKind } from "./deliver_job.ts";

/** The handlers by kind of job. */
export function jobHandlers(options: DeliveringOptions): JobHandlers<Tables> {
  return { [deliverKind]: deliverHandler(options), [removeKind]: removeHandler(options.db) };
}

const hour = 3_600_000;
/** How often webhooks are looked for whose deliveries nobody sends, because a job was lost or is dead. */
const wakeMs = 30_000;

export function housekeeping({ db, clock, delivery }: DeliveringOptions): Record<string, PeriodicJob<Tables>> {
  const before = (ms: number) => clock().getTime() - ms;
  const every = (everyMs: number, run: () => Promise<unknown>): PeriodicJob<Tables> => ({
    everyMs,
    run: async () => void (await run()),
  });
  return {
    wake_webhooks: every(wakeMs, () => wakeWebhooks(db, clock().getTime())),
    trim_deliveries: every(hour, async () => {
      await untilNone(db, (tx) => removeEnded(tx, before(delivery.keptMs)));
      await untilNone(db, (tx) => removeUnneededMessages(tx, before(delivery.keptMs)));
    }),
    forget_secrets: every(hour, () => removeExpiredSecrets(db.query, clock().getTime())),
    forget_requests: every(hour, () => forgetRequests(db, new Date(before(REQUEST_RECORD_LIFE_MS)))),
  };
}

/** Asks for the deliveries of every webhook for which some are due. */
export async function wakeWebhooks(db: IntegrationDatabase, now: number): Promise<void> {
  for (const id of await webhooksWithDue(db.query, now)) {
    await db.transaction((tx) => enqueue(tx, deliverJob(id, now), () => new Date(now)));
  }
}

/** Removes what a webhook leaves behind. */
function removeHandler(db: IntegrationDatabase): JobHandler<Tables> {
  return async (job, _, signal) => {
    const { webhookId } = job.payload as { webhookId: string };
    await untilNone(db, (tx) => removeDeliveries(tx, webhookId), signal);
  };
}

/** Runs short transactions until one has found nothing. */
async function untilNone(
  db: IntegrationDatabase,
  run: (tx: Tx) => Promise<number>,
  signal?: AbortSignal,
): Promise<void> {
  while ((await db.transaction(run)) > 0) signal?.throwIfAborted();
}
