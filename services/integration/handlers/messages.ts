// Rows as messages of the contract.
import { create, fromBinary } from "@bufbuild/protobuf";
import { durationFromMs, timestampFromMs } from "@bufbuild/protobuf/wkt";
import { type Actor, ActorSchema } from "@docket/contracts/gen/docket/document/v1/actor_pb.ts";
import { ChangeFilterSchema, type ChangeKind } from "@docket/contracts/gen/docket/document/v1/change_pb.ts";
import {
  type Delivery,
  type DeliveryAttempt,
  DeliveryAttemptSchema,
  DeliveryFailure,
  DeliverySchema,
  DeliveryState,
} from "@docket/contracts/gen/docket/integration/v1/delivery_pb.ts";
import {
  type Webhook,
  WebhookDisabledReason,
  WebhookSchema,
  WebhookState,
} from "@docket/contracts/gen/docket/integration/v1/webhook_pb.ts";
import { etagOf } from "../domain/revision.ts";
import type { SendFailure } from "../egress/send.ts";
import { type AttemptRow, countDeliveries, type DeliveryState as State, type ListedRow } from "../store/deliveries.ts";
import type { Query } from "../store/entities.ts";
import { type DisabledReason, liveSecrets, type WebhookRow, type WebhookState as Telling } from "../store/webhooks.ts";

/** How far deliveries are counted. */
const mostCounted = 10_000;

const states: Readonly<Record<Telling, WebhookState>> = {
  active: WebhookState.ACTIVE,
  paused: WebhookState.PAUSED,
  disabled: WebhookState.DISABLED,
};

const disabledReasons: Readonly<Record<DisabledReason, WebhookDisabledReason>> = {
  gone: WebhookDisabledReason.GONE,
  failing: WebhookDisabledReason.FAILING,
  backlog: WebhookDisabledReason.BACKLOG,
};

/** The states of deliveries, as rows write them. */
export const deliveryStates: Readonly<Record<State, DeliveryState>> = {
  waiting: DeliveryState.WAITING,
  delivered: DeliveryState.DELIVERED,
  parked: DeliveryState.PARKED,
};

const failures: Readonly<Record<SendFailure, DeliveryFailure>> = {
  status: DeliveryFailure.STATUS,
  redirect: DeliveryFailure.REDIRECT,
  refused: DeliveryFailure.REFUSED,
  name: DeliveryFailure.NAME,
  connection: DeliveryFailure.CONNECTION,
  tls: DeliveryFailure.TLS,
  timeout: DeliveryFailure.TIMEOUT,
  protocol: DeliveryFailure.PROTOCOL,
};

/** Webhooks with what is told of their secrets and deliveries. */
export async function webhookMessages(query: Query, rows: readonly WebhookRow[], now: number): Promise<Webhook[]> {
  const ids = rows.map(({ id }) => id);
  const secrets = Map.groupBy(await liveSecrets(query, ids, now), ({ webhook_id }) => webhook_id);
  const messages: Webhook[] = [];
  for (const row of rows) {
    const parkedCount = await countDeliveries(query, row.id, "parked", mostCounted);
    const waitingCount = await countDeliveries(query, row.id, "waiting", mostCounted);
    messages.push(
      create(WebhookSchema, {
        id: row.id,
        workspaceId: row.workspace_id,
        name: row.name,
        url: row.url,
        filter: fromBinary(ChangeFilterSchema, row.filter),
        state: states[row.state as Telling],
        disabledReason: row.disabled_reason === null ? 0 : disabledReasons[row.disabled_reason as DisabledReason],
        secrets: (secrets.get(row.id) ?? []).map((secret) => ({
          id: secret.id,
          createTime: timestampFromMs(secret.created_at),
          ...(secret.expires_at !== null && { expireTime: timestampFromMs(secret.expires_at) }),
        })),
        createdBy: actorMessage(row.created_by),
        createTime: timestampFromMs(row.created_at),
        updateTime: timestampFromMs(row.updated_at),
        ...(row.succeeded_at !== null && { lastSuccessTime: timestampFromMs(row.succeeded_at) }),
        ...(row.failing_since !== null && { failingSince: timestampFromMs(row.failing_since) }),
        ...(row.missed_at !== null && { missedTime: timestampFromMs(row.missed_at) }),
        parkedCount,
        waitingCount,
        etag: etagOf(row.version),
      }),
    );
  }
  return messages;
}

/** One webhook. */
export async function webhookMessage(query: Query, row: WebhookRow, now: number): Promise<Webhook> {
  const [message] = await webhookMessages(query, [row], now);
  return message ?? create(WebhookSchema);
}

export function deliveryMessage(row: ListedRow, last: AttemptRow | undefined): Delivery {
  const waits = row.state === "waiting";
  return create(DeliverySchema, {
    id: row.id,
    webhookId: row.webhook_id,
    changeId: row.message_id,
    kind: row.kind as ChangeKind,
    sequence: BigInt(row.sequence),
    state: deliveryStates[row.state as State],
    attemptCount: row.attempts,
    createTime: timestampFromMs(row.created_at),
    ...(waits ? { nextAttemptTime: timestampFromMs(row.due_at) } : { endTime: timestampFromMs(row.due_at) }),
    ...(last !== undefined && { lastAttempt: attemptMessage(last) }),
  });
}

export function attemptMessage({ at, ms, status, failure, answer }: AttemptRow): DeliveryAttempt {
  return create(DeliveryAttemptSchema, {
    time: timestampFromMs(at),
    duration: durationFromMs(ms),
    status,
    failure: failure === null ? DeliveryFailure.UNSPECIFIED : failures[failure],
    answer,
  });
}

function actorMessage(actor: string): Actor {
  const id = actor.slice(actor.indexOf(":") + 1);
  if (actor.startsWith("application:")) return create(ActorSchema, { actor: { case: "applicationId", value: id } });
  return create(ActorSchema, { actor: { case: "personId", value: id } });
}
