// WebhookService: pings, the log of deliveries, and sending again.
import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { ServiceImpl } from "@connectrpc/connect";
import { ChangeKind, ChangeSchema } from "@docket/contracts/gen/docket/document/v1/change_pb.ts";
import type { WebhookService } from "@docket/contracts/gen/docket/integration/v1/webhook_service_pb.ts";
import { openPage, selectPage } from "@docket/runtime/db/page";
import { newId } from "@docket/runtime/ids";
import { enqueue } from "@docket/runtime/queue/queue";
import { deliveryOf, messageOf } from "../following/fan_out.ts";
import { attemptOf, sendOnce } from "../jobs/deliver.ts";
import { deliverJob } from "../jobs/deliver_job.ts";
import {
  attemptsOf,
  type DeliveryState,
  insertAttempt,
  insertDeliveries,
  insertMessages,
  listedDeliveries,
  readBody,
  sendAgain,
} from "../store/deliveries.ts";
import { noteRound } from "../store/webhooks.ts";
import { type Deps, deliveryOfWebhook, webhookOf } from "./deps.ts";
import { attemptMessage, deliveryMessage, deliveryStates } from "./messages.ts";

/** How many attempts of a delivery are told. */
const mostAttempts = 100;

type Handlers = Pick<
  ServiceImpl<typeof WebhookService>,
  "pingWebhook" | "listDeliveries" | "getDelivery" | "redeliverDelivery"
>;

export function deliveryHandlers(deps: Deps): Handlers {
  const { db, clock, delivery: settings } = deps;

  return {
    async pingWebhook({ webhookId }, { signal }) {
      const webhook = await webhookOf(db.query, webhookId);
      const at = clock().getTime();
      const { workspace_id: workspaceId } = webhook;
      const ping = { id: newId(), workspaceId, time: timestampFromMs(at), kind: ChangeKind.PING };
      const message = messageOf(create(ChangeSchema, ping), at);
      const delivery = deliveryOf(webhookId, message.id, at, at);
      const outcome = await sendOnce(deps, db.query, webhook, delivery, signal, message.body);
      const now = clock().getTime();
      const state: DeliveryState = outcome.failure === undefined ? "delivered" : "parked";
      const ended = { ...delivery, state, attempts: 1, due_at: now };
      const attempt = attemptOf(delivery, { outcome, at, ms: Math.max(0, now - at) });
      await db.transaction(async (tx) => {
        await webhookOf(tx, webhookId);
        await insertMessages(tx, [message]);
        await insertDeliveries(tx, [ended]);
        await insertAttempt(tx, attempt);
      });
      return { delivery: deliveryMessage({ ...ended, kind: message.kind, sequence: message.sequence }, attempt) };
    },

    async listDeliveries(request) {
      const { webhookId } = request;
      const state = Object.entries(deliveryStates).find(([, value]) => value === request.state)?.[0];
      const page = openPage(request, { webhookId, state });
      let query = listedDeliveries(db.query, webhookId);
      if (state !== undefined) query = query.where("delivery.state", "=", state);
      const key = ["delivery.created_at", "delivery.id"];
      const { rows, nextPageToken } = await selectPage(query, page, key, "desc");
      const ids = rows.map(({ id }) => id);
      const attempts = Map.groupBy(await attemptsOf(db.query, webhookId, ids), ({ delivery_id }) => delivery_id);
      return { deliveries: rows.map((row) => deliveryMessage(row, attempts.get(row.id)?.[0])), nextPageToken };
    },

    async getDelivery({ webhookId, deliveryId }) {
      const row = await deliveryOfWebhook(db.query, webhookId, deliveryId);
      const attempts = await attemptsOf(db.query, webhookId, [row.id], mostAttempts);
      const body = (await readBody(db.query, row.message_id)) ?? "";
      return { delivery: deliveryMessage(row, attempts[0]), body, attempts: attempts.map(attemptMessage) };
    },

    async redeliverDelivery({ webhookId, deliveryId }) {
      const now = clock().getTime();
      const delivery = await db.transaction(async (tx) => {
        const webhook = await webhookOf(tx, webhookId);
        const { id } = await deliveryOfWebhook(tx, webhookId, deliveryId);
        await sendAgain(tx, webhookId, [id], now, now + settings.retryMs);
        if (webhook.state === "active") {
          // Somebody has mended the receiver, or would like to see.
          await noteRound(tx, webhookId, 0, null);
          await enqueue(tx, deliverJob(webhookId, now), clock);
        }
        const [last] = await attemptsOf(tx, webhookId, [id], 1);
        return deliveryMessage(await deliveryOfWebhook(tx, webhookId, id), last);
      });
      return { delivery };
    },
  };
}
