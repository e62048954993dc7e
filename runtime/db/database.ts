/**
 * A service's database: MikroORM holds entities, schema and migrations; statements are written with Kysely.
 * Every service's store may use it, nothing else of a service does. It must never know a service's tables or rules.
 * SQLite runs in a worker thread (sqlite/), one file per service; MySQL and MariaDB have one schema per service (mysql/).
 */
import type { AbstractSqlConnection, EntitySchemaWithMeta, InferKyselyDB } from "@mikro-orm/sql";
import { type Kysely, sql, type Transaction } from "kysely";
import { StartError } from "../errors.ts";
import type { Logger } from "../logger.ts";
import type { Telemetry } from "../telemetry/telemetry.ts";
import { type Backend, openBackend } from "./backend.ts";
import { isDenied } from "./errors.ts";
import {
  alreadyDone,
  ensureState,
  type MigrationClass,
  type Migrations,
  noteBegun,
  noteOldestCode,
  refuseNewerSchema,
  refusePending,
  type SchemaState,
  schemaState,
} from "./migrate.ts";
import type { ConnectionOptions } from "./mysql/pool.ts";
import { TransactionScope } from "./scope.ts";
import { Signals } from "./signals.ts";
import { runTransaction, type TransactionOptions } from "./transaction.ts";
import { type Dialect, parseDatabaseUrl } from "./url.ts";

export { isBusy, isForeignKeyViolation, isUniqueViolation } from "./errors.ts";
export type { MigrationClass, Migrations, SchemaState } from "./migrate.ts";
export { afterCommit, type Transaction, type TransactionOptions } from "./transaction.ts";
export type { Dialect } from "./url.ts";

const PREPARE_TRIES = 3;

/** A transaction that is open for longer is told of in the log. */
const SLOW_TRANSACTION_MS = 1_000;

// biome-ignore lint/suspicious/noExplicitAny: an entity of any shape
export type Entity = EntitySchemaWithMeta<string, string, any, any, any>;

/** The tables of a list of entities, snake_case, as Kysely wants them. */
export type TablesOf<Entities extends readonly Entity[]> = InferKyselyDB<Entities[number]>;

export interface OpenDatabaseOptions<Entities extends readonly Entity[]> {
  /** `file:<folder>`, `sqlite:<folder>`, or `mysql://…` and `mariadb://…` with a schema (url.ts). */
  readonly url: string;
  /** How a server is spoken to; nothing to SQLite. */
  readonly connection?: ConnectionOptions;
  /** The service's name; SQLite's file is `<folder>/<name>.db`. */
  readonly name: string;
  /** Every entity of the service, `runtimeEntities` among them. */
  readonly entities: Entities;
  readonly migrations: Migrations;
  readonly logger: Pick<Logger, "info" | "warn" | "error" | "debug">;
  /** Where statements are counted and traced. Default: nowhere. */
  readonly telemetry?: Telemetry | undefined;
  /**
   * Whether pending migrations are applied now. Default: true for SQLite, the embedded default. When false, pending
   * ones are a StartError: a job of its own runs them. `unchecked` opens whatever schema there is, for that job.
   */
  readonly migrate?: boolean | "unchecked";
}

/** Statements from one schema to another, and back. */
export interface SchemaDifference {
  readonly up: readonly string[];
  readonly down: readonly string[];
}

export interface Database<Tables> extends AsyncDisposable {
  readonly dialect: Dialect;
  readonly name: string;
  /** Single statements: reads see the last commit, writes commit at once, and are tried again when they meet others. */
  readonly query: Kysely<Tables>;
  /** Wakes those of this process who wait for rows; only a hint, since other processes write too. */
  readonly signals: Signals;
  /**
   * One transaction: BEGIN IMMEDIATE on SQLite, where writers wait for each other in turn, SERIALIZABLE on a server. Run
   * again when it meets another, so it must have no effect outside the database; never await an RPC inside. Inside,
   * write with `tx` only: a second transaction or a write through `query` throws. After five tries and five seconds
   * AppError CONFLICT.
   */
  transaction<Result>(run: (tx: Transaction<Tables>) => Promise<Result>, options?: TransactionOptions): Promise<Result>;
  /** Rejects when the database does not answer; for readiness. */
  ready(): Promise<void>;
  /** What has been applied and what has not. */
  schemaState(): Promise<SchemaState>;
  /** Applies pending migrations and answers their names. Of two that do so at once, one waits for the other. */
  migrate(): Promise<readonly string[]>;
  /** Takes back the newest migration, or all that are newer than the named one; answers their names. */
  migrateDown(to?: string): Promise<readonly string[]>;
  /** What would bring the schema to what the entities say; empty when the migrations are complete. */
  schemaDifference(): Promise<SchemaDifference>;
}

/**
 * Opens a service's database. Rejects with StartError (one sentence for the operator) when the URL is wrong, the folder
 * cannot be written, the file is damaged, or its schema is newer than the code.
 */
export async function openDatabase<const Entities extends readonly Entity[]>(
  options: OpenDatabaseOptions<Entities>,
): Promise<Database<TablesOf<Entities>>> {
  const location = parseDatabaseUrl(options.url, options.name);
  const scope = new TransactionScope();
  const backend = await openBackend(location, options, scope);
  try {
    const database = new MikroDatabase<TablesOf<Entities>>(location.dialect, backend, scope, options);
    const { migrate = location.dialect === "sqlite" } = options;
    if (migrate !== "unchecked") await database.prepare(migrate);
    return database;
  } catch (error) {
    await backend.close();
    throw error;
  }
}

