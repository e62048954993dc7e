/** Takes a service's migrations up, down and up again on a database, and says where they and the entities disagree. */
import { sql } from "kysely";
import { type Entity, type Migrations, openDatabase } from "../database.ts";
import { silentLogger } from "./note.ts";

export interface BothWays {
  /** The statements that the migrations lack, or have too much; empty when they say what the entities say. */
  readonly difference: readonly string[];
  /** How many migrations there are, and how many were taken back. */
  readonly up: number;
  readonly down: number;
  /** Tables that were left when all migrations were taken back. */
  readonly left: readonly string[];
  /** The difference after the second way up. */
  readonly again: readonly string[];
}

export async function bothWays(url: string, entities: readonly Entity[], migrations: Migrations): Promise<BothWays> {
  await using database = await openDatabase({
    url,
    name: "bothways",
    entities,
    migrations,
    migrate: "unchecked",
    logger: silentLogger,
  });
  const up = await database.migrate();
  const difference = await database.schemaDifference();
  const down: string[] = [];
  for (;;) {
    if ((await database.schemaState()).executed.length === 0) break;
    down.push(...(await database.migrateDown()));
  }
  const names =
    database.dialect === "sqlite"
      ? sql<{ name: string }>`select name from sqlite_master where type = 'table'`
      : sql<{ name: string }>`select table_name as name from information_schema.tables where table_schema = schema()`;
  const left = (await names.execute(database.query)).rows.map((row) => row.name);
  await database.migrate();
  const again = await database.schemaDifference();
  return {
    difference: difference.up,
    up: up.length,
    down: down.length,
    left: left.filter((name) => !/^(schema_|sqlite_|mikro_orm)/.test(name)),
    again: again.up,
  };
}
