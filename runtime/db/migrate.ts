/**
 * Brings a database's schema up to what the code knows, and back, and refuses code that is too old for the schema. An
 * upgrade must leave the previous release working (expand first, contract a release later), so the schema notes the
 * oldest code that may use it: what was newest before the last upgrade began, or what a migration names itself.
 */
import type { IDatabaseDriver, MikroORM } from "@mikro-orm/core";
import type { Migration } from "@mikro-orm/migrations";
import { type Kysely, sql } from "kysely";
import { StartError } from "../errors.ts";
import type { Dialect } from "./url.ts";

/** A checked-in migration class. Its name orders it: `Migration20261121103000_create_documents`. */
export type MigrationClass = (new (
  ...args: ConstructorParameters<typeof Migration>
) => Migration) & {
  /**
   * For a migration that takes something away: the name of the newest migration that code must know to work on the
   * schema after this one. Default: what was newest before the upgrade.
   */
  readonly oldestCode?: string;
};

/** The migrations of one service, per dialect, oldest first. */
export type Migrations = Partial<Record<Dialect, readonly MigrationClass[]>>;

/** MikroORM on any driver. */
export type Orm = MikroORM<IDatabaseDriver>;

/** The table in which MikroORM notes what has run. */
export const MIGRATION_TABLE = "schema_migration";

/** The table with one row: the oldest code that may use the schema, and the migration that was begun and not ended. */
export const SCHEMA_STATE_TABLE = "schema_state";

export interface SchemaState {
  /** Names of migrations that have run, oldest first. */
  readonly executed: readonly string[];
  /** Names of migrations that the code has and the database has not. */
  readonly pending: readonly string[];
  /** Names of migrations that the database has and the code does not know. */
  readonly unknown: readonly string[];
  /** Code must know this migration; undefined when the schema does not say. */
  readonly oldestCode: string | undefined;
  /** The migration that was begun and not ended. */
  readonly begun: string | undefined;
}

interface StateRow {
  oldest_code: string | null;
  begun: string | null;
}

/** Looks and changes nothing; a database that is empty has an empty state. */
export async function schemaState(query: Kysely<unknown>, known: readonly MigrationClass[]): Promise<SchemaState> {
  const executed = await executedMigrations(query);
  const names = known.map((migration) => migration.name);
  // Asked for also where nothing has run: the very first migration may have been cut short.
  const state = await readState(query);
  return {
    executed,
    pending: names.filter((name) => !executed.includes(name)),
    unknown: executed.filter((name) => !names.includes(name)),
    oldestCode: state?.oldest_code ?? undefined,
    begun: state?.begun ?? undefined,
  };
}

/** Throws StartError when the database was written by newer code, and says that this code is too old for it. */
export function refuseNewerSchema(state: SchemaState, name: string, known: readonly MigrationClass[]): void {
  if (state.unknown.length === 0) return;
  const { oldestCode } = state;
  if (oldestCode !== undefined && known.some((migration) => migration.name === oldestCode)) return;
  throw new StartError(
    `The ${name} database was upgraded by a newer version of Docket (it has ${state.unknown.join(", ")}); run that version, or restore a backup from before the upgrade.`,
  );
}

/** Throws StartError: a job of its own applies migrations here, never a serving process. */
export function refusePending(state: SchemaState, name: string): never {
  throw new StartError(`The ${name} database lacks ${state.pending.join(", ")}; run \`npm run migrate\` first.`);
}

/** Makes the table of the schema's state where there is none. */
export async function ensureState(query: Kysely<unknown>): Promise<void> {
  await sql`create table if not exists ${sql.table(SCHEMA_STATE_TABLE)} (id integer not null primary key,
    oldest_code varchar(200) null, begun varchar(200) null)`.execute(query);
  if ((await readState(query)) === undefined) {
    await sql`insert into ${sql.table(SCHEMA_STATE_TABLE)} (id) values (1)`.execute(query);
  }
}

/** Notes the oldest code that may use the schema. */
export async function noteOldestCode(query: Kysely<unknown>, migration: string): Promise<void> {
  await sql`update ${sql.table(SCHEMA_STATE_TABLE)} set oldest_code = ${migration} where id = 1`.execute(query);
}

/** Notes which migration has begun, or that none is. */
export async function noteBegun(query: Kysely<unknown>, migration: string | null): Promise<void> {
  await sql`update ${sql.table(SCHEMA_STATE_TABLE)} set begun = ${migration} where id = 1`.execute(query);
}

/** Not asked of MikroORM, which would make the table where there is none. */
async function executedMigrations(query: Kysely<unknown>): Promise<string[]> {
  try {
    const { rows } = await sql<{ name: string }>`select name from ${sql.table(MIGRATION_TABLE)}`.execute(query);
    return rows.map(({ name }) => name).sort();
  } catch (error) {
    if (isMissingTable(error)) return [];
    throw error;
  }
}

async function readState(query: Kysely<unknown>): Promise<StateRow | undefined> {
  try {
    const { rows } = await sql<StateRow>`select oldest_code, begun from ${sql.table(SCHEMA_STATE_TABLE)}`.execute(
      query,
    );
    return rows[0];
  } catch (error) {
    // A database from before there was such a table.
    if (isMissingTable(error)) return undefined;
    throw error;
  }
}

function isMissingTable(error: unknown): boolean {
  const { errno, message } = error as { errno?: number; message?: string };
  return errno === 1146 || /no such table/.test(message ?? "");
}

/**
 * What a server says to a statement that has been carried out already. There a schema's changes commit one by one, so a
 * migration that was cut short has done a part of them when it begins again: table, column or index exists, or is gone.
 */
export const alreadyDone: ReadonlySet<number> = new Set([1050, 1060, 1061, 1091, 1826]);
