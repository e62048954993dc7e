// One function for each event of the business: what is counted and logged. None decides anything.
import type { Logger } from "@docket/runtime/logger";

export interface Events {
  webhookCreated(workspaceId: string, webhookId: string): void;
  webhookDeleted(webhookId: string): void;
  secretRotated(webhookId: string): void;
  /** Docket has stopped a webhook. */
  webhookDisabled(webhookId: string, reason: string): void;
  attempted(webhookId: string, deliveryId: string, failure: string | undefined, status: number, ms: number): void;
  parked(webhookId: string, deliveryId: string): void;
  /** Changes of a workspace are lost to its webhooks. */
  gap(workspaceId: string): void;
  /** A webhook's secrets cannot be opened: they were sealed with another KEY_ENCRYPTION_SECRET. */
  secretsUnreadable(webhookId: string): void;
  workspaceRemoved(workspaceId: string, webhooks: number): void;
}

export function createEvents(logger: Logger): Events {
  return {
    webhookCreated: (workspace_id, webhook_id) => logger.info({ workspace_id, webhook_id }, "webhook created"),
    webhookDeleted: (webhook_id) => logger.info({ webhook_id }, "webhook deleted"),
    secretRotated: (webhook_id) => logger.info({ webhook_id }, "webhook secret rotated"),
    webhookDisabled: (webhook_id, reason) => logger.warn({ webhook_id, reason }, "webhook disabled"),
    attempted: (webhook_id, delivery_id, failure, status, ms) =>
      logger.debug({ webhook_id, delivery_id, failure, status, ms }, "delivery attempted"),
    parked: (webhook_id, delivery_id) => logger.warn({ webhook_id, delivery_id }, "delivery parked"),
    gap: (workspace_id) => logger.error({ workspace_id }, "changes were lost to the webhooks of a workspace"),
    secretsUnreadable: (webhook_id) =>
      logger.error({ webhook_id }, "a webhook's secrets were sealed with another KEY_ENCRYPTION_SECRET"),
    workspaceRemoved: (workspace_id, webhooks) =>
      logger.info({ workspace_id, webhooks }, "the webhooks of a deleted workspace were removed"),
  };
}
