/** Brings a database's schema up to what the code knows, and refuses code that is older than the schema. */
import type { IDatabaseDriver, MikroORM } from "@mikro-orm/core";
import type { Migration } from "@mikro-orm/migrations";
import { StartError } from "../errors.ts";
import type { Dialect } from "./url.ts";

/** A checked-in migration class. Its name orders it: `Migration20261121103000_create_documents`. */
export type MigrationClass = new (...args: ConstructorParameters<typeof Migration>) => Migration;

/** The migrations of one service, per dialect, oldest first. */
export type Migrations = Partial<Record<Dialect, readonly MigrationClass[]>>;

/** MikroORM on any driver. */
export type Orm = MikroORM<IDatabaseDriver>;

/** The table in which MikroORM notes what has run. */
export const MIGRATION_TABLE = "schema_migration";

export interface SchemaState {
  /** Names of migrations that the code has and the database has not. */
  readonly pending: readonly string[];
  /** Names of migrations that the database has and the code does not know. */
  readonly unknown: readonly string[];
}

export async function schemaState(orm: Orm, known: readonly MigrationClass[]): Promise<SchemaState> {
  const executed = new Set((await orm.migrator.getExecuted()).map((row) => row.name));
  const names = new Set(known.map((migration) => migration.name));
  return {
    pending: [...names].filter((name) => !executed.has(name)),
    unknown: [...executed].filter((name) => !names.has(name)),
  };
}

/** Throws StartError when the database was written by newer code. */
export function refuseNewerSchema(state: SchemaState, name: string): void {
  if (state.unknown.length === 0) return;
  throw new StartError(
    `The ${name} database was upgraded by a newer version of Docket (it has ${state.unknown.join(", ")}); run that version, or restore a backup from before the upgrade.`,
  );
}

/** Throws StartError: a job of its own applies migrations here, never a serving process. */
export function refusePending(state: SchemaState, name: string): never {
  throw new StartError(`The ${name} database lacks ${state.pending.join(", ")}; run \`npm run migrate\` first.`);
}
