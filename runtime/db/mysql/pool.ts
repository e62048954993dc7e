/** Connections to a MySQL or MariaDB server, by mysql2. It must never know statements or tables. */
import { readFileSync } from "node:fs";
import { isIP } from "node:net";
import { type ConnectionOptions as ConnectionSettings, createPool, type Pool } from "mysql2";
import { createConnection } from "mysql2/promise";
import { StartError } from "../../errors.ts";
import type { Metrics } from "../../telemetry/metrics.ts";
import type { MysqlLocation } from "../url.ts";

/** How a server is spoken to. */
export interface ConnectionOptions {
  /** PEM file of the authorities that may vouch for the server. Default: those that Node trusts. */
  readonly caFile?: string | undefined;
  /** Whether a server that is not on this machine may be spoken to without TLS. Default: false. */
  readonly allowPlaintext?: boolean | undefined;
  /** The most connections of this process. Default: 10. */
  readonly connections?: number | undefined;
}

const CONNECT_TIMEOUT_MS = 5_000;
const DEFAULT_CONNECTIONS = 10;

/**
 * What each session is told first. SERIALIZABLE gives a transaction what SQLite's single writer gives it: what it has
 * read stays true until it commits; single reads outside of transactions take no locks under it. Texts are compared
 * byte by byte, as SQLite does, and nothing is cut to fit a column.
 */
export const sessionStatements = [
  "set names utf8mb4 collate utf8mb4_bin",
  "set session transaction isolation level serializable",
  "set session sql_mode = 'TRADITIONAL,NO_ENGINE_SUBSTITUTION', session innodb_lock_wait_timeout = 5",
] as const;

/** Connections, and the options with which one more can be opened. */
export interface OpenPool {
  readonly pool: Pool;
  readonly options: ConnectionSettings;
  /** Rejects with what the driver says when the server cannot be used. */
  check(): Promise<void>;
  end(): Promise<void>;
}

/** Connects nothing yet. Throws StartError when the file of authorities cannot be read. */
export function openPool(location: MysqlLocation, options: ConnectionOptions): OpenPool {
  const { host, port, user, password, schema } = location;
  const ssl = encryption(host, options);
  const settings: ConnectionSettings = {
    host,
    port,
    user,
    password,
    database: schema,
    charset: "UTF8MB4_BIN",
    connectTimeout: CONNECT_TIMEOUT_MS,
    // Numbers above 2^53 come as text, which no column of ours has.
    supportBigNumbers: true,
    dateStrings: true,
    enableKeepAlive: true,
    ...(ssl === undefined ? {} : { ssl }),
  };
  const pool = createPool({ ...settings, connectionLimit: options.connections ?? DEFAULT_CONNECTIONS });
  return {
    pool,
    options: settings,
    async check() {
      const connection = await createConnection(settings);
      await connection.end();
    },
    end: () => new Promise((resolve, reject) => pool.end((error) => (error ? reject(error) : resolve()))),
  };
}

/** Tells how many connections there are, and who waits for one. The driver says it nowhere but in its own lists. */
export function observePool(metrics: Metrics, pool: Pool): void {
  type List = { readonly length: number };
  const lists = pool as unknown as Record<
    "_allConnections" | "_freeConnections" | "_connectionQueue",
    List | undefined
  >;
  const all = () => lists._allConnections?.length ?? 0;
  const idle = () => lists._freeConnections?.length ?? 0;
  const unit = "{connection}";
  metrics.gauge("db.client.connection.count", { unit, description: "Connections to the database server." }, () => [
    { value: idle(), labels: { "db.client.connection.state": "idle" } },
    { value: all() - idle(), labels: { "db.client.connection.state": "used" } },
  ]);
  metrics.gauge("db.client.connection.max", { unit, description: "The most connections of this process." }, () => [
    { value: (pool as unknown as { config: { connectionLimit: number } }).config.connectionLimit },
  ]);
  const waiting = { unit: "{request}", description: "Who waits for a connection." };
  metrics.gauge("db.client.connection.pending_requests", waiting, () => [
    { value: lists._connectionQueue?.length ?? 0 },
  ]);
}

/** TLS with the name of the server verified, wherever it is not on this machine. */
function encryption(host: string, { caFile, allowPlaintext = false }: ConnectionOptions): ConnectionSettings["ssl"] {
  if (caFile === undefined && (isLoopback(host) || allowPlaintext)) return undefined;
  const verified = { rejectUnauthorized: true, verifyIdentity: true, minVersion: "TLSv1.2" as const };
  if (caFile === undefined) return verified;
  try {
    return { ...verified, ca: readFileSync(caFile, "utf8") };
  } catch (error) {
    throw new StartError(`DATABASE_CA ${caFile} cannot be read: ${(error as Error).message}.`);
  }
}

/** Whether a host is this machine. A name other than localhost is not resolved: it may change. */
export function isLoopback(host: string): boolean {
  if (host === "localhost") return true;
  return isIP(host) === 4 ? host.startsWith("127.") : host === "::1";
}
