// WebhookService: the webhooks themselves.
import { create, toBinary } from "@bufbuild/protobuf";
import type { ServiceImpl } from "@connectrpc/connect";
import { type ChangeFilter, ChangeFilterSchema } from "@docket/contracts/gen/docket/document/v1/change_pb.ts";
import { Reason } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import {
  CreateWebhookResponseSchema,
  WebhookService,
} from "@docket/contracts/gen/docket/integration/v1/webhook_service_pb.ts";
import { subjectOf } from "@docket/runtime/call";
import { openPage, selectPage } from "@docket/runtime/db/page";
import { idempotent } from "@docket/runtime/db/request_record";
import { AppError } from "@docket/runtime/errors";
import { newId } from "@docket/runtime/ids";
import { enqueue } from "@docket/runtime/queue/queue";
import { checkEtag } from "../domain/revision.ts";
import { deliverJob, removeJob } from "../jobs/deliver_job.ts";
import { dueNow, parkedDeliveries, sendAgain } from "../store/deliveries.ts";
import type { Tx } from "../store/entities.ts";
import { beginFeed, endFeed } from "../store/feeds.ts";
import {
  countWebhooks,
  insertWebhook,
  removeWebhook,
  updateWebhook,
  type WebhookChange,
  type WebhookRow,
  webhooksOf,
} from "../store/webhooks.ts";
import { actorOf, checkUrl, type Deps, webhookOf } from "./deps.ts";
import { deliveryHandlers } from "./deliveries.ts";
import { webhookMessage, webhookMessages } from "./messages.ts";
import { addSecret, secretHandlers, shownOnce } from "./secrets.ts";

/** How many parked deliveries one call sends again. */
const mostRedelivered = 10_000;

export function webhookHandlers(deps: Deps): ServiceImpl<typeof WebhookService> {
  const { db, clients, clock, events, delivery } = deps;

  return {
    ...secretHandlers(deps),
    ...deliveryHandlers(deps),

    async createWebhook(request, context) {
      const { workspaceId, name, url } = request;
      checkUrl(deps, url);
      const since = await headOf(workspaceId);
      const call = {
        ...shownOnce,
        subject: subjectOf(context),
        method: WebhookService.method.createWebhook,
        requestId: request.requestId,
        request,
        now: clock,
        keep: ({ webhook }: { webhook?: { id: string } | undefined }) =>
          create(CreateWebhookResponseSchema, webhook === undefined ? {} : { webhook: { id: webhook.id } }),
      };
      const response = await idempotent(db, call, async (tx) => {
        const limit = deps.webhooksPerWorkspace;
        if ((await countWebhooks(tx, workspaceId)) >= limit) {
          throw new AppError(Reason.LIMIT_REACHED, { metadata: { limit: String(limit) } });
        }
        const now = clock().getTime();
        const row = { id: newId(), workspace_id: workspaceId, name, url, since, created_at: now };
        await insertWebhook(tx, { ...row, filter: encoded(request.filter), created_by: actorOf(context) });
        await beginFeed(tx, workspaceId, since);
        const secret = await addSecret(deps, tx, row.id, now);
        const webhook = await webhookMessage(tx, await webhookOf(tx, row.id), now);
        return create(CreateWebhookResponseSchema, { webhook, secret });
      });
      events.webhookCreated(workspaceId, response.webhook?.id ?? "");
      return response;
    },

    async getWebhook({ webhookId }) {
      return { webhook: await webhookMessage(db.query, await webhookOf(db.query, webhookId), clock().getTime()) };
    },

    async listWebhooks(request) {
      const { workspaceId } = request;
      const page = openPage(request, { workspaceId });
      const { rows, nextPageToken } = await selectPage(webhooksOf(db.query, workspaceId), page, ["id"]);
      return { webhooks: await webhookMessages(db.query, rows, clock().getTime()), nextPageToken };
    },

    async updateWebhook(request) {
      const paths = new Set(request.updateMask?.paths);
      if (paths.has("url")) checkUrl(deps, request.url);
      const now = clock().getTime();
      const webhook = await db.transaction(async (tx) => {
        const row = await webhookOf(tx, request.webhookId);
        checkEtag(request.etag, row.version);
        const state =
          paths.has("paused") && row.state !== "disabled" ? (request.paused ? "paused" : "active") : row.state;
        await change(tx, row, now, {
          ...(paths.has("name") && { name: request.name }),
          ...(paths.has("url") && { url: request.url }),
          ...(paths.has("filter") && { filter: encoded(request.filter) }),
          // A new address may be a better one.
          ...(paths.has("url") && { failed_rounds: 0, blocked_until: null }),
          state,
        });
        if (row.state === "paused" && state === "active") await goOn(tx, row.id, now);
        else if (state === "active") await enqueue(tx, deliverJob(row.id, now), clock);
        return webhookMessage(tx, await webhookOf(tx, row.id), now);
      });
      return { webhook };
    },

    async resumeWebhook({ webhookId, redeliverParked }) {
      const now = clock().getTime();
      const webhook = await db.transaction(async (tx) => {
        const row = await webhookOf(tx, webhookId);
        const fresh = { failing_since: null, failed_rounds: 0, blocked_until: null };
        await change(tx, row, now, { ...fresh, state: "active", disabled_reason: null });
        if (redeliverParked) {
          const parked = await parkedDeliveries(tx, webhookId, mostRedelivered);
          await sendAgain(tx, webhookId, parked, now, now + delivery.retryMs);
        }
        await goOn(tx, webhookId, now);
        return webhookMessage(tx, await webhookOf(tx, webhookId), now);
      });
      return { webhook };
    },

    async deleteWebhook({ webhookId, etag }) {
      await db.transaction(async (tx) => {
        const row = await webhookOf(tx, webhookId);
        checkEtag(etag, row.version);
        await removeWebhook(tx, webhookId);
        await enqueue(tx, removeJob(webhookId), clock);
        if ((await countWebhooks(tx, row.workspace_id)) === 0) await endFeed(tx, row.workspace_id);
      });
      events.webhookDeleted(webhookId);
      return {};
    },
  };

  /** Where the workspace's log ends now: the webhook is told what comes after. */
  async function headOf(workspaceId: string): Promise<number> {
    const { places } = await clients.feed.getFeedPlaces({ workspaceIds: [workspaceId] });
    return Number(places[0]?.sequence ?? 0n);
  }

  /** Everything that waits is due now. */
  async function goOn(tx: Tx, webhookId: string, now: number): Promise<void> {
    await dueNow(tx, webhookId, now, now + delivery.retryMs);
    await enqueue(tx, deliverJob(webhookId, now), clock);
  }

  /** Throws CONFLICT when another transaction has changed it after this one read it. */
  async function change(tx: Tx, row: WebhookRow, now: number, changes: WebhookChange): Promise<void> {
    if (!(await updateWebhook(tx, row, changes, now))) throw new AppError(Reason.CONFLICT);
  }
}

function encoded(filter: ChangeFilter | undefined): Uint8Array {
  return toBinary(ChangeFilterSchema, filter ?? create(ChangeFilterSchema));
}
