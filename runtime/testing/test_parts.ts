// What a test's services stand on: files in the test's folder, or, where the run names servers, places of their own on
// those. `npm run e2e:real` names them; nothing else of a test changes.

import { createHash } from "node:crypto";
import { createConnection } from "mysql2/promise";

/** The variables with which a run says where its tests keep data. Unset or empty: in the test's folder, in the process. */
export const testVariables = {
  /** `mariadb://root:…@127.0.0.1:3306`, without a schema, as an account that may make schemas. */
  database: "DOCKET_TEST_DATABASE_URL",
  /** `redis://127.0.0.1:6379` */
  redis: "DOCKET_TEST_REDIS_URL",
  /** `s3://bucket/prefix?…`; the credentials are where the S3 client looks for them. */
  blobs: "DOCKET_TEST_BLOB_URL",
} as const;

const services = ["user", "storage", "document", "integration", "notes"];

/** The settings of all parts for the services whose data folder this is; a second call names the same places. */
export async function testParts(folder: string): Promise<Readonly<Record<string, string>>> {
  return { ...(await testDatabase(folder)), ...testRedis(folder), ...testBlobs(folder) };
}

/** The settings for Redis: keys of the folder's own. */
export function testRedis(folder: string): Readonly<Record<string, string>> {
  const url = named(testVariables.redis);
  return url === undefined ? {} : { REDIS_URL: url, REDIS_PREFIX: `${nameOf(folder)}:` };
}

/** The settings for contents: a place of the folder's own in the bucket. */
export function testBlobs(folder: string): Readonly<Record<string, string>> {
  const url = named(testVariables.blobs);
  if (url === undefined) return {};
  const place = new URL(url);
  place.pathname = `${place.pathname.replace(/\/$/, "")}/${nameOf(folder)}`;
  return { BLOB_URL: place.href };
}

/** The URL of the databases of a test's folder, for `openDatabase`. */
export async function testDatabaseUrl(folder: string): Promise<string> {
  return (await testDatabase(folder)).DATABASE_URL ?? `file:${folder}`;
}

/** The settings for the databases: schemas of the folder's own, which the services fill. */
export async function testDatabase(folder: string): Promise<Readonly<Record<string, string>>> {
  const server = named(testVariables.database);
  if (server === undefined) return {};
  const { hostname, port, username, password } = new URL(server);
  const connection = await createConnection({ host: hostname, port: Number(port), user: username, password });
  try {
    for (const service of services)
      await connection.query(`create database if not exists ${nameOf(folder)}_${service}`);
  } finally {
    await connection.end();
  }
  return { DATABASE_URL: `${server.replace(/\/$/, "")}/${nameOf(folder)}_{service}`, DATABASE_MIGRATE: "true" };
}

function nameOf(folder: string): string {
  return `test_${createHash("sha256").update(folder).digest("hex").slice(0, 16)}`;
}

function named(variable: string): string | undefined {
  return process.env[variable] || undefined;
}
