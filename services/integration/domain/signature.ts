// Secrets and signatures after Standard Webhooks: `v1,` and the base64 of HMAC-SHA256 over id, timestamp and body.
import { createHash, createHmac } from "node:crypto";

/** How many random bytes a secret is made of, as Standard Webhooks asks (24 to 64). */
export const secretBytes = 24;

/** How a secret is shown. */
export function formatSecret(secret: Uint8Array): string {
  return `whsec_${Buffer.from(secret).toString("base64")}`;
}

/** What is signed. */
export interface Signed {
  readonly id: string;
  /** In seconds since 1970: when the attempt is made. */
  readonly timestamp: number;
  readonly body: string;
}

/** The headers of an attempt: one signature for each secret, separated by blanks. */
export function headersOf({ id, timestamp, body }: Signed, secrets: readonly Uint8Array[]): Record<string, string> {
  const signatures = secrets.map(
    (secret) => `v1,${createHmac("sha256", secret).update(`${id}.${timestamp}.${body}`).digest("base64")}`,
  );
  return {
    "content-type": "application/json",
    "user-agent": "Docket-Webhooks/1",
    "webhook-id": id,
    "webhook-timestamp": String(timestamp),
    "webhook-signature": signatures.join(" "),
  };
}

/** The id of the delivery of a change to a webhook, a UUID (version 8): the same pair has the same one. */
export function deliveryIdOf(webhookId: string, changeId: string): string {
  const hex = createHash("sha256").update(`${webhookId}/${changeId}`).digest("hex");
  const parts = [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    `8${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ];
  return parts.join("-");
}
