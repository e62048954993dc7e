// The database of a test: SQLite in the test's folder, or schemas of its own on the server that the run names.

import { createHash } from "node:crypto";
import { createConnection } from "mysql2/promise";

/**
 * The variable with which a run says where its tests keep data: `mariadb://root:…@127.0.0.1:3306`, without a schema, as
 * an account that may make schemas. Unset: SQLite.
 */
export const testDatabaseVariable = "DOCKET_TEST_DATABASE_URL";

const services = ["user", "storage", "document", "integration", "notes"];

/** The URL of the databases of a test's folder, for `openDatabase`. */
export async function testDatabaseUrl(folder: string): Promise<string> {
  return (await testDatabase(folder)).DATABASE_URL ?? `file:${folder}`;
}

/** The settings of the services whose data folder this is; a second call for the same folder names the same schemas. */
export async function testDatabase(folder: string): Promise<Readonly<Record<string, string>>> {
  const server = process.env[testDatabaseVariable];
  if (server === undefined || server === "") return {};
  const name = `test_${createHash("sha256").update(folder).digest("hex").slice(0, 16)}`;
  const { hostname, port, username, password } = new URL(server);
  const connection = await createConnection({ host: hostname, port: Number(port), user: username, password });
  try {
    for (const service of services) await connection.query(`create database if not exists ${name}_${service}`);
  } finally {
    await connection.end();
  }
  return { DATABASE_URL: `${server.replace(/\/$/, "")}/${name}_{service}`, DATABASE_MIGRATE: "true" };
}
