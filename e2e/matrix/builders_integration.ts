// Valid requests of the integration service.

import { Permission, ResourceKind } from "@docket/contracts/gen/docket/policy/v1/policy_pb.ts";
import type { BuildersOf } from "./form.ts";
import { webhookUrl } from "./room.ts";

export const webhookBuilders = {
  "docket.integration.v1.WebhookService/CreateWebhook": (room) => ({
    request: { workspaceId: room.workspaceId, name: room.name(), url: webhookUrl },
  }),
  "docket.integration.v1.WebhookService/GetWebhook": async (room) => ({ request: { webhookId: await room.webhook() } }),
  "docket.integration.v1.WebhookService/ListWebhooks": async (room) => ({
    request: { workspaceId: room.workspaceId, pageSize: 200 },
    shows: {
      id: await room.webhook(),
      to: { kind: ResourceKind.WORKSPACE, permission: Permission.WEBHOOK_MANAGE },
    },
  }),
  "docket.integration.v1.WebhookService/UpdateWebhook": async (room) => ({
    request: { webhookId: await room.webhook(), name: room.name(), updateMask: { paths: ["name"] } },
  }),
  "docket.integration.v1.WebhookService/ResumeWebhook": async (room) => ({
    request: { webhookId: await room.webhook() },
  }),
  "docket.integration.v1.WebhookService/DeleteWebhook": async (room) => ({
    request: { webhookId: await room.webhook() },
  }),
  "docket.integration.v1.WebhookService/RotateWebhookSecret": async (room) => ({
    request: { webhookId: await room.webhook() },
  }),
  // What it stands for is refused when the connection is made, and that is an answer.
  "docket.integration.v1.WebhookService/PingWebhook": async (room) => ({
    request: { webhookId: await room.webhook() },
  }),
  "docket.integration.v1.WebhookService/ListDeliveries": async (room) => ({
    request: { webhookId: await room.webhook() },
  }),
  "docket.integration.v1.WebhookService/GetDelivery": async (room) => ({ request: await room.delivery() }),
  "docket.integration.v1.WebhookService/RedeliverDelivery": async (room) => ({ request: await room.delivery() }),
} satisfies BuildersOf<"docket.integration.v1.WebhookService">;

export const feedBuilders = {
  "docket.document.v1.ChangeFeedService/GetFeedPlaces": (room) => ({ request: { workspaceIds: [room.workspaceId] } }),
  "docket.document.v1.ChangeFeedService/FollowChanges": (room) => ({
    request: { places: [{ workspaceId: room.workspaceId, sequence: 0n }] },
  }),
} satisfies BuildersOf<"docket.document.v1.ChangeFeedService">;
