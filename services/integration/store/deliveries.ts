// Rows of deliveries, their bodies and attempts.
import type { Selectable } from "kysely";
import type { SendFailure } from "../egress/send.ts";
import type { Query, Tables, Tx } from "./entities.ts";

export type DeliveryRow = Selectable<Tables["delivery"]>;
export type MessageRow = Selectable<Tables["message"]>;
export type AttemptRow = Omit<Selectable<Tables["attempt"]>, "failure"> & { readonly failure: SendFailure | null };
export type DeliveryState = "waiting" | "delivered" | "parked";

/** A delivery with what is told of its change. */
export type ListedRow = DeliveryRow & Pick<MessageRow, "kind" | "sequence">;

/** Rows in one INSERT, for databases that limit parameters. */
const atOnce = 500;

export async function insertMessages(tx: Tx, rows: readonly MessageRow[]): Promise<void> {
  for (const part of chunks(rows)) await tx.insertInto("message").values(part).execute();
}

export async function insertDeliveries(tx: Tx, rows: readonly DeliveryRow[]): Promise<void> {
  for (const part of chunks(rows)) await tx.insertInto("delivery").values(part).execute();
}

/** Deliveries with the facts of their changes, for pages. */
export function listedDeliveries(query: Query, webhookId: string) {
  return query
    .selectFrom("delivery")
    .innerJoin("message", "message.id", "delivery.message_id")
    .selectAll("delivery")
    .select(["message.kind", "message.sequence"])
    .where("delivery.webhook_id", "=", webhookId);
}

export function readDelivery(query: Query, webhookId: string, id: string): Promise<ListedRow | undefined> {
  return listedDeliveries(query, webhookId).where("delivery.id", "=", id).executeTakeFirst();
}

export async function readBody(query: Query, messageId: string): Promise<string | undefined> {
  const row = await query.selectFrom("message").select("body").where("id", "=", messageId).executeTakeFirst();
  return row?.body;
}

/** The attempts of deliveries, the newest first. */
export async function attemptsOf(
  query: Query,
  webhookId: string,
  deliveryIds: readonly string[],
  limit?: number,
): Promise<AttemptRow[]> {
  if (deliveryIds.length === 0) return [];
  let attempts = query
    .selectFrom("attempt")
    .selectAll()
    .where("webhook_id", "=", webhookId)
    .where("delivery_id", "in", [...deliveryIds])
    .orderBy("id", "desc");
  if (limit !== undefined) attempts = attempts.limit(limit);
  return (await attempts.execute()) as AttemptRow[];
}

/** What is due, the longest waiting first. */
export async function dueDeliveries(query: Query, webhookId: string, now: number, limit: number): Promise<string[]> {
  const rows = await waiting(query, webhookId)
    .select("id")
    .where("due_at", "<=", now)
    .orderBy("due_at")
    .limit(limit)
    .execute();
  return rows.map(({ id }) => id);
}

/** When the next delivery of a webhook is due; undefined: none waits. */
export async function nextDue(query: Query, webhookId: string): Promise<number | undefined> {
  const row = await waiting(query, webhookId).select("due_at").orderBy("due_at").limit(1).executeTakeFirst();
  return row?.due_at;
}

/** How many deliveries of a webhook are in a state, counted up to a limit. */
export async function countDeliveries(
  query: Query,
  webhookId: string,
  state: DeliveryState,
  limit: number,
): Promise<number> {
  const row = await query
    .selectFrom(
      query
        .selectFrom("delivery")
        .select("id")
        .where("webhook_id", "=", webhookId)
        .where("state", "=", state)
        .limit(limit)
        .as("some"),
    )
    .select((eb) => eb.fn.countAll<number>().as("count"))
    .executeTakeFirstOrThrow();
  return Number(row.count);
}

/** Ends or postpones a delivery after an attempt; false when it is no longer as it was read. */
export async function settleDelivery(
  tx: Tx,
  { webhook_id, id, attempts }: DeliveryRow,
  state: DeliveryState,
  dueAt: number,
): Promise<boolean> {
  const changed = await tx
    .updateTable("delivery")
    .set({ state, due_at: dueAt, attempts: attempts + 1 })
    .where("webhook_id", "=", webhook_id)
    .where("id", "=", id)
    .where("state", "=", "waiting")
    .where("attempts", "=", attempts)
    .executeTakeFirst();
  return changed.numUpdatedRows === 1n;
}

export async function insertAttempt(tx: Tx, row: AttemptRow): Promise<void> {
  await tx.insertInto("attempt").values(row).execute();
}

