// The parts that production uses, started for one run: MariaDB with a schema and an account for each service, Redis,
// and an S3 server with a bucket. All are gone, with what they hold, when the run ends.

import { randomBytes } from "node:crypto";
import { type MariadbServer, startMariadb } from "@docket/runtime/testing/servers/mariadb";
import { type RedisServer, startRedis } from "@docket/runtime/testing/servers/redis";
import { type S3Server, startS3 } from "@docket/runtime/testing/servers/s3";

/** Every service that has a database. */
export const databases = ["user", "storage", "document", "integration"] as const;

/** The parts, running. */
export interface Parts extends AsyncDisposable {
  readonly mariadb: MariadbServer;
  readonly redis: RedisServer;
  readonly s3: S3Server;
  /** The settings of services that use them. */
  readonly settings: Readonly<Record<string, string>>;
}

/** Starts all of them. Throws naming the package when one is missing on this machine. */
export async function startParts(): Promise<Parts> {
  await using parts = new AsyncDisposableStack();
  const mariadb = parts.use(await startMariadb());
  const redis = parts.use(await startRedis());
  const s3 = parts.use(await startS3());
  const password = randomBytes(12).toString("hex");
  for (const service of databases) {
    const account = `docket_${service}@'127.0.0.1'`;
    await mariadb.run(
      `create database docket_${service} character set utf8mb4 collate utf8mb4_bin`,
      `create user ${account} identified by '${password}'`,
      `grant all on docket_${service}.* to ${account}`,
    );
  }
  const owned = parts.move();
  return {
    mariadb,
    redis,
    s3,
    settings: {
      DATABASE_URL: `mariadb://docket_{service}:${password}@127.0.0.1:${mariadb.port}/docket_{service}`,
      REDIS_URL: redis.url,
      BLOB_URL: s3.place(),
      ...s3.environment,
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
