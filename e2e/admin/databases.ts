// The databases of all services, as operators open them.

import { openDocumentAdmin } from "@docket/document/admin";
import { readConfig as readDocumentConfig } from "@docket/document/config";
import { openIntegrationAdmin } from "@docket/integration/admin";
import { readConfig as readIntegrationConfig } from "@docket/integration/config";
import type { AdminOptions, DatabaseAdmin } from "@docket/runtime/admin";
import { openStorageAdmin } from "@docket/storage/admin";
import { readConfig as readStorageConfig } from "@docket/storage/config";
import { openUserAdmin } from "@docket/user/admin";
import { readConfig as readUserConfig } from "@docket/user/config";
import type { Environment } from "../mesh.ts";
import { UsageError } from "./command.ts";

/** How each service's database is opened, by the service's name, in the order in which they are shown. */
export const openers = {
  user: (environment: Environment, options?: AdminOptions) => openUserAdmin(readUserConfig(environment), options),
  document: (environment: Environment, options?: AdminOptions) =>
    openDocumentAdmin(readDocumentConfig(environment), options),
  storage: (environment: Environment, options?: AdminOptions) =>
    openStorageAdmin(readStorageConfig(environment), options),
  integration: (environment: Environment, options?: AdminOptions) =>
    openIntegrationAdmin(readIntegrationConfig(environment), options),
} satisfies Record<string, (environment: Environment, options?: AdminOptions) => Promise<DatabaseAdmin>>;

/** The name of a service that has a database. */
export type DatabaseName = keyof typeof openers;

/** The names of all services that have a database. */
export const databaseNames = Object.keys(openers) as readonly DatabaseName[];

/** The service that a word names; all of them when there is no word. Throws UsageError. */
export function databasesNamed(word: string | undefined, environment: Environment): readonly DatabaseName[] {
  if (word === undefined) {
    refuseOneSchema(environment, "name that service, or");
    return databaseNames;
  }
  const name = databaseNames.find((known) => known === word);
  if (name === undefined) {
    throw new UsageError(`There is no service ${JSON.stringify(word)} with a database: ${databaseNames.join(", ")}.`);
  }
  return [name];
}

/** Does something with each of these databases, one after the other. */
export async function withDatabases<Result>(
  names: readonly DatabaseName[],
  environment: Environment,
  run: (admin: DatabaseAdmin) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  for (const name of names) {
    await using admin: DatabaseAdmin = await openers[name](environment);
    results.push(await run(admin));
  }
  return results;
}

/** Refuses settings that lead to the schema of one service only, where others are needed too. Throws UsageError. */
export function refuseOneSchema({ DATABASE_URL = "" }: Environment, remedy = ""): void {
  if (!/^(mysql|mariadb):/.test(DATABASE_URL) || DATABASE_URL.includes("{service}")) return;
  throw new UsageError(
    `DATABASE_URL names the schema of one service: ${`${remedy} write {service} where the names differ`.trim()}, such as mysql://docket_{service}:…@host/docket_{service}.`,
  );
}
