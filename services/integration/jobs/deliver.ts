// Delivers to one webhook what is due, a few at once, and notes what came of it. An attempt that was made but not noted, since
// the process died, is made again: the receiver knows it by its webhook-id.
import type { Clock } from "@docket/runtime/clock";
import { newId } from "@docket/runtime/ids";
import { enqueue } from "@docket/runtime/queue/queue";
import type { JobHandler } from "@docket/runtime/queue/worker";
import type { Sealer } from "@docket/runtime/vault";
import type { IntegrationConfig } from "../config.ts";
import { blockOf, nextAttempt } from "../domain/schedule.ts";
import { headersOf } from "../domain/signature.ts";
import type { Egress, Outcome } from "../egress/send.ts";
import type { Events } from "../events.ts";
import {
  type DeliveryRow,
  dueDeliveries,
  insertAttempt,
  nextDue,
  readBody,
  readDelivery,
  settleDelivery,
} from "../store/deliveries.ts";
import type { IntegrationDatabase, Query, Tables, Tx } from "../store/entities.ts";
import { liveSecrets, noteAttempt, noteRound, readWebhook, type WebhookRow } from "../store/webhooks.ts";
import { deliverJob } from "./deliver_job.ts";
import { disableWebhook } from "./disable.ts";

export interface DeliveringOptions {
  readonly db: IntegrationDatabase;
  readonly egress: Egress;
  readonly sealer: Sealer;
  readonly events: Events;
  readonly clock: Clock;
  readonly delivery: IntegrationConfig["delivery"];
}

/** How many deliveries for each of those under way are taken in one round; then others have their turn. */
const perSlot = 8;
/** How long a round goes on to take deliveries, in milliseconds: many slow receivers would keep all others waiting. */
const longestRoundMs = 2_000;

export function deliverHandler(options: DeliveringOptions): JobHandler<Tables> {
  const { db, clock, delivery } = options;
  return async (job, _, signal) => {
    const { webhookId } = job.payload as { webhookId: string };
    const webhook = await readWebhook(db.query, webhookId);
    const began = clock().getTime();
    if (webhook?.state === "active" && (webhook.blocked_until ?? 0) <= began) {
      const due = await dueDeliveries(db.query, webhookId, began, delivery.concurrency * perSlot);
      const { succeeded, failed } = await round(options, webhookId, due, signal);
      if (succeeded > 0 && (webhook.failed_rounds > 0 || webhook.blocked_until !== null)) {
        await db.transaction((tx) => noteRound(tx, webhookId, 0, null));
      } else if (succeeded === 0 && failed > 0) {
        const rounds = webhook.failed_rounds + 1;
        const until = clock().getTime() + blockOf(rounds, delivery.firstPauseMs, Math.random());
        await db.transaction((tx) => noteRound(tx, webhookId, rounds, until));
      }
    }
    await db.transaction(async (tx) => {
      const left = await readWebhook(tx, webhookId);
      const next = left?.state === "active" ? await nextDue(tx, webhookId) : undefined;
      if (next !== undefined) {
        // Never earlier than now: who has old deliveries waiting comes after those whose turn it is, not before them.
        const at = Math.max(next, left?.blocked_until ?? 0, clock().getTime());
        await enqueue(tx, deliverJob(webhookId, at), clock);
      }
      await job.complete(tx);
    });
  };
}

/** Tries some deliveries, a few at once. Where nothing succeeds at first, the rest is left for later. */
async function round(
  options: DeliveringOptions,
  webhookId: string,
  ids: readonly string[],
  signal: AbortSignal,
): Promise<{ succeeded: number; failed: number }> {
  const { clock } = options;
  const { concurrency } = options.delivery;
  const left = [...ids];
  const until = clock().getTime() + longestRoundMs;
  let succeeded = 0;
  let failed = 0;
  const work = async () => {
    while ((failed < concurrency || succeeded > 0) && clock().getTime() <= until) {
      const id = left.shift();
      if (id === undefined) return;
      signal.throwIfAborted();
      const taken = await tryDelivery(options, webhookId, id, signal);
      if (taken === undefined) continue;
      if (taken) succeeded += 1;
      else failed += 1;
    }
  };
  // All of them end before the job does.
  const ended = await Promise.allSettled(Array.from({ length: concurrency }, work));
  for (const one of ended) if (one.status === "rejected") throw one.reason;
  return { succeeded, failed };
}

