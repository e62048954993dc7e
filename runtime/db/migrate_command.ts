/** The command line of a service's migrations: a job of its own, run before the code that needs them. */
import { parseArgs } from "node:util";
import { ConfigError } from "../config.ts";
import { StartError } from "../errors.ts";
import { createLogger, type Logger } from "../logger.ts";
import { nodeVersionFault } from "../node_version.mjs";
import type { Database } from "./database.ts";

const help = (service: string) => `Migrations of the ${service} service's database.

  node services/${service}/migrate.ts [up]              applies what is pending
  node services/${service}/migrate.ts down <name>       takes back all that are newer than the named one, with what is in them
  node services/${service}/migrate.ts status            lists them

DATABASE_URL says which database, or DOCKET_DATA_DIR where it is unset. Several may start at once: they wait for each other.
`;

type Open = (options: {
  readonly migrate: "unchecked";
  readonly logger: Logger;
}) => Promise<Pick<Database<unknown>, "migrate" | "migrateDown" | "schemaState"> & AsyncDisposable>;

/**
 * Does what the command line asks for and sets the exit code: 0 when it is done, 1 when it cannot be (one sentence on
 * standard error), 2 when it was asked for wrongly.
 */
export async function runMigrations(service: string, open: Open, args = process.argv.slice(2)): Promise<void> {
  const unfit = nodeVersionFault(process.version);
  if (unfit !== undefined) return end(1, unfit);
  const asked = parse(args);
  if (asked === undefined) return end(2, help(service).trimEnd());
  if (asked === "down to nowhere") {
    return end(2, `Name the migration that the ${service} database goes back to; all that are newer are taken back.`);
  }
  if (asked === "help") return void process.stdout.write(help(service));
  try {
    await using database = await open({ migrate: "unchecked", logger: createLogger({ service, level: "warn" }) });
    for (const line of await answers[asked.command](database, asked.name))
      process.stdout.write(`${service}: ${line}\n`);
  } catch (error) {
    if (error instanceof StartError || error instanceof ConfigError) return end(1, error.message);
    throw error;
  }
}

interface Asked {
  readonly command: "up" | "down" | "status";
  readonly name: string | undefined;
}

type OpenDatabase = Awaited<ReturnType<Open>>;

const answers: Record<Asked["command"], (database: OpenDatabase, name?: string) => Promise<string[]>> = {
  async up(database) {
    const applied = await database.migrate();
    return applied.length === 0 ? ["nothing is pending"] : applied.map((name) => `applied ${name}`);
  },
  async down(database, name) {
    const back = await database.migrateDown(name);
    return back.length === 0 ? [`nothing is newer than ${name}`] : back.map((migration) => `took back ${migration}`);
  },
  async status(database) {
    const { executed, pending, unknown, oldestCode } = await database.schemaState();
    return [
      ...executed.map((name) => `${unknown.includes(name) ? "newer than this code" : "applied"} ${name}`),
      ...pending.map((name) => `pending ${name}`),
      ...(oldestCode === undefined ? [] : [`works with code that knows ${oldestCode}`]),
    ];
  },
};

// The name must be said: without one, repeated a few times or written instead of `up`, it would take back the first
// migration, and with it every row.
function parse(args: readonly string[]): Asked | "help" | "down to nowhere" | undefined {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { help: { type: "boolean", short: "h" } },
    });
    if (values.help === true) return "help";
    const [command = "up", name, ...more] = positionals;
    if (command !== "up" && command !== "down" && command !== "status") return undefined;
    if (command === "down" && name === undefined) return "down to nowhere";
    return more.length > 0 || (name !== undefined && command !== "down") ? undefined : { command, name };
  } catch {
    return undefined;
  }
}

function end(code: number, sentence: string): void {
  process.stderr.write(`${sentence}\n`);
  process.exitCode = code;
}
