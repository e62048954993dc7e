// Makes deliveries of changes, in the transaction that moves the workspace's place on: each change becomes one delivery for each
// webhook that wants it, whatever happens in between and however many processes follow.
import { create, fromBinary, toJsonString } from "@bufbuild/protobuf";
import {
  type Change,
  type ChangeFilter,
  ChangeFilterSchema,
  ChangeSchema,
} from "@docket/contracts/gen/docket/document/v1/change_pb.ts";
import type { Clock } from "@docket/runtime/clock";
import { enqueue } from "@docket/runtime/queue/queue";
import { wants } from "../domain/filter.ts";
import { deliveryIdOf } from "../domain/signature.ts";
import { disableWebhook } from "../jobs/disable.ts";
import { deliverJob } from "../jobs/deliver_job.ts";
import type { Events } from "../events.ts";
import {
  countDeliveries,
  type DeliveryRow,
  insertDeliveries,
  insertMessages,
  type MessageRow,
} from "../store/deliveries.ts";
import type { IntegrationDatabase, Tx } from "../store/entities.ts";
import { moveFeed, readFeed } from "../store/feeds.ts";
import { beginEarlier, noteMissed, type WebhookRow, webhooksOf } from "../store/webhooks.ts";

/** Another process has moved the place on in the same moment. */
export class PlaceMoved extends Error {
  override readonly name = "PlaceMoved";
}

export interface FanOutOptions {
  readonly db: IntegrationDatabase;
  readonly events: Events;
  readonly clock: Clock;
  /** How long a delivery is tried, in milliseconds. */
  readonly retryMs: number;
  readonly mostWaiting: number;
}

/** Some changes of one workspace, in order. */
export interface Batch {
  readonly workspaceId: string;
  readonly changes: readonly Change[];
  /** The place after them. */
  readonly place: number;
  /** The place that was asked for, if changes between it and these are lost; undefined: none are. */
  readonly lostFrom: number | undefined;
}

/** Makes the deliveries. What was made before is not made again. Throws PlaceMoved: read the place again. */
export async function fanOut(options: FanOutOptions, batch: Batch): Promise<void> {
  const { db, events, clock } = options;
  const { workspaceId, place, lostFrom } = batch;
  const gap = lostFrom !== undefined;
  const now = clock().getTime();
  const disabled = await db.transaction(async (tx) => {
    const known = await readFeed(tx, workspaceId);
    // Its last webhook has been removed, or another process was faster.
    if (known === undefined || (gap ? known !== lostFrom : known >= place)) return [];
    if (!(await moveFeed(tx, workspaceId, known, place))) throw new PlaceMoved();
    const webhooks = await webhooksOf(tx, workspaceId).execute();
    if (gap) {
      const ids = webhooks.map(({ id }) => id);
      await noteMissed(tx, ids, now);
      // Numbers begin again from an earlier one where the log was restored from a backup.
      if (place < known) await beginEarlier(tx, workspaceId, place);
    }
    return deliver(
      tx,
      options,
      webhooks,
      batch.changes.filter(({ sequence }) => sequence > known),
      now,
    );
  });
  if (gap) events.gap(workspaceId);
  for (const id of disabled) events.webhookDisabled(id, "backlog");
}

/** Answers the webhooks that had to be disabled. */
async function deliver(
  tx: Tx,
  options: FanOutOptions,
  webhooks: readonly WebhookRow[],
  changes: readonly Change[],
  now: number,
): Promise<string[]> {
  const wanted = new Set<Change>();
  const deliveries: DeliveryRow[] = [];
  const missing: string[] = [];
  const told: WebhookRow[] = [];
  for (const webhook of webhooks) {
    const filter = fromBinary(ChangeFilterSchema, webhook.filter);
    const theirs = changes.filter((change) => isFor(webhook, filter, change));
    if (theirs.length === 0) continue;
    if (webhook.state === "disabled") {
      missing.push(webhook.id);
      continue;
    }
    told.push(webhook);
    for (const change of theirs) {
      wanted.add(change);
      deliveries.push(deliveryOf(webhook.id, change.id, now, now + options.retryMs));
    }
  }
  await insertMessages(
    tx,
    [...wanted].map((change) => messageOf(change, now)),
  );
  await insertDeliveries(tx, deliveries);
  await noteMissed(tx, missing, now);
  const disabled: string[] = [];
  for (const webhook of told) {
    if (await isOverfull(tx, webhook, options.mostWaiting)) {
      if (await disableWebhook(tx, webhook, "backlog", now)) disabled.push(webhook.id);
    } else if (webhook.state === "active") {
      await enqueue(tx, deliverJob(webhook.id, Math.max(now, webhook.blocked_until ?? 0)), options.clock);
    }
  }
  return disabled;
}

function isFor(webhook: WebhookRow, filter: ChangeFilter, change: Change): boolean {
  return Number(change.sequence) > webhook.since && wants(filter, change);
}

/** Also of one that takes everything, but more slowly than it comes. */
async function isOverfull(tx: Tx, webhook: WebhookRow, most: number): Promise<boolean> {
  return (await countDeliveries(tx, webhook.id, "waiting", most + 1)) > most;
}

/** A delivery that is due now. */
export function deliveryOf(webhookId: string, messageId: string, now: number, retryUntil: number): DeliveryRow {
  return {
    webhook_id: webhookId,
    id: deliveryIdOf(webhookId, messageId),
    message_id: messageId,
    state: "waiting",
    attempts: 0,
    created_at: now,
    retry_until: retryUntil,
    due_at: now,
  };
}

/** A change as the body of deliveries: its canonical JSON. */
export function messageOf(change: Change, now: number): MessageRow {
  return {
    id: change.id,
    workspace_id: change.workspaceId,
    kind: change.kind,
    sequence: Number(change.sequence),
    body: toJsonString(ChangeSchema, create(ChangeSchema, change)),
    created_at: now,
  };
}
