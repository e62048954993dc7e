// Rows of webhooks and their secrets.
import type { Selectable } from "kysely";
import type { Query, Tables, Tx } from "./entities.ts";

export type WebhookRow = Selectable<Tables["webhook"]>;
export type SecretRow = Selectable<Tables["webhook_secret"]>;
export type WebhookState = "active" | "paused" | "disabled";
export type DisabledReason = "gone" | "failing" | "backlog";

export function readWebhook(query: Query, id: string): Promise<WebhookRow | undefined> {
  return query.selectFrom("webhook").selectAll().where("id", "=", id).executeTakeFirst();
}

export function webhooksOf(query: Query, workspaceId: string) {
  return query.selectFrom("webhook").selectAll().where("workspace_id", "=", workspaceId);
}

export async function countWebhooks(query: Query, workspaceId: string): Promise<number> {
  const row = await query
    .selectFrom("webhook")
    .select((eb) => eb.fn.countAll<number>().as("count"))
    .where("workspace_id", "=", workspaceId)
    .executeTakeFirstOrThrow();
  return Number(row.count);
}

export type NewWebhook = Pick<
  WebhookRow,
  "id" | "workspace_id" | "name" | "url" | "filter" | "since" | "created_by" | "created_at"
>;

export async function insertWebhook(tx: Tx, row: NewWebhook): Promise<void> {
  await tx
    .insertInto("webhook")
    .values({ ...row, state: "active", updated_at: row.created_at })
    .execute();
}

/** What an update of settings or state may change. */
export type WebhookChange = Partial<
  Pick<
    WebhookRow,
    "name" | "url" | "filter" | "state" | "disabled_reason" | "failing_since" | "failed_rounds" | "blocked_until"
  >
>;

/** Changes settings or state; false when the version is no longer the one that was read. */
export async function updateWebhook(
  tx: Tx,
  { id, version }: Pick<WebhookRow, "id" | "version">,
  change: WebhookChange,
  now: number,
): Promise<boolean> {
  const changed = await tx
    .updateTable("webhook")
    .set({ ...change, version: version + 1, updated_at: now })
    .where("id", "=", id)
    .where("version", "=", version)
    .executeTakeFirst();
  return changed.numUpdatedRows === 1n;
}

/** Notes that an attempt succeeded, or failed. */
export async function noteAttempt(tx: Tx, webhookId: string, succeeded: boolean, now: number): Promise<void> {
  const webhook = tx.updateTable("webhook").where("id", "=", webhookId);
  if (succeeded) await webhook.set({ succeeded_at: now, failing_since: null }).execute();
  else await webhook.set({ failing_since: now }).where("failing_since", "is", null).execute();
}

/** Notes how a round of deliveries went, and until when the webhook is left alone. */
export async function noteRound(tx: Tx, webhookId: string, failedRounds: number, until: number | null): Promise<void> {
  await tx
    .updateTable("webhook")
    .set({ failed_rounds: failedRounds, blocked_until: until })
    .where("id", "=", webhookId)
    .execute();
}

/** Lets the webhooks of a workspace be told what comes after a place, also those that were made after a later one. */
export async function beginEarlier(tx: Tx, workspaceId: string, place: number): Promise<void> {
  await tx
    .updateTable("webhook")
    .set({ since: place })
    .where("workspace_id", "=", workspaceId)
    .where("since", ">", place)
    .execute();
}

/** Notes that changes were left out for these webhooks. */
export async function noteMissed(tx: Tx, ids: readonly string[], now: number): Promise<void> {
  if (ids.length === 0) return;
  await tx
    .updateTable("webhook")
    .set({ missed_at: now })
    .where("id", "in", [...ids])
    .execute();
}

export async function removeWebhook(tx: Tx, id: string): Promise<boolean> {
  await tx.deleteFrom("webhook_secret").where("webhook_id", "=", id).execute();
  const gone = await tx.deleteFrom("webhook").where("id", "=", id).executeTakeFirst();
  return gone.numDeletedRows === 1n;
}

/** The secrets that sign now, the newest first. */
export async function liveSecrets(query: Query, webhookIds: readonly string[], now: number): Promise<SecretRow[]> {
  if (webhookIds.length === 0) return [];
  const rows = await query
    .selectFrom("webhook_secret")
    .selectAll()
    .where("webhook_id", "in", [...webhookIds])
    .orderBy("id", "desc")
    .execute();
  return rows.filter(({ expires_at }) => expires_at === null || expires_at > now);
}

export async function insertSecret(tx: Tx, row: SecretRow): Promise<void> {
  await tx.insertInto("webhook_secret").values(row).execute();
}

export async function expireSecret(tx: Tx, { webhook_id, id }: SecretRow, at: number): Promise<void> {
  await tx
    .updateTable("webhook_secret")
    .set({ expires_at: at })
    .where("webhook_id", "=", webhook_id)
    .where("id", "=", id)
    .execute();
}

export async function removeSecrets(tx: Tx, webhookId: string, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return;
  await tx
    .deleteFrom("webhook_secret")
    .where("webhook_id", "=", webhookId)
    .where("id", "in", [...ids])
    .execute();
}

/** Removes secrets that have stopped signing. */
export async function removeExpiredSecrets(query: Query, now: number): Promise<void> {
  await query.deleteFrom("webhook_secret").where("expires_at", "<=", now).execute();
}
