import { bytesColumn, countColumn, defineEntity, idColumn, p, timeColumn } from "@docket/runtime/db/schema";

export const WebhookEntity = defineEntity({
  name: "Webhook",
  tableName: "webhook",
  properties: {
    id: idColumn().primary(),
    workspaceId: idColumn(),
    name: p.string().length(100),
    url: p.string().length(2000),
    /** An encoded ChangeFilter. */
    filter: bytesColumn(),
    /** `active`, `paused` or `disabled`. */
    state: p.string().length(8),
    /** `gone`, `failing` or `backlog`; null: not disabled. */
    disabledReason: p.string().length(8).nullable(),
    /** The number of the last change before it was made: it is told those after it. */
    since: countColumn(),
    createdBy: p.string().length(50),
    createdAt: timeColumn(),
    updatedAt: timeColumn(),
    succeededAt: timeColumn().nullable(),
    /** Null: the last attempt succeeded, or there was none. */
    failingSince: timeColumn().nullable(),
    missedAt: timeColumn().nullable(),
    /** How many rounds of delivering in a row had no success; 0 after one that had. */
    failedRounds: p.integer().default(0),
    /** Until when nothing is sent, after rounds without success. Null: something may be. */
    blockedUntil: timeColumn().nullable(),
    /** Grows with each change of settings or state. */
    version: p.integer().default(1),
  },
  indexes: [{ name: "webhook_workspace", properties: ["workspaceId", "id"] }],
});

export const WebhookSecretEntity = defineEntity({
  name: "WebhookSecret",
  tableName: "webhook_secret",
  properties: {
    webhookId: idColumn().primary(),
    id: idColumn().primary(),
    /** 24 bytes, encrypted. */
    sealed: bytesColumn(),
    createdAt: timeColumn(),
    /** Null: it does not stop signing by itself. */
    expiresAt: timeColumn().nullable(),
  },
});
