/**
 * Kysely's dialect for the SQLite worker, given to MikroORM as `driverOptions`. Reads outside a transaction go to the
 * reader; transactions and single writes go to the writer, one at a time, in the order of asking.
 */
import {
  type CompiledQuery,
  createQueryId,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  IdentifierNode,
  type QueryCompiler,
  type QueryResult,
  RawNode,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from "kysely";
import type { Statements } from "../../telemetry/statements.ts";
import { isBusy } from "../errors.ts";
import { FairMutex } from "../mutex.ts";
import type { TransactionScope } from "../scope.ts";
import type { SqliteClient } from "./client.ts";

/** How long a writer waits for another process to end its transaction, in milliseconds. */
const BUSY_LIMIT_MS = 5_000;

export class SqliteWorkerDialect implements Dialect {
  readonly #client: SqliteClient;
  readonly #scope: TransactionScope;
  readonly #statements: Statements;

  constructor(client: SqliteClient, scope: TransactionScope, statements: Statements) {
    this.#client = client;
    this.#scope = scope;
    this.#statements = statements;
  }

  createDriver(): Driver {
    return new SqliteWorkerDriver(this.#client, this.#scope, this.#statements);
  }

  createQueryCompiler(): QueryCompiler {
    return new SqliteQueryCompiler();
  }

  createAdapter(): SqliteAdapter {
    return new ReaderAndWriterAdapter();
  }

  createIntrospector(db: ConstructorParameters<typeof SqliteIntrospector>[0]): SqliteIntrospector {
    return new SqliteIntrospector(db);
  }
}

/** Kysely would put everything, reads too, behind one mutex. */
class ReaderAndWriterAdapter extends SqliteAdapter {
  override get supportsMultipleConnections(): boolean {
    return true;
  }
}

class SqliteWorkerDriver implements Driver {
  readonly #client: SqliteClient;
  readonly #scope: TransactionScope;
  readonly #statements: Statements;
  readonly #writer = new FairMutex();

  constructor(client: SqliteClient, scope: TransactionScope, statements: Statements) {
    this.#client = client;
    this.#scope = scope;
    this.#statements = statements;
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<DatabaseConnection> {
    return new SqliteWorkerConnection(this.#client, this.#writer, this.#scope, this.#statements);
  }

  async beginTransaction(connection: SqliteWorkerConnection): Promise<void> {
    await connection.begin();
  }

  async commitTransaction(connection: SqliteWorkerConnection): Promise<void> {
    await connection.end("commit");
  }

  async rollbackTransaction(connection: SqliteWorkerConnection): Promise<void> {
    await connection.end("rollback");
  }

  async savepoint(connection: DatabaseConnection, name: string, compile: QueryCompiler["compileQuery"]): Promise<void> {
    await connection.executeQuery(savepointQuery("savepoint", name, compile));
  }

  async rollbackToSavepoint(
    connection: DatabaseConnection,
    name: string,
    compile: QueryCompiler["compileQuery"],
  ): Promise<void> {
    await connection.executeQuery(savepointQuery("rollback to", name, compile));
  }

  async releaseSavepoint(
    connection: DatabaseConnection,
    name: string,
    compile: QueryCompiler["compileQuery"],
  ): Promise<void> {
    await connection.executeQuery(savepointQuery("release", name, compile));
  }

  async releaseConnection(): Promise<void> {}

  async destroy(): Promise<void> {
    // Behind every transaction that was asked for before, so that closing cuts none short.
    const release = await this.#writer.acquire();
    try {
      await this.#client.close();
    } finally {
      release();
    }
  }
}

class SqliteWorkerConnection implements DatabaseConnection {
  readonly #client: SqliteClient;
  readonly #writer: FairMutex;
  readonly #scope: TransactionScope;
  readonly #statements: Statements;
  #release: (() => void) | undefined;

  constructor(client: SqliteClient, writer: FairMutex, scope: TransactionScope, statements: Statements) {
    this.#client = client;
    this.#writer = writer;
    this.#scope = scope;
    this.#statements = statements;
  }

  begin(): Promise<void> {
    return this.#statements.run("begin", () => this.#begin());
  }

  async #begin(): Promise<void> {
    const release = await this.#writer.acquire();
    try {
      // IMMEDIATE takes the write lock now: a transaction that begins as a reader and then writes may have to fail.
      await untilFree(() => this.#client.run("writer", "begin immediate", []));
    } catch (error) {
      release();
      throw error;
    }
    this.#release = release;
  }

  end(how: "commit" | "rollback"): Promise<void> {
    return this.#statements.run(how, () => this.#end(how));
  }

  async #end(how: "commit" | "rollback"): Promise<void> {
    const release = this.#release;
    if (release === undefined) return;
    try {
      await this.#client.run("writer", how, []);
    } catch (error) {
      // A failed commit leaves the transaction open; a failed statement may have ended it already (SQLITE_FULL does).
      if (how === "commit") await this.#client.run("writer", "rollback", []).catch(() => undefined);
      else if (!/no transaction is active/.test((error as Error).message)) throw error;
      if (how === "commit") throw error;
    } finally {
      this.#release = undefined;
      release();
    }
  }

  executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    return this.#statements.run(
      query.sql,
      () => this.#execute<R>(query),
      ({ rows }) => rows.length,
    );
  }

  async #execute<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    const { sql, parameters } = query;
    if (this.#release !== undefined) return toQueryResult(await this.#client.run("writer", sql, parameters));
    if (isRead(query)) return toQueryResult(await this.#client.run("reader", sql, parameters));
    this.#scope.refuseInside();
    const release = await this.#writer.acquire();
    try {
      return toQueryResult(await untilFree(() => this.#client.run("writer", sql, parameters)));
    } finally {
      release();
    }
  }

  // biome-ignore lint/correctness/useYield: a cursor would hold the connection across awaits; stores page instead
  async *streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
    throw new Error("streaming is not supported on SQLite; read in pages");
  }
}

/** Another process may hold the write lock. Waiting happens here and not in the worker, which goes on reading meanwhile. */
async function untilFree<T>(run: () => Promise<T>): Promise<T> {
  const limit = performance.now() + BUSY_LIMIT_MS;
  for (let delay = 1; ; delay = Math.min(delay * 2, 25)) {
    try {
      return await run();
    } catch (error) {
      if (!isBusy(error) || performance.now() > limit) throw error;
      await new Promise((resolve) => setTimeout(resolve, delay * (0.5 + Math.random())));
    }
  }
}

function isRead(query: CompiledQuery): boolean {
  if (query.query.kind === "SelectQueryNode") return true;
  return query.query.kind === "RawNode" && /^\s*(select|explain)\b/i.test(query.sql);
}

function toQueryResult<R>(result: Awaited<ReturnType<SqliteClient["run"]>>): QueryResult<R> {
  return {
    rows: result.rows as R[],
    ...(result.changes !== undefined && { numAffectedRows: result.changes }),
    ...(result.insertId !== undefined && { insertId: result.insertId }),
  };
}

function savepointQuery(command: string, name: string, compile: QueryCompiler["compileQuery"]): CompiledQuery {
  return compile(
    RawNode.createWithChildren([RawNode.createWithSql(`${command} `), IdentifierNode.create(name)]),
    createQueryId(),
  );
}
