// What handlers are made from, and the few steps that several of them take.
import type { HandlerContext } from "@connectrpc/connect";
import { Reason } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import { subjectOf } from "@docket/runtime/call";
import { AppError, notFound } from "@docket/runtime/errors";
import type { Clients } from "../clients.ts";
import { UrlRefused, type UrlRule } from "../egress/url.ts";
import type { DeliveringOptions } from "../jobs/deliver.ts";
import { type ListedRow, readDelivery } from "../store/deliveries.ts";
import type { Query } from "../store/entities.ts";
import { readWebhook, type WebhookRow } from "../store/webhooks.ts";

/** What handlers are made from. */
export interface Deps extends DeliveringOptions {
  readonly clients: Clients;
  /** How many webhooks a workspace may have. */
  readonly webhooksPerWorkspace: number;
}

/** Who calls, as rows write it. */
export function actorOf(context: HandlerContext): string {
  const { kind, id } = subjectOf(context);
  return `${kind}:${id}`;
}

/** A webhook that exists. Throws NOT_FOUND. */
export async function webhookOf(query: Query, id: string): Promise<WebhookRow> {
  const row = await readWebhook(query, id);
  if (row === undefined) throw notFound("webhook", id);
  return row;
}

/** A delivery of a webhook that exists. Throws NOT_FOUND. */
export async function deliveryOfWebhook(query: Query, webhookId: string, id: string): Promise<ListedRow> {
  const row = await readDelivery(query, webhookId, id);
  if (row === undefined) throw notFound("delivery", id);
  return row;
}

const refusals: Readonly<Record<UrlRule, string>> = {
  format: "This is no URL.",
  scheme: "Webhooks go to https: URLs only.",
  credentials: "The URL of a webhook holds no user or password.",
  host: "The URL names no host.",
  port: "Webhooks go to port 80, 443, or one above 1023 that is not another protocol's.",
  address: "Webhooks go to public addresses only.",
};

/** Throws WEBHOOK_URL_REFUSED unless webhooks may go there. */
export function checkUrl({ egress }: Pick<Deps, "egress">, url: string): void {
  try {
    egress.check(url);
  } catch (error) {
    if (!(error instanceof UrlRefused)) throw error;
    const { rule } = error;
    throw new AppError(Reason.WEBHOOK_URL_REFUSED, { metadata: { rule }, message: refusals[rule], cause: error });
  }
}
