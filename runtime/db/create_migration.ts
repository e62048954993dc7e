/**
 * Writes the next migration of a service, for every dialect that lacks it:
 * `node runtime/db/create_migration.ts services/document/store add_labels`. It runs the checked-in migrations on an empty
 * database (a private MariaDB is started for that), compares the result with the `entities` that `<store>/entities.ts`
 * exports, and writes `<store>/migrations/<dialect>/` with its `index.ts`. Read what it wrote: a migration must work
 * with the previous and with the next code, and keep what is there.
 */
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { startMariadb } from "../testing/servers/mariadb.ts";
import { type Entity, type MigrationClass, openDatabase, type SchemaDifference } from "./database.ts";
import type { Dialect } from "./url.ts";

const silent = { info() {}, warn() {}, error() {}, debug() {} };

/** An empty database to compare with. */
export interface EmptyDatabase {
  readonly dialect: Dialect;
  readonly url: string;
}

/** The path of the migration written, or undefined when the schema says what the entities say. */
export async function createMigration(
  store: string,
  label: string,
  now: Date,
  { dialect, url }: EmptyDatabase,
): Promise<string | undefined> {
  if (!/^[a-z][a-z0-9_]*$/.test(label)) throw new Error(`the label must be snake_case, and is ${label}`);
  const { entities } = (await load(join(store, "entities.ts"))) as { entities: readonly Entity[] };
  const folder = join(store, "migrations", dialect);
  const index = join(folder, "index.ts");
  const known = existsSync(index) ? ((await load(index)) as { migrations: readonly MigrationClass[] }).migrations : [];

  const options = { url, name: "compare", entities, migrations: { [dialect]: known }, migrate: true, logger: silent };
  await using database = await openDatabase(options);
  const difference = await database.schemaDifference();
  if (difference.up.length === 0) return undefined;
  const name = `Migration${stampOf(now)}_${label}`;
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, `${name}.ts`), sourceOf(name, difference));
  await writeFile(index, await indexOf(folder));
  return join(folder, `${name}.ts`);
}

async function load(path: string): Promise<unknown> {
  return import(pathToFileURL(resolve(path)).href);
}

function stampOf(now: Date): string {
  return now.toISOString().replace(/\D/g, "").slice(0, 14);
}

function sourceOf(name: string, { up, down }: SchemaDifference): string {
  const calls = (statements: readonly string[]) =>
    statements.map((statement) => `    this.addSql(${JSON.stringify(statement)});`);
  return [
    'import { Migration } from "@mikro-orm/migrations";',
    "",
    `export class ${name} extends Migration {`,
    "  override up(): void {",
    ...calls(up),
    "  }",
    "",
    "  override down(): void {",
    ...calls(down),
    "  }",
    "}",
    "",
  ].join("\n");
}

async function indexOf(folder: string): Promise<string> {
  const names = (await readdir(folder))
    .filter((file) => /^Migration\d{14}_.*\.ts$/.test(file))
    .map((file) => file.slice(0, -3))
    .sort();
  return [
    "// Oldest first; written by runtime/db/create_migration.ts.",
    ...names.map((name) => `import { ${name} } from "./${name}.ts";`),
    "",
    `export const migrations = [${names.join(", ")}];`,
    "",
  ].join("\n");
}

if (import.meta.main) {
  const [store, label] = process.argv.slice(2);
  if (store === undefined || label === undefined) {
    console.error("usage: node runtime/db/create_migration.ts <services/x/store> <label>");
    process.exitCode = 2;
  } else {
    const now = new Date();
    const folder = await mkdtemp(join(tmpdir(), "docket-migration-"));
    await using server = await startMariadb();
    await server.run("create database empty");
    const targets: EmptyDatabase[] = [
      { dialect: "sqlite", url: `file:${folder}` },
      { dialect: "mysql", url: server.url("empty") },
    ];
    for (const target of targets) {
      const written = await createMigration(store, label, now, target);
      console.log(written ?? `${target.dialect}: the schema is what the entities say; nothing to write.`);
    }
    await rm(folder, { recursive: true, force: true });
  }
}
