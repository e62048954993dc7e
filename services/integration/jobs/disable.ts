// Stops a webhook: what waits is parked, in the same transaction.
import { parkWaiting } from "../store/deliveries.ts";
import type { Tx } from "../store/entities.ts";
import { type DisabledReason, updateWebhook, type WebhookRow } from "../store/webhooks.ts";

/** False when it has been changed since it was read; then it is left to the next who finds it so. */
export async function disableWebhook(
  tx: Tx,
  webhook: WebhookRow,
  reason: DisabledReason,
  now: number,
): Promise<boolean> {
  if (webhook.state === "disabled") return false;
  if (!(await updateWebhook(tx, webhook, { state: "disabled", disabled_reason: reason }, now))) return false;
  await parkWaiting(tx, webhook.id, now);
  return true;
}
