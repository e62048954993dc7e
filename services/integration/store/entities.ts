// Every table of the integration service.
import type { Database, TablesOf, Transaction } from "@docket/runtime/db/database";
import { runtimeEntities } from "@docket/runtime/db/entities";
import type { Kysely } from "kysely";
import { AttemptEntity, DeliveryEntity, MessageEntity } from "./entities/deliveries.ts";
import { FeedEntity, FollowerEntity } from "./entities/places.ts";
import { WebhookEntity, WebhookSecretEntity } from "./entities/webhooks.ts";

export const entities = [
  ...runtimeEntities,
  WebhookEntity,
  WebhookSecretEntity,
  MessageEntity,
  DeliveryEntity,
  AttemptEntity,
  FeedEntity,
  FollowerEntity,
] as const;

export type Tables = TablesOf<typeof entities>;
export type IntegrationDatabase = Database<Tables>;
/** A transaction that writes. */
export type Tx = Transaction<Tables>;
/** Whatever statements may be run on: the database itself, or a transaction. */
export type Query = Kysely<Tables>;
