/** What differs between the databases when one is opened: the driver, how two are kept from migrating at once. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { Migrator } from "@mikro-orm/migrations";
import { MikroORM, SqliteDriver } from "@mikro-orm/sql";
import { StartError } from "../errors.ts";
import { Statements } from "../telemetry/statements.ts";
import type { Entity, OpenDatabaseOptions } from "./database.ts";
import { isAway } from "./errors.ts";
import { MIGRATION_TABLE, type Orm, SCHEMA_STATE_TABLE } from "./migrate.ts";
import { PooledMysqlDialect } from "./mysql/dialect.ts";
import { drivers } from "./mysql/drivers.ts";
import { withMigrationLock } from "./mysql/migration_lock.ts";
import { observePool, openPool } from "./mysql/pool.ts";
import type { TransactionScope } from "./scope.ts";
import { SqliteClient } from "./sqlite/client.ts";
import { SqliteWorkerDialect } from "./sqlite/dialect.ts";
import type { MysqlLocation, SqliteLocation } from "./url.ts";

/** Larger files are checked by header and schema only when opened, since a whole check reads every page. */
const QUICK_CHECK_LIMIT_BYTES = 64 * 1024 * 1024;

type Options = Pick<
  OpenDatabaseOptions<readonly Entity[]>,
  "name" | "entities" | "migrations" | "logger" | "connection" | "telemetry"
>;

/** An open database. */
export interface Backend {
  readonly orm: Orm;
  /** Runs while no other process migrates the same database. */
  alone<Result>(body: () => Promise<Result>): Promise<Result>;
  /** Runs one migration; statements that fail with one of these codes of the server are passed over. */
  migrating(passedOver: ReadonlySet<number> | undefined, body: () => Promise<unknown>): Promise<void>;
  close(): Promise<void>;
}

/** Opens what a URL names. Rejects with StartError. */
export function openBackend(
  location: SqliteLocation | MysqlLocation,
  options: Options,
  scope: TransactionScope,
): Promise<Backend> {
  return location.dialect === "sqlite" ? openFile(location, options, scope) : openServer(location, options, scope);
}

async function openFile({ folder }: SqliteLocation, options: Options, scope: TransactionScope): Promise<Backend> {
  const file = join(folder, `${options.name}.db`);
  const client = await openSqlite(folder, file);
  try {
    const orm = await MikroORM.init({
      ...common(options, "sqlite"),
      driver: SqliteDriver,
      dbName: file,
      driverOptions: new SqliteWorkerDialect(client, scope, statementsOf("sqlite", options)),
    });
    return {
      orm,
      // A migration is one transaction there; who comes second fails on what is there already, and looks again.
      alone: (body) => body(),
      async migrating(_, body) {
        await body();
      },
      close: () => orm.close(true),
    };
  } catch (error) {
    await client.close();
    throw error;
  }
}

async function openServer(location: MysqlLocation, options: Options, scope: TransactionScope): Promise<Backend> {
  const { server, host, port, schema } = location;
  const pool = openPool(location, options.connection ?? {});
  const none: ReadonlySet<number> = new Set();
  let migrating: { readonly passedOver: ReadonlySet<number> } | undefined;
  const dialect = new PooledMysqlDialect(pool.pool, {
    scope,
    statements: statementsOf(server, options),
    passedOver: () => migrating?.passedOver ?? none,
    migrating: () => migrating !== undefined,
  });
  if (options.telemetry?.metrics) observePool(options.telemetry.metrics, pool.pool);
  let orm: Orm | undefined;
  try {
    // Before MikroORM, which would hide why a server refuses.
    await pool.check();
    orm = await MikroORM.init({
      ...common(options, "mysql"),
      driver: drivers[server],
      dbName: schema,
      charset: "utf8mb4",
      collate: "utf8mb4_bin",
      driverOptions: dialect,
    });
  } catch (error) {
    await (orm?.close(true) ?? pool.end());
    throw new StartError(sentenceForServer(error, `${host}:${port}`, schema), { cause: error });
  }
  const open = orm;
  return {
    orm: open,
    alone: (body) => withMigrationLock(pool.options, schema, body),
    async migrating(passedOver, body) {
      migrating = { passedOver: passedOver ?? none };
      try {
        await body();
      } finally {
        migrating = undefined;
      }
    },
    close: () => open.close(true),
  };
}

function statementsOf(system: "sqlite" | "mysql" | "mariadb", { name, telemetry }: Options): Statements {
  return new Statements({ system, database: name, metrics: telemetry?.metrics });
}

function common(options: Options, dialect: "sqlite" | "mysql") {
  return {
    entities: [...options.entities],
    extensions: [Migrator],
    migrations: {
      migrationsList: (options.migrations[dialect] ?? []).map((migration) => ({
        name: migration.name,
        class: migration,
      })),
      tableName: MIGRATION_TABLE,
      snapshot: false,
      transactional: dialect === "sqlite",
      allOrNothing: false,
    },
    schemaGenerator: { skipTables: [SCHEMA_STATE_TABLE] },
    logger: (message: string) => options.logger.debug({ database: options.name }, message),
    colors: false,
  };
}

async function openSqlite(folder: string, file: string): Promise<SqliteClient> {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    return await SqliteClient.open({ file, quickCheckLimit: QUICK_CHECK_LIMIT_BYTES });
  } catch (error) {
    throw new StartError(sentenceForFile(error, folder, file), { cause: error });
  }
}

function sentenceForFile(error: unknown, folder: string, file: string): string {
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

function sentenceForServer(error: unknown, address: string, schema: string): string {
  // MikroORM and the dialect wrap what the driver said.
  const chain: { code?: string; errno?: number; message?: string; cause?: unknown }[] = [];
  for (let at = error as (typeof chain)[number] | undefined; at; at = at.cause as typeof at) chain.push(at);
  const has = (...codes: (string | number)[]) =>
    chain.some(({ code, errno }) => codes.includes(code ?? "") || codes.includes(errno ?? ""));
  if (has(1045, 1698, 1044)) return `The database server ${address} refuses the account in DATABASE_URL.`;
  if (has(1049)) return `The database server ${address} has no schema ${schema}; DATABASE_URL names it.`;
  if (has("HANDSHAKE_NO_SSL_SUPPORT")) {
    return `The database server ${address} offers no TLS; enable it there, or set DATABASE_ALLOW_PLAINTEXT=true where the network itself is trusted.`;
  }
  if (
    has("HANDSHAKE_SSL_ERROR") ||
    chain.some(({ code }) => /^(ERR_TLS|CERT_|UNABLE_TO|SELF_SIGNED|DEPTH_ZERO)/.test(code ?? ""))
  ) {
    return `The certificate of the database server ${address} is not to be trusted (${chain.at(-1)?.message}); DATABASE_CA names the authorities that are.`;
  }
  if (chain.some(isAway)) return `The database server ${address} in DATABASE_URL cannot be reached.`;
  return `The database server ${address} cannot be used: ${chain.at(-1)?.message ?? String(error)}.`;
}
