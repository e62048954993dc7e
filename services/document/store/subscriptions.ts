// Named subscriptions and how far their shards are.
import type { Selectable } from "kysely";
import type { Query, Tables, Tx } from "./entities.ts";

export type SubscriptionRow = Selectable<Tables["subscription"]>;
export type ShardRow = Selectable<Tables["subscription_shard"]>;

export async function readSubscription(query: Query, id: string): Promise<SubscriptionRow | undefined> {
  return query.selectFrom("subscription").selectAll().where("id", "=", id).executeTakeFirst();
}

/** The shards of some subscriptions of a workspace, in order. */
export async function shardsOf(query: Query, workspaceId: string, ids: readonly string[]): Promise<ShardRow[]> {
  if (ids.length === 0) return [];
  return query
    .selectFrom("subscription_shard")
    .selectAll()
    .where("workspace_id", "=", workspaceId)
    .where("subscription_id", "in", ids)
    .orderBy("subscription_id")
    .orderBy("shard")
    .execute();
}

/** The subscriptions of a workspace, of one maker or of all; to be paged by name. */
export function subscriptionsIn(query: Query, workspaceId: string, createdBy: string | undefined) {
  const all = query.selectFrom("subscription").selectAll().where("workspace_id", "=", workspaceId);
  return createdBy === undefined ? all : all.where("created_by", "=", createdBy);
}

export async function countSubscriptions(query: Query, workspaceId: string): Promise<number> {
  const row = await query
    .selectFrom("subscription")
    .select((eb) => eb.fn.countAll().as("n"))
    .where("workspace_id", "=", workspaceId)
    .executeTakeFirst();
  return Number(row?.n ?? 0);
}

/** Adds a subscription whose shards all begin after the same change. */
export async function insertSubscription(tx: Tx, row: SubscriptionRow, start: number): Promise<ShardRow[]> {
  await tx.insertInto("subscription").values(row).execute();
  const shards: ShardRow[] = Array.from({ length: row.shard_count }, (_, shard) => ({
    workspace_id: row.workspace_id,
    subscription_id: row.id,
    shard,
    acknowledged: start,
    acknowledged_at: null,
  }));
  await tx.insertInto("subscription_shard").values(shards).execute();
  return shards;
}

/** Moves a shard on; an earlier place than the kept one changes nothing. */
export async function acknowledge(
  query: Query,
  row: SubscriptionRow,
  shard: number,
  sequence: number,
  at: number,
): Promise<void> {
  await query
    .updateTable("subscription_shard")
    .set({ acknowledged: sequence, acknowledged_at: at })
    .where("workspace_id", "=", row.workspace_id)
    .where("subscription_id", "=", row.id)
    .where("shard", "=", shard)
    .where("acknowledged", "<=", sequence)
    .execute();
}

export async function removeSubscription(tx: Tx, row: Pick<SubscriptionRow, "workspace_id" | "id">): Promise<void> {
  await tx
    .deleteFrom("subscription_shard")
    .where("workspace_id", "=", row.workspace_id)
    .where("subscription_id", "=", row.id)
    .execute();
  await tx.deleteFrom("subscription").where("workspace_id", "=", row.workspace_id).where("id", "=", row.id).execute();
}
