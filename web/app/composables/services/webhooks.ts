// Webhooks of a workspace, and the log of what they delivered.

import type { ChangeKind } from "@docket/contracts/gen/docket/document/v1/change_pb.ts";
import type { Delivery } from "@docket/contracts/gen/docket/integration/v1/delivery_pb.ts";
import type { Webhook } from "@docket/contracts/gen/docket/integration/v1/webhook_pb.ts";
import { WebhookService } from "@docket/contracts/gen/docket/integration/v1/webhook_service_pb.ts";

/** What one chooses of a webhook. */
export interface WebhookValues {
  readonly name: string;
  readonly url: string;
  /** Which changes it is told; none: all. */
  readonly kinds: ChangeKind[];
}

/** A webhook with a secret that is shown once. */
export interface WebhookSecretShown {
  readonly webhook: Webhook;
  readonly secret: string;
}

export function useWebhooks() {
  const client = useClient(WebhookService);
  return {
    /** All webhooks, the oldest first. */
    async list(workspaceId: string): Promise<Webhook[]> {
      return await allPages(async (pageToken) => {
        const page = await client.listWebhooks({ workspaceId, pageSize: 200, pageToken });
        return { items: page.webhooks, nextPageToken: page.nextPageToken };
      });
    },
    async create(
      workspaceId: string,
      { kinds, ...values }: WebhookValues,
      requestId = newId(),
    ): Promise<WebhookSecretShown> {
      const { webhook, secret } = await client.createWebhook({ workspaceId, ...values, filter: { kinds }, requestId });
      return { webhook: there(webhook), secret };
    },
    /** Changes name, URL and kinds. What else its filter holds stays. */
    async update({ id, filter, etag }: Webhook, { kinds, ...values }: WebhookValues): Promise<Webhook> {
      const updateMask = { paths: ["name", "url", "filter"] };
      const documentIds = filter?.documentIds ?? [];
      const changes = { ...values, filter: { documentIds, kinds }, updateMask, etag };
      return there((await client.updateWebhook({ webhookId: id, ...changes })).webhook);
    },
    async pause(webhookId: string): Promise<Webhook> {
      const updateMask = { paths: ["paused"] };
      return there((await client.updateWebhook({ webhookId, paused: true, updateMask })).webhook);
    },
    /** Makes one go on that is paused or disabled. */
    async resume(webhookId: string, redeliverParked: boolean): Promise<Webhook> {
      return there((await client.resumeWebhook({ webhookId, redeliverParked })).webhook);
    },
    async remove(webhookId: string): Promise<void> {
      await client.deleteWebhook({ webhookId });
    },
    /** Makes a new secret; the one before signs beside it for a day. */
    async rotate(webhookId: string, requestId = newId()): Promise<WebhookSecretShown> {
      const { webhook, secret } = await client.rotateWebhookSecret({ webhookId, requestId });
      return { webhook: there(webhook), secret };
    },
    /** Sends a test now, and tells what came of it. */
    async ping(webhookId: string): Promise<Delivery> {
      return there((await client.pingWebhook({ webhookId })).delivery);
    },
    /** A page of the log, the newest first. */
    async deliveries(webhookId: string, pageToken: string): Promise<ListPage<Delivery>> {
      const page = await client.listDeliveries({ webhookId, pageSize: 20, pageToken });
      return { items: page.deliveries, nextPageToken: page.nextPageToken };
    },
    /** Sends one again. */
    async redeliver(webhookId: string, deliveryId: string): Promise<Delivery> {
      return there((await client.redeliverDelivery({ webhookId, deliveryId })).delivery);
    },
  };
}
