/**
 * A service's database: MikroORM holds entities, schema and migrations; statements are written with Kysely.
 * Every service's store may use it, nothing else of a service does. It must never know a service's tables or rules.
 * SQLite runs in a worker thread (sqlite/), one file per service.
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { Migrator } from "@mikro-orm/migrations";
import type { InferKyselyDB } from "@mikro-orm/sql";
import { type AbstractSqlConnection, type EntitySchemaWithMeta, MikroORM, SqliteDriver } from "@mikro-orm/sql";
import { type Kysely, sql, type Transaction } from "kysely";
import { StartError } from "../errors.ts";
import type { Logger } from "../logger.ts";
import {
  MIGRATION_TABLE,
  type MigrationClass,
  type Migrations,
  type Orm,
  refuseNewerSchema,
  refusePending,
  schemaState,
} from "./migrate.ts";
import { TransactionScope } from "./scope.ts";
import { Signals } from "./signals.ts";
import { SqliteClient } from "./sqlite/client.ts";
import { SqliteWorkerDialect } from "./sqlite/dialect.ts";
import { runTransaction } from "./transaction.ts";
import { type Dialect, parseDatabaseUrl } from "./url.ts";

export { isBusy, isForeignKeyViolation, isUniqueViolation } from "./errors.ts";
export type { MigrationClass, Migrations } from "./migrate.ts";
export { afterCommit, type Transaction } from "./transaction.ts";

/** Larger files are checked by header and schema only when opened, since a whole check reads every page. */
const QUICK_CHECK_LIMIT_BYTES = 64 * 1024 * 1024;

const PREPARE_TRIES = 3;

/** A transaction that is open for longer is told of in the log. */
const SLOW_TRANSACTION_MS = 1_000;

// biome-ignore lint/suspicious/noExplicitAny: an entity of any shape
export type Entity = EntitySchemaWithMeta<string, string, any, any, any>;

/** The tables of a list of entities, snake_case, as Kysely wants them. */
export type TablesOf<Entities extends readonly Entity[]> = InferKyselyDB<Entities[number]>;

export interface OpenDatabaseOptions<Entities extends readonly Entity[]> {
  /** `file:<folder>` or `sqlite:<folder>`. */
  readonly url: string;
  /** The service's name; the file is `<folder>/<name>.db`. */
  readonly name: string;
  /** Every entity of the service, `runtimeEntities` among them. */
  readonly entities: Entities;
  readonly migrations: Migrations;
  readonly logger: Pick<Logger, "info" | "warn" | "error" | "debug">;
  /**
   * Whether pending migrations are applied now. Default: true for SQLite, the embedded default. When false, pending
   * ones are a StartError: a job of its own runs them.
   */
  readonly migrate?: boolean;
}

export interface Database<Tables> extends AsyncDisposable {
  readonly dialect: Dialect;
  readonly name: string;
  /** Single statements: reads see the last commit, writes commit at once. */
  readonly query: Kysely<Tables>;
  /** Wakes those of this process who wait for rows; only a hint, since other processes write too. */
  readonly signals: Signals;
  /**
   * One transaction (BEGIN IMMEDIATE on SQLite: writers wait for each other in turn). Run again when it meets a lock, so
   * it must have no effect outside the database; never await an RPC inside. Inside, write with `tx` only: a second
   * transaction or a write through `query` throws. After five tries AppError CONFLICT.
   */
  transaction<Result>(run: (tx: Transaction<Tables>) => Promise<Result>): Promise<Result>;
  /** Rejects when the database does not answer; for readiness. */
  ready(): Promise<void>;
  /** Applies pending migrations and answers their names. */
  migrate(): Promise<readonly string[]>;
  /** The statements that would bring the schema to what the entities say; empty when the migrations are complete. */
  schemaDifference(): Promise<string>;
}

/**
 * Opens a service's database. Rejects with StartError (one sentence for the operator) when the URL is wrong, the folder
 * cannot be written, the file is damaged, or its schema is newer than the code.
 */
export async function openDatabase<const Entities extends readonly Entity[]>(
  options: OpenDatabaseOptions<Entities>,
): Promise<Database<TablesOf<Entities>>> {
  const { dialect, folder } = parseDatabaseUrl(options.url);
  const file = join(folder, `${options.name}.db`);
  const known = options.migrations[dialect] ?? [];
  const client = await openSqlite(folder, file);
  let orm: Orm | undefined;
  try {
    const scope = new TransactionScope();
    orm = await openOrm(new SqliteWorkerDialect(client, scope), options, known, file);
    const database = new MikroDatabase<TablesOf<Entities>>(dialect, options.name, orm, scope, known, options.logger);
    await database.prepare(options.migrate ?? dialect === "sqlite");
    return database;
  } catch (error) {
    await (orm?.close(true) ?? client.close());
    throw error;
  }
}

