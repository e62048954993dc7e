// Named places in a workspace's log, and how far each of their shards is.
import { bytesColumn, countColumn, defineEntity, idColumn, p, timeColumn } from "@docket/runtime/db/schema";

export const SubscriptionEntity = defineEntity({
  name: "Subscription",
  tableName: "subscription",
  properties: {
    workspaceId: idColumn().primary(),
    id: idColumn().primary(),
    name: p.string().length(100),
    /** An encoded ChangeFilter. */
    filter: bytesColumn(),
    shardCount: p.integer(),
    createdBy: p.string().length(50),
    createdAt: timeColumn(),
  },
  uniques: [
    { name: "subscription_id", properties: ["id"] },
    { name: "subscription_name", properties: ["workspaceId", "name"] },
  ],
  indexes: [{ name: "subscription_creator", properties: ["workspaceId", "createdBy", "name"] }],
});

export const SubscriptionShardEntity = defineEntity({
  name: "SubscriptionShard",
  tableName: "subscription_shard",
  properties: {
    workspaceId: idColumn().primary(),
    subscriptionId: idColumn().primary(),
    /** Which one, from 0. */
    shard: p.smallint().primary(),
    /** The sequence number up to which everything has been dealt with. */
    acknowledged: countColumn(),
    /** Null: never. */
    acknowledgedAt: timeColumn().nullable(),
  },
});
