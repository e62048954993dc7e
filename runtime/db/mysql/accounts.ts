/** Schemas and accounts on a MySQL or MariaDB server, made before anything else. It must never know whose they are. */
import type { Connection } from "mysql2/promise";
import { createConnection } from "mysql2/promise";
import { StartError } from "../../errors.ts";
import type { MysqlLocation } from "../url.ts";
import { type ConnectionOptions, openPool } from "./pool.ts";

/** What an account may do in its schema. */
export const rights = {
  /** Reads and writes rows: what a process that serves needs. */
  rows: ["SELECT", "INSERT", "UPDATE", "DELETE"],
  /** Changes the schema as well: what a migration needs. */
  schema: ["SELECT", "INSERT", "UPDATE", "DELETE", "CREATE", "ALTER", "DROP", "INDEX", "REFERENCES"],
} as const;

/** One account in one schema. */
export interface AccountWish {
  readonly location: MysqlLocation;
  readonly rights: keyof typeof rights;
}

/**
 * Makes what is missing, gives every account the password of its URL, and exactly these rights. May be done again at any
 * time. Throws StartError when the administrator cannot connect, or an account is on another server than the others.
 */
export async function prepareAccounts(
  administrator: MysqlLocation,
  wishes: readonly AccountWish[],
  options: ConnectionOptions,
): Promise<void> {
  for (const { location } of wishes) {
    if (location.host !== administrator.host || location.port !== administrator.port) {
      throw new StartError(
        `The account ${location.user} is at ${location.host}, and the administrator at ${administrator.host}.`,
      );
    }
    if (location.user === administrator.user) throw new StartError("The administrator must be an account of its own.");
  }
  const connection = await connect(administrator, options);
  try {
    const users = Map.groupBy(wishes, ({ location }) => location.user);
    for (const [user, all] of users) await prepare(connection, user, all);
  } finally {
    await connection.end();
  }
}

async function prepare(connection: Connection, user: string, wishes: readonly AccountWish[]): Promise<void> {
  const account = [user, "%"];
  const password = wishes[0]?.location.password;
  await connection.query("CREATE USER IF NOT EXISTS ?@? IDENTIFIED BY ?", [...account, password]);
  await connection.query("ALTER USER ?@? IDENTIFIED BY ?", [...account, password]);
  await connection.query("REVOKE ALL PRIVILEGES, GRANT OPTION FROM ?@?", account);
  for (const { location, rights: which } of wishes) {
    const { schema } = location;
    await connection.query("CREATE DATABASE IF NOT EXISTS ?? CHARACTER SET utf8mb4 COLLATE utf8mb4_bin", [schema]);
    await connection.query(`GRANT ${rights[which].join(", ")} ON ??.* TO ?@?`, [schema, ...account]);
  }
}

async function connect(administrator: MysqlLocation, options: ConnectionOptions): Promise<Connection> {
  const pool = openPool(administrator, options);
  try {
    return await createConnection(pool.options);
  } catch (error) {
    throw new StartError(`The administrator cannot connect to ${administrator.host}: ${(error as Error).message}.`);
  } finally {
    await pool.end();
  }
}