/** Lets deliveries be sent again from the beginning. */
export async function sendAgain(
  tx: Tx,
  webhookId: string,
  ids: readonly string[],
  now: number,
  retryUntil: number,
): Promise<void> {
  for (const part of chunks(ids)) {
    await tx
      .updateTable("delivery")
      .set({ state: "waiting", attempts: 0, due_at: now, retry_until: retryUntil })
      .where("webhook_id", "=", webhookId)
      .where("id", "in", part)
      .execute();
  }
}

/** What was parked, the oldest first; pings are left out. */
export async function parkedDeliveries(query: Query, webhookId: string, limit: number): Promise<string[]> {
  const rows = await query
    .selectFrom("delivery")
    .innerJoin("message", "message.id", "delivery.message_id")
    .select("delivery.id")
    .where("delivery.webhook_id", "=", webhookId)
    .where("delivery.state", "=", "parked")
    .where("message.sequence", ">", 0)
    .orderBy("delivery.due_at")
    .limit(limit)
    .execute();
  return rows.map(({ id }) => id);
}

/** Everything that waits is due now, and has its full time again. */
export async function dueNow(tx: Tx, webhookId: string, now: number, retryUntil: number): Promise<void> {
  await tx
    .updateTable("delivery")
    .set({ due_at: now, retry_until: retryUntil })
    .where("webhook_id", "=", webhookId)
    .where("state", "=", "waiting")
    .execute();
}

/** Gives up everything that waits. */
export async function parkWaiting(tx: Tx, webhookId: string, now: number): Promise<void> {
  await tx
    .updateTable("delivery")
    .set({ state: "parked", due_at: now })
    .where("webhook_id", "=", webhookId)
    .where("state", "=", "waiting")
    .execute();
}

/** Active webhooks for which something is due. */
export async function webhooksWithDue(query: Query, now: number): Promise<string[]> {
  const rows = await query
    .selectFrom("webhook")
    .select("id")
    .where("state", "=", "active")
    .where((eb) => eb.or([eb("blocked_until", "is", null), eb("blocked_until", "<=", now)]))
    .where((eb) =>
      eb.exists(
        eb
          .selectFrom("delivery")
          .select("delivery.id")
          .whereRef("delivery.webhook_id", "=", "webhook.id")
          .where("delivery.state", "=", "waiting")
          .where("delivery.due_at", "<=", now),
      ),
    )
    .execute();
  return rows.map(({ id }) => id);
}

/** Removes some deliveries of a webhook with their attempts; how many. */
export async function removeDeliveries(tx: Tx, webhookId: string): Promise<number> {
  const rows = await tx.selectFrom("delivery").select("id").where("webhook_id", "=", webhookId).limit(atOnce).execute();
  const ids = rows.map(({ id }) => id);
  await removeByIds(tx, webhookId, ids);
  return ids.length;
}

/** Removes some deliveries that ended before a time; how many. */
export async function removeEnded(tx: Tx, before: number): Promise<number> {
  const rows = await tx
    .selectFrom("delivery")
    .select(["webhook_id", "id"])
    .where("state", "in", ["delivered", "parked"])
    .where("due_at", "<", before)
    .limit(atOnce)
    .execute();
  for (const [webhookId, theirs] of Map.groupBy(rows, (row) => row.webhook_id)) {
    const ids = theirs.map(({ id }) => id);
    await removeByIds(tx, webhookId, ids);
  }
  return rows.length;
}

/** Removes some bodies made before a time that no delivery needs; how many. */
export async function removeUnneededMessages(tx: Tx, before: number): Promise<number> {
  const rows = await tx
    .selectFrom("message")
    .select("id")
    .where("created_at", "<", before)
    .where((eb) =>
      eb.not(eb.exists(eb.selectFrom("delivery").select("id").whereRef("delivery.message_id", "=", "message.id"))),
    )
    .limit(atOnce)
    .execute();
  const ids = rows.map(({ id }) => id);
  if (ids.length > 0) await tx.deleteFrom("message").where("id", "in", ids).execute();
  return ids.length;
}

async function removeByIds(tx: Tx, webhookId: string, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return;
  await tx
    .deleteFrom("attempt")
    .where("webhook_id", "=", webhookId)
    .where("delivery_id", "in", [...ids])
    .execute();
  await tx
    .deleteFrom("delivery")
    .where("webhook_id", "=", webhookId)
    .where("id", "in", [...ids])
    .execute();
}

function waiting(query: Query, webhookId: string) {
  return query.selectFrom("delivery").where("webhook_id", "=", webhookId).where("state", "=", "waiting");
}

function chunks<T>(list: readonly T[]): T[][] {
  const parts: T[][] = [];
  for (let at = 0; at < list.length; at += atOnce) parts.push(list.slice(at, at + atOnce));
  return parts;
}
