/**
 * Kysely's dialect for MySQL and MariaDB, given to MikroORM as `driverOptions`. Beside what Kysely's own does it sets up
 * each session, speaks the same values as SQLite's (a Date is milliseconds, bytes are bytes), limits how long a
 * statement may take, and never uses a connection again after a fault of the network.
 */

import { Reason } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import { type CompiledQuery, type DatabaseConnection, type Driver, MysqlDialect, type QueryResult } from "kysely";
import type { Pool, PoolConnection, QueryError } from "mysql2";
import { AppError } from "../../errors.ts";
import type { Statements } from "../../telemetry/statements.ts";
import { isAway, isBusy } from "../errors.ts";
import type { TransactionScope } from "../scope.ts";
import { sessionStatements } from "./pool.ts";
import { withoutValues } from "./without_values.ts";

/** How long a statement may take before its connection is given up, in milliseconds. */
const STATEMENT_LIMIT_MS = 20_000;
/** How long a single statement is tried again when it meets other transactions, in milliseconds. */
const BUSY_LIMIT_MS = 5_000;
/** Schema changes of large tables take long. */
const MIGRATION_LIMIT_MS = 6 * 60 * 60 * 1_000;

export interface MysqlWorkOptions {
  readonly scope: TransactionScope;
  readonly statements: Statements;
  /** Server codes of statements that are passed over: a migration that was cut short begins again. */
  readonly passedOver: () => ReadonlySet<number>;
  /** Whether a migration runs. */
  readonly migrating: () => boolean;
}

export class PooledMysqlDialect extends MysqlDialect {
  readonly #pool: Pool;
  readonly #options: MysqlWorkOptions;

  constructor(pool: Pool, options: MysqlWorkOptions) {
    // Never asked for its driver: see createDriver.
    super({ pool: pool as never });
    this.#pool = pool;
    this.#options = options;
  }

  override createDriver(): Driver {
    return new PooledMysqlDriver(this.#pool, this.#options);
  }
}

class PooledMysqlDriver implements Driver {
  readonly #pool: Pool;
  readonly #options: MysqlWorkOptions;
  readonly #prepared = new WeakSet<object>();

  constructor(pool: Pool, options: MysqlWorkOptions) {
    this.#pool = pool;
    this.#options = options;
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<DatabaseConnection> {
    const connection = new MysqlConnection(await this.#acquire(), this.#options);
    return connection;
  }

  async #acquire(): Promise<PoolConnection> {
    const connection = await new Promise<PoolConnection>((resolve, reject) => {
      this.#pool.getConnection((error, given) => (error === null ? resolve(given) : reject(translated(error))));
    });
    // The pool hands out wrappers; the connection beneath is what has a session.
    const session = (connection as unknown as { connection?: object }).connection ?? connection;
    if (this.#prepared.has(session)) return connection;
    try {
      for (const statement of sessionStatements) await run(connection, statement, [], STATEMENT_LIMIT_MS);
    } catch (error) {
      connection.destroy();
      throw translated(error);
    }
    this.#prepared.add(session);
    return connection;
  }

  async beginTransaction(connection: MysqlConnection): Promise<void> {
    await connection.begin();
  }

  async commitTransaction(connection: MysqlConnection): Promise<void> {
    await connection.end("commit");
  }

  async rollbackTransaction(connection: MysqlConnection): Promise<void> {
    await connection.end("rollback");
  }

  async releaseConnection(connection: MysqlConnection): Promise<void> {
    connection.release();
  }

  async destroy(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#pool.end((error) => (error ? reject(error) : resolve()));
    });
  }
}

class MysqlConnection implements DatabaseConnection {
  readonly #connection: PoolConnection;
  readonly #options: MysqlWorkOptions;
  #inTransaction = false;
  #broken = false;

  constructor(connection: PoolConnection, options: MysqlWorkOptions) {
    this.#connection = connection;
    this.#options = options;
  }

