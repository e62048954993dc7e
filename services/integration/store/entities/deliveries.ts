import { countColumn, defineEntity, idColumn, p, timeColumn } from "@docket/runtime/db/schema";

/** The body of deliveries: once for all webhooks of a workspace. */
export const MessageEntity = defineEntity({
  name: "Message",
  tableName: "message",
  properties: {
    /** The change's id. */
    id: idColumn().primary(),
    workspaceId: idColumn(),
    /** A value of ChangeKind. */
    kind: p.integer(),
    /** The change's number; 0: a ping. */
    sequence: countColumn(),
    /** The change as JSON, as it is sent. */
    body: p.text(),
    createdAt: timeColumn(),
  },
  indexes: [
    { name: "message_created_at", properties: ["createdAt"] },
    { name: "message_workspace", properties: ["workspaceId"] },
  ],
});

export const DeliveryEntity = defineEntity({
  name: "Delivery",
  tableName: "delivery",
  properties: {
    webhookId: idColumn().primary(),
    /** Follows from the webhook and the change: the same pair is never there twice. */
    id: idColumn().primary(),
    messageId: idColumn(),
    /** `waiting`, `delivered` or `parked`. */
    state: p.string().length(9),
    /** Attempts since it was made, or last sent again by hand. */
    attempts: p.integer().default(0),
    createdAt: timeColumn(),
    /** When its time to be tried again ends. */
    retryUntil: timeColumn(),
    /** While it waits: when it is due. Otherwise: when it ended. */
    dueAt: timeColumn(),
  },
  indexes: [
    { name: "delivery_due", properties: ["webhookId", "state", "dueAt"] },
    { name: "delivery_listed", properties: ["webhookId", "createdAt", "id"] },
    { name: "delivery_listed_by_state", properties: ["webhookId", "state", "createdAt", "id"] },
    { name: "delivery_ended", properties: ["state", "dueAt"] },
    { name: "delivery_message", properties: ["messageId"] },
  ],
});

export const AttemptEntity = defineEntity({
  name: "Attempt",
  tableName: "attempt",
  properties: {
    webhookId: idColumn().primary(),
    deliveryId: idColumn().primary(),
    id: idColumn().primary(),
    at: timeColumn(),
    ms: p.integer(),
    status: p.integer(),
    /** Why it failed; null: it succeeded. */
    failure: p.string().length(10).nullable(),
    answer: p.string().length(1024),
  },
});
