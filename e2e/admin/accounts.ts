// `npm run admin -- databases prepare`: the schemas and accounts of all services on a new server.

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type AccountWish, prepareAccounts } from "@docket/runtime/db/mysql/accounts";
import { type MysqlLocation, parseDatabaseUrl } from "@docket/runtime/db/url";
import { StartError } from "@docket/runtime/errors";
import { readConfig } from "@docket/user/config";
import { columns, type Command } from "./command.ts";
import { databaseNames } from "./databases.ts";

/** Commands on the accounts at the database server. */
export const accountCommands: readonly Command[] = [
  {
    name: "databases prepare",
    parameters: "<folder>",
    summary:
      "Makes schemas and accounts on MySQL or MariaDB. The folder has a file for each, with its DATABASE_URL: administrator; user, document, storage, integration; each with -migration; operator.",
    count: { min: 1, max: 1 },
    async run({ positionals: [folder = ""] }, { environment }) {
      // Of the settings it is only how a server is spoken to that counts here: DATABASE_CA, DATABASE_ALLOW_PLAINTEXT.
      const { database } = readConfig({ ...environment, DATABASE_URL: "" });
      const administrator = await locationIn(folder, "administrator");
      const wishes: AccountWish[] = [];
      for (const service of databaseNames) {
        wishes.push({ location: await locationIn(folder, service), rights: "rows" });
        wishes.push({ location: await locationIn(folder, `${service}-migration`), rights: "schema" });
        wishes.push({ location: await locationIn(folder, "operator", service), rights: "rows" });
      }
      await prepareAccounts(administrator, wishes, database);
      const rows = wishes.map(({ location, rights }) => ({ account: location.user, schema: location.schema, rights }));
      const named = rows.map(({ account, schema, rights }) => [account, schema, rights]);
      return { data: rows, lines: columns(["ACCOUNT", "SCHEMA", "MAY CHANGE"], named) };
    },
  },
];

/** What a file of the folder says; `{service}` in it stands for the service. */
async function locationIn(folder: string, file: string, service = file): Promise<MysqlLocation> {
  const path = join(folder, file);
  const text = await readFile(path, "utf8").catch((error: Error) => {
    throw new StartError(`${path} cannot be read: ${error.message}.`);
  });
  const location = parseDatabaseUrl(text.trim(), service);
  if (location.dialect !== "mysql")
    throw new StartError(`${path} must hold a URL that begins with mysql: or mariadb:.`);
  return location;
}