  async begin(): Promise<void> {
    await this.#options.statements.run("begin", () => this.#run("begin", []));
    this.#inTransaction = true;
  }

  async end(how: "commit" | "rollback"): Promise<void> {
    this.#inTransaction = false;
    // A connection that is gone has rolled back.
    if (this.#broken && how === "rollback") return;
    try {
      await this.#options.statements.run(how, () => this.#run(how, []));
    } catch (error) {
      // What state it is in cannot be known.
      this.#broken = true;
      throw error;
    }
  }

  async executeQuery<R>({ sql, parameters, query }: CompiledQuery): Promise<QueryResult<R>> {
    if (!this.#inTransaction && query.kind !== "SelectQueryNode" && query.kind !== "RawNode") {
      this.#options.scope.refuseInside();
    }
    const run = () => (this.#inTransaction ? this.#run(sql, parameters) : this.#alone(sql, parameters));
    return toQueryResult(await this.#options.statements.run(sql, run, rowsOf));
  }

  /** A statement that is a transaction of its own: when the server ends it for another, nothing of it is done. */
  async #alone(sql: string, parameters: readonly unknown[]): Promise<unknown> {
    const limit = performance.now() + BUSY_LIMIT_MS;
    for (let delay = 5; ; delay = Math.min(delay * 2, 200)) {
      try {
        return await this.#run(sql, parameters);
      } catch (error) {
        if (!isBusy(error) || performance.now() > limit) throw error;
        await new Promise((resolve) => setTimeout(resolve, delay * Math.random()));
      }
    }
  }

  // biome-ignore lint/correctness/useYield: a cursor would hold the connection across awaits; stores page instead
  async *streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
    throw new Error("streaming is not supported; read in pages");
  }

  release(): void {
    if (this.#broken) this.#connection.destroy();
    else this.#connection.release();
  }

  async #run(sql: string, parameters: readonly unknown[]): Promise<unknown> {
    const limit = this.#options.migrating() ? MIGRATION_LIMIT_MS : STATEMENT_LIMIT_MS;
    try {
      return await run(this.#connection, sql, parameters.map(toParameter), limit);
    } catch (error) {
      if (this.#options.passedOver().has((error as QueryError).errno ?? 0)) return [];
      if (isAway(error)) this.#broken = true;
      throw translated(error);
    }
  }
}

function rowsOf(result: unknown): number {
  return Array.isArray(result) ? result.length : 0;
}

function run(connection: PoolConnection, sql: string, values: unknown[], timeout: number): Promise<unknown> {
  return new Promise((resolve, reject) => {
    connection.query({ sql, values, timeout }, (error, result) =>
      error ? reject(withoutValues(error, sql)) : resolve(result),
    );
  });
}

/** The values that SQLite's worker understands as well. */
function toParameter(value: unknown): unknown {
  if (value === undefined) return null;
  if (typeof value === "boolean") return value ? 1 : 0;
  if (Object.prototype.toString.call(value) === "[object Date]") return Number(value);
  // The driver would spell out any other object as a list of assignments.
  if (ArrayBuffer.isView(value)) return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  if (typeof value === "object" && value !== null) throw new TypeError("a parameter is no text, number, Date or bytes");
  return value;
}

/** A server that is away is a fault that callers know; the rest is told by its codes (../errors.ts). */
function translated(error: unknown): unknown {
  return isAway(error) ? new AppError(Reason.UNAVAILABLE, { cause: error }) : error;
}

function toQueryResult<R>(result: unknown): QueryResult<R> {
  if (Array.isArray(result)) return { rows: result as R[] };
  const { affectedRows, changedRows, insertId } = result as {
    affectedRows?: number;
    changedRows?: number;
    insertId?: number | string;
  };
  return {
    rows: [],
    ...(affectedRows !== undefined && { numAffectedRows: BigInt(affectedRows) }),
    ...(changedRows !== undefined && { numChangedRows: BigInt(changedRows) }),
    ...(insertId && { insertId: BigInt(insertId) }),
  };
}
