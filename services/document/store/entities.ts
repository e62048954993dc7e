// Every table of the document service. One file for each noun lies in entities/.
import { runtimeEntities } from "@docket/runtime/db/entities";
import type { Database, TablesOf, Transaction } from "@docket/runtime/db/database";
import type { Kysely } from "kysely";
import { ArchiveEntity } from "./entities/archives.ts";
import { CommentEntity } from "./entities/comments.ts";
import { DocumentEntity, ListingEntity, TagEntity, TermEntity, VersionEntity } from "./entities/documents.ts";
import { FollowerEntity } from "./entities/followers.ts";
import { FolderClosureEntity, FolderEntity } from "./entities/folders.ts";
import { GrantEntity } from "./entities/grants.ts";
import { OperationEntity } from "./entities/operations.ts";
import { SubscriptionEntity, SubscriptionShardEntity } from "./entities/subscriptions.ts";
import { TaskEntity } from "./entities/tasks.ts";

export const entities = [
  ...runtimeEntities,
  FolderEntity,
  FolderClosureEntity,
  DocumentEntity,
  VersionEntity,
  ListingEntity,
  TagEntity,
  TermEntity,
  GrantEntity,
  OperationEntity,
  ArchiveEntity,
  TaskEntity,
  CommentEntity,
  SubscriptionEntity,
  SubscriptionShardEntity,
  FollowerEntity,
] as const;

export type Tables = TablesOf<typeof entities>;
export type DocumentDatabase = Database<Tables>;
/** A transaction that writes. */
export type Tx = Transaction<Tables>;
/** Whatever statements may be run on: the database itself, or a transaction. */
export type Query = Kysely<Tables>;
