// The job that delivers to one webhook: at most one at a time, so that one which hangs holds up none but itself.
import type { NewJob } from "@docket/runtime/queue/queue";

export const deliverKind = "deliver";
export const removeKind = "remove_webhook";

/** Asks for a round of deliveries. */
export function deliverJob(webhookId: string, runAt: number): NewJob {
  return { kind: deliverKind, key: webhookId, payload: { webhookId }, runAt: new Date(runAt) };
}

/** Asks for the removal of what a webhook leaves behind. */
export function removeJob(webhookId: string): NewJob {
  return { kind: removeKind, key: webhookId, payload: { webhookId } };
}