class MikroDatabase<Tables> implements Database<Tables> {
  readonly dialect: Dialect;
  readonly name: string;
  readonly query: Kysely<Tables>;
  readonly signals = new Signals();
  readonly #backend: Backend;
  readonly #scope: TransactionScope;
  readonly #known: readonly MigrationClass[];
  readonly #logger: OpenDatabaseOptions<readonly Entity[]>["logger"];

  constructor(
    dialect: Dialect,
    backend: Backend,
    scope: TransactionScope,
    options: OpenDatabaseOptions<readonly Entity[]>,
  ) {
    this.dialect = dialect;
    this.name = options.name;
    this.#backend = backend;
    this.#scope = scope;
    this.#known = options.migrations[dialect] ?? [];
    this.#logger = options.logger;
    const connection = backend.orm.em.getDriver().getConnection() as AbstractSqlConnection;
    this.query = connection.getClient() as unknown as Kysely<Tables>;
  }

  transaction<Result>(
    run: (tx: Transaction<Tables>) => Promise<Result>,
    { lock }: TransactionOptions = {},
  ): Promise<Result> {
    return runTransaction(this.query, this.signals, this.#scope, async (tx) => {
      if (lock !== undefined && this.dialect === "mysql") {
        await sql`insert into change_sequence (\`partition\`, n, trimmed) values (${lock}, 0, 0)
          on duplicate key update n = n`.execute(tx);
      }
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
        const state = await this.schemaState();
        refuseNewerSchema(state, this.name, this.#known);
        if (state.unknown.length > 0) {
          this.#logger.warn({ database: this.name, unknown: state.unknown }, "the schema is newer than this code");
        }
        if (state.pending.length === 0) return;
        if (!apply) refusePending(state, this.name);
        await this.migrate();
        return;
      } catch (error) {
        // A server has a lock for it.
        if (this.dialect !== "sqlite" || error instanceof StartError || attempt === PREPARE_TRIES) throw error;
      }
    }
  }

  schemaState(): Promise<SchemaState> {
    return schemaState(this.query as Kysely<unknown>, this.#known);
  }

  async migrate(): Promise<readonly string[]> {
    const applied = await this.#changingSchema(async () => {
      const state = await this.schemaState();
      refuseNewerSchema(state, this.name, this.#known);
      if (state.pending.length === 0) return [];
      const query = this.query as Kysely<unknown>;
      await ensureState(query);
      for (const migration of state.pending) {
        // Where statements commit one by one, those that a cut has left done are passed over.
        const again = migration === state.begun ? alreadyDone : undefined;
        await noteBegun(query, migration);
        await this.#backend.migrating(again, () => this.#backend.orm.migrator.up({ migrations: [migration] }));
        await noteBegun(query, null);
      }
      await noteOldestCode(query, this.#oldestCodeAfter(state));
      return state.pending;
    });
    if (applied.length > 0) this.#logger.info({ database: this.name, migrations: applied }, "database migrated");
    return applied;
  }

  /** A new database is this code's; an older one's previous code goes on, unless a migration took something from it. */
  #oldestCodeAfter({ executed, pending }: SchemaState): string {
    const named = this.#known.filter(({ name }) => pending.includes(name)).map(({ oldestCode }) => oldestCode);
    const before = executed.at(-1) ?? pending.at(-1) ?? "";
    return [before, ...named.filter((name) => name !== undefined)].sort().at(-1) ?? before;
  }

  async migrateDown(to?: string): Promise<readonly string[]> {
    return await this.#changingSchema(async () => {
      const { executed } = await this.schemaState();
      if (to !== undefined && !executed.includes(to)) {
        throw new StartError(
          `The ${this.name} database has no migration ${to}; it has ${executed.join(", ") || "none"}.`,
        );
      }
      const back = executed.filter((name) => name > (to ?? executed.at(-2) ?? "")).reverse();
      for (const migration of back) this.#refuseOneWay(migration);
      for (const migration of back) {
        await this.#backend.migrating(undefined, () => this.#backend.orm.migrator.down({ migrations: [migration] }));
      }
      const remaining = executed.filter((name) => !back.includes(name)).at(-1);
      if (remaining !== undefined) await noteOldestCode(this.query as Kysely<unknown>, remaining);
      this.#logger.info({ database: this.name, migrations: back }, "migrations taken back");
      return back;
    });
  }

  /** Changes the schema while no other process does. Throws StartError when the account lacks a right. */
  async #changingSchema<Result>(body: () => Promise<Result>): Promise<Result> {
    try {
      return await this.#backend.alone(body);
    } catch (error) {
      if (!isDenied(error)) throw error;
      const { message } = error as Error;
      throw new StartError(`The account in DATABASE_URL may not change the schema: ${message}`, { cause: error });
    }
  }

  #refuseOneWay(name: string): void {
    const migration = this.#known.find((known) => known.name === name);
    if (migration !== undefined && Object.hasOwn(migration.prototype, "down")) return;
    throw new StartError(
      `The ${this.name} database cannot go back before ${name}: ${migration ? "there is no way back" : "this code does not know it; take it back with the code that does"}.`,
    );
  }

  async schemaDifference(): Promise<SchemaDifference> {
    const { up, down } = await this.#backend.orm.schema.getUpdateSchemaMigrationSQL({ wrap: false });
    return { up: statementsOf(up), down: statementsOf(down) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#backend.close();
  }
}

function statementsOf(script: string): string[] {
  const statements = script.split(/;\s*\n/).map((statement) => statement.trim().replace(/;$/, ""));
  return statements.filter((statement) => statement !== "");
}