/** Whether it was taken; undefined: there was nothing to do any more. */
async function tryDelivery(
  options: DeliveringOptions,
  webhookId: string,
  id: string,
  signal: AbortSignal,
): Promise<boolean | undefined> {
  const { db, clock, events } = options;
  // Read anew: it may have been paused, changed or removed during the round.
  const [webhook, delivery] = await Promise.all([
    readWebhook(db.query, webhookId),
    readDelivery(db.query, webhookId, id),
  ]);
  if (webhook?.state !== "active" || delivery?.state !== "waiting") return undefined;
  const at = clock().getTime();
  const outcome = await sendOnce(options, db.query, webhook, delivery, signal);
  // Cut short by us, not by the receiver.
  signal.throwIfAborted();
  const ms = Math.max(0, clock().getTime() - at);
  const noted = await db.transaction((tx) => note(tx, options, webhook, delivery, { outcome, at, ms }));
  events.attempted(webhookId, id, outcome.failure, outcome.status, ms);
  if (noted?.parked) events.parked(webhookId, id);
  if (noted?.disabled !== undefined) events.webhookDisabled(webhookId, noted.disabled);
  return outcome.failure === undefined;
}

/** Makes one attempt, signed with all live secrets. */
export async function sendOnce(
  { egress, sealer, events, clock }: Pick<DeliveringOptions, "egress" | "sealer" | "events" | "clock">,
  query: Query,
  webhook: WebhookRow,
  { id, message_id }: Pick<DeliveryRow, "id" | "message_id">,
  signal?: AbortSignal,
  given?: string,
): Promise<Outcome> {
  const now = clock().getTime();
  const body = given ?? (await readBody(query, message_id)) ?? "";
  const rows = await liveSecrets(query, [webhook.id], now);
  const secrets = rows.map(({ sealed }) => sealer.open(sealed));
  const opened = secrets.filter((secret) => secret !== undefined);
  if (opened.length === 0) {
    // Nothing is ever sent unsigned.
    events.secretsUnreadable(webhook.id);
    throw new Error("the webhook's secrets cannot be opened");
  }
  const headers = headersOf({ id, timestamp: Math.floor(now / 1000), body }, opened);
  return egress.send({ url: webhook.url, headers, body }, signal);
}

interface Made {
  readonly outcome: Outcome;
  readonly at: number;
  readonly ms: number;
}

/** Notes an attempt with what follows from it; undefined when the delivery is no longer as it was read. */
async function note(
  tx: Tx,
  { delivery: settings, clock }: DeliveringOptions,
  webhook: WebhookRow,
  delivery: DeliveryRow,
  made: Made,
): Promise<{ readonly parked: boolean; readonly disabled?: string } | undefined> {
  const now = clock().getTime();
  const { failure, status, retryAfterMs } = made.outcome;
  const asked = status === 429 || status === 503 ? retryAfterMs : undefined;
  const attempts = delivery.attempts + 1;
  const failed = { attempts, now, retryUntil: delivery.retry_until, retryAfterMs: asked };
  const again = failure === undefined ? undefined : nextAttempt(failed, settings.firstPauseMs, Math.random());
  const state = failure === undefined ? "delivered" : again === undefined ? "parked" : "waiting";
  if (!(await settleDelivery(tx, delivery, state, again ?? now))) return undefined;
  await insertAttempt(tx, attemptOf(delivery, made));
  await noteAttempt(tx, webhook.id, failure === undefined, now);
  if (failure === undefined) return { parked: false };
  const since = webhook.failing_since ?? now;
  const reason = status === 410 ? "gone" : now - since >= settings.disableMs ? "failing" : undefined;
  if (reason === undefined) return { parked: state === "parked" };
  const present = await readWebhook(tx, webhook.id);
  const disabled = present !== undefined && (await disableWebhook(tx, present, reason, now));
  return { parked: true, ...(disabled && { disabled: reason }) };
}

/** An attempt as it is kept: never a header, since those hold signatures. */
export function attemptOf({ webhook_id, id }: Pick<DeliveryRow, "webhook_id" | "id">, { outcome, at, ms }: Made) {
  const { status, failure = null, answer } = outcome;
  return { webhook_id, delivery_id: id, id: newId(), at, ms: Math.round(ms), status, failure, answer };
}
