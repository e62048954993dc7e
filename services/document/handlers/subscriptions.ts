// The named subscriptions of ChangeService.
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { durationFromMs, timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { ServiceImpl } from "@connectrpc/connect";
import { ChangeFilterSchema, WatchStart } from "@docket/contracts/gen/docket/document/v1/change_pb.ts";
import { ChangeService } from "@docket/contracts/gen/docket/document/v1/change_service_pb.ts";
import {
  CreateSubscriptionResponseSchema,
  type Subscription,
  SubscriptionSchema,
} from "@docket/contracts/gen/docket/document/v1/subscription_pb.ts";
import { Reason } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import { callOf, subjectOf } from "@docket/runtime/call";
import { encodeCursor } from "@docket/runtime/changelog/cursor";
import { heads, lagOf, trimmedUpTo } from "@docket/runtime/changelog/read";
import { isUniqueViolation } from "@docket/runtime/db/database";
import { openPage, selectPage } from "@docket/runtime/db/page";
import { idempotent } from "@docket/runtime/db/request_record";
import { AppError, notFound } from "@docket/runtime/errors";
import { newId } from "@docket/runtime/ids";
import { madeOrManages } from "../resource_checks.ts";
import {
  acknowledge,
  countSubscriptions,
  insertSubscription,
  readSubscription,
  removeSubscription,
  type ShardRow,
  type SubscriptionRow,
  shardsOf,
  subscriptionsIn,
} from "../store/subscriptions.ts";
import { placeIn } from "../watching/places.ts";
import { limitReached, type Watching } from "../watching/watching.ts";
import { actorOf, type Deps } from "./deps.ts";
import { actorMessage } from "./messages.ts";

/** The most subscriptions of one workspace. */
const mostSubscriptions = 100;
const mostLagCounted = 10_000;

type Handlers = Pick<
  ServiceImpl<typeof ChangeService>,
  "createSubscription" | "getSubscription" | "listSubscriptions" | "acknowledgeChanges" | "deleteSubscription"
>;

export function subscriptionHandlers(deps: Deps, watching: Watching): Handlers {
  const { db, clock, membership } = deps;

  return {
    async createSubscription(request, context) {
      const { workspaceId, name, start } = request;
      const places = await (start === WatchStart.OLDEST ? trimmedUpTo : heads)(db, [workspaceId]);
      const replay = {
        subject: subjectOf(context),
        method: ChangeService.method.createSubscription,
        requestId: request.requestId,
        request,
        now: clock,
        lock: workspaceId,
      };
      return idempotent(db, replay, async (tx) => {
        if ((await countSubscriptions(tx, workspaceId)) >= mostSubscriptions) throw limitReached(mostSubscriptions);
        const row: SubscriptionRow = {
          workspace_id: workspaceId,
          id: newId(),
          name,
          filter: toBinary(ChangeFilterSchema, request.filter ?? create(ChangeFilterSchema)),
          shard_count: request.shardCount || 1,
          created_by: actorOf(context),
          created_at: clock().getTime(),
        };
        const shards = await insertSubscription(tx, row, places.get(workspaceId) ?? 0).catch((error: unknown) => {
          if (!isUniqueViolation(error)) throw error;
          throw new AppError(Reason.SUBSCRIPTION_NAME_TAKEN, { metadata: { name }, cause: error });
        });
        return create(CreateSubscriptionResponseSchema, { subscription: subscriptionMessage(row, shards, new Map()) });
      });
    },

    async getSubscription(request) {
      const row = await subscriptionOf(deps, request.subscriptionId);
      return { subscription: await withLag(row) };
    },

    async listSubscriptions(request, context) {
      const { workspaceId } = request;
      const standing = await membership.of(subjectOf(context), workspaceId, callOf(context));
      const actor = actorOf(context);
      const maker = madeOrManages(subjectOf(context), standing, "") ? undefined : actor;
      const page = openPage(request, { workspaceId, maker });
      const { rows, nextPageToken } = await selectPage(subscriptionsIn(db.query, workspaceId, maker), page, ["name"]);
      const ids = rows.map(({ id }) => id);
      const shards = Map.groupBy(await shardsOf(db.query, workspaceId, ids), (shard) => shard.subscription_id);
      const lags = await lagsOf(workspaceId, [...shards.values()].flat());
      return {
        subscriptions: rows.map((row) => subscriptionMessage(row, shards.get(row.id) ?? [], lags)),
        nextPageToken,
      };
    },

    async acknowledgeChanges(request) {
      const row = await subscriptionOf(deps, request.subscriptionId);
      if (request.shardIndex >= row.shard_count) throw shardInvalid(row.shard_count);
      const place = await placeIn(db, row.workspace_id, request.cursor);
      await acknowledge(db.query, row, request.shardIndex, place, clock().getTime());
      return { subscription: await withLag(row) };
    },

    async deleteSubscription(request) {
      const row = await subscriptionOf(deps, request.subscriptionId);
      await db.transaction((tx) => removeSubscription(tx, row));
      watching.subscriptionRemoved(row.id);
      return {};
    },
  };

  async function withLag(row: SubscriptionRow): Promise<Subscription> {
    const shards = await shardsOf(db.query, row.workspace_id, [row.id]);
    return subscriptionMessage(row, shards, await lagsOf(row.workspace_id, shards));
  }

  /** The lag of each place that some shard has. */
  async function lagsOf(workspaceId: string, shards: readonly ShardRow[]): Promise<Lags> {
    const places = new Set(shards.map((shard) => shard.acknowledged));
    const lags = [...places].map(
      async (place) => [place, await lagOf(db, new Map([[workspaceId, place]]), clock)] as const,
    );
    return new Map(await Promise.all(lags));
  }
}

type Lags = ReadonlyMap<number, { readonly changes: number; readonly ageMs: number }>;

/** A subscription that exists. Throws NOT_FOUND. */
export async function subscriptionOf({ db }: Pick<Deps, "db">, id: string): Promise<SubscriptionRow> {
  const row = await readSubscription(db.query, id);
  if (row === undefined) throw notFound("subscription", id);
  return row;
}

export function shardInvalid(count: number): AppError {
  return new AppError(Reason.SHARD_INVALID, {
    metadata: { count: String(count) },
    message: `The subscription has ${count} shards; choose one of them, with that count.`,
  });
}

function subscriptionMessage(row: SubscriptionRow, shards: readonly ShardRow[], lags: Lags): Subscription {
  return create(SubscriptionSchema, {
    id: row.id,
    workspaceId: row.workspace_id,
    name: row.name,
    filter: fromBinary(ChangeFilterSchema, row.filter),
    createdBy: actorMessage(row.created_by),
    createTime: timestampFromMs(row.created_at),
    shards: shards.map((shard) => {
      const lag = lags.get(shard.acknowledged) ?? { changes: 0, ageMs: 0 };
      return {
        index: shard.shard,
        cursor: encodeCursor(new Map([[row.workspace_id, shard.acknowledged]])),
        lagCount: BigInt(Math.min(lag.changes, mostLagCounted)),
        lag: durationFromMs(Math.round(lag.ageMs)),
        ...(shard.acknowledged_at !== null && { acknowledgeTime: timestampFromMs(shard.acknowledged_at) }),
      };
    }),
  });
}