class MikroDatabase<Tables> implements Database<Tables> {
  readonly dialect: Dialect;
  readonly name: string;
  readonly query: Kysely<Tables>;
  readonly signals = new Signals();
  readonly #orm: Orm;
  readonly #scope: TransactionScope;
  readonly #known: readonly MigrationClass[];
  readonly #logger: OpenDatabaseOptions<readonly Entity[]>["logger"];

  constructor(
    dialect: Dialect,
    name: string,
    orm: Orm,
    scope: TransactionScope,
    known: readonly MigrationClass[],
    logger: OpenDatabaseOptions<readonly Entity[]>["logger"],
  ) {
    this.dialect = dialect;
    this.name = name;
    this.#orm = orm;
    this.#scope = scope;
    this.#known = known;
    this.#logger = logger;
    const connection = orm.em.getDriver().getConnection() as AbstractSqlConnection;
    this.query = connection.getClient() as unknown as Kysely<Tables>;
  }

  transaction<Result>(run: (tx: Transaction<Tables>) => Promise<Result>): Promise<Result> {
    return runTransaction(this.query, this.signals, this.#scope, async (tx) => {
      const began = performance.now();
      try {
        return await run(tx);
      } finally {
        const took = performance.now() - began;
        if (took > SLOW_TRANSACTION_MS) {
          this.#logger.warn(
            { database: this.name, ms: Math.round(took) },
            "a slow transaction held up every other writer",
          );
        }
      }
    });
  }

  async ready(): Promise<void> {
    await sql`select 1`.execute(this.query);
  }

  /** Checks the schema and brings it up to date. Another process may be doing the same: then it is looked at again. */
  async prepare(apply: boolean): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        const state = await schemaState(this.#orm, this.#known);
        refuseNewerSchema(state, this.name);
        if (state.pending.length === 0) return;
        if (!apply) refusePending(state, this.name);
        await this.migrate();
        return;
      } catch (error) {
        if (error instanceof StartError || attempt === PREPARE_TRIES) throw error;
      }
    }
  }

  async migrate(): Promise<readonly string[]> {
    const applied = (await this.#orm.migrator.up()).map((migration) => migration.name);
    if (applied.length > 0) this.#logger.info({ database: this.name, migrations: applied }, "database migrated");
    return applied;
  }

  async schemaDifference(): Promise<string> {
    return (await this.#orm.schema.getUpdateSchemaSQL({ wrap: false })).trim();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#orm.close(true);
  }
}

async function openSqlite(folder: string, file: string): Promise<SqliteClient> {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    return await SqliteClient.open({ file, quickCheckLimit: QUICK_CHECK_LIMIT_BYTES });
  } catch (error) {
    throw new StartError(sentenceFor(error, folder, file), { cause: error });
  }
}

function sentenceFor(error: unknown, folder: string, file: string): string {
  const { code, errcode, message } = error as { code?: string; errcode?: number; message?: string };
  const primary = errcode === undefined ? undefined : errcode & 0xff;
  if (primary === 11 || primary === 26) {
    return `The database ${file} is damaged (${message}); restore it from a backup.`;
  }
  if (primary === 5) return `The database ${file} is in use by another process that does not give it free.`;
  if (primary === 13 || code === "ENOSPC") return `The disk of ${folder} is full.`;
  if (primary === 8 || primary === 14 || ["EACCES", "EPERM", "EROFS"].includes(code ?? "")) {
    return `The folder ${folder} cannot be written by this account; the database ${file} needs that.`;
  }
  if (code === "ENOTDIR" || code === "EEXIST")
    return `${folder} cannot hold databases: a part of that path is not a folder.`;
  return `The database ${file} cannot be opened: ${message ?? String(error)}.`;
}

function openOrm(
  kysely: SqliteWorkerDialect,
  options: OpenDatabaseOptions<readonly Entity[]>,
  known: readonly MigrationClass[],
  file: string,
): Promise<Orm> {
  return MikroORM.init({
    driver: SqliteDriver,
    dbName: file,
    driverOptions: kysely,
    entities: [...options.entities],
    extensions: [Migrator],
    migrations: {
      migrationsList: known.map((migration) => ({ name: migration.name, class: migration })),
      tableName: MIGRATION_TABLE,
      snapshot: false,
      transactional: true,
      allOrNothing: true,
    },
    logger: (message) => options.logger.debug({ database: options.name }, message),
    colors: false,
  });
}
