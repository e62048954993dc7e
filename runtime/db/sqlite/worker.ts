/**
 * The thread that owns the SQLite file. node:sqlite is synchronous and would starve the event loop, so it lives here,
 * with one connection that writes and one that reads. WAL lets the reader see the last commit while a transaction is open.
 */
import { closeSync, fstatSync, openSync } from "node:fs";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { parentPort, workerData } from "node:worker_threads";
import type { Command, Failure, Reply, Role, SqliteValue, Statement, WorkerData } from "./protocol.ts";

const STATEMENT_CACHE_SIZE = 500;
/** Bodies of this size move to the other thread instead of being copied. */
const TRANSFER_FROM_BYTES = 16 * 1024;
/** A long batch answers in between, so that the first question does not wait for the last. */
const REPLY_AFTER_MS = 2;

interface Prepared {
  readonly statement: StatementSync;
  columns: readonly string[];
}

class Connection {
  readonly #db: DatabaseSync;
  readonly #prepared = new Map<string, Prepared>();

  constructor(db: DatabaseSync) {
    this.#db = db;
  }

  run(sql: string, parameters: readonly SqliteValue[]): Omit<Reply, "id"> {
    if (parameters.length === 0 && isScript(sql)) {
      this.#db.exec(sql);
      return { changes: 0 };
    }
    const prepared = this.#prepare(sql);
    if (prepared.columns.length === 0) {
      const result = prepared.statement.run(...parameters);
      return { changes: result.changes, insertId: result.lastInsertRowid };
    }
    const rows = prepared.statement.all(...parameters) as unknown as SqliteValue[][];
    if (rows[0] !== undefined && rows[0].length !== prepared.columns.length) {
      // Another process changed the schema, and SQLite prepared the statement again.
      prepared.columns = columnNames(prepared.statement);
    }
    return { columns: prepared.columns, rows, ...(isSelect(sql) ? {} : { changes: this.#changes() }) };
  }

  forgetStatements(): void {
    this.#prepared.clear();
  }

  exec(sql: string): void {
    this.#db.exec(sql);
  }

  close(): void {
    this.#prepared.clear();
    this.#db.close();
  }

  #changes(): number {
    const row = this.#prepare("select changes()").statement.get() as unknown as [number];
    return row[0];
  }

  #prepare(sql: string): Prepared {
    const known = this.#prepared.get(sql);
    if (known !== undefined) {
      // Taking it out and putting it back keeps the map in order of last use.
      this.#prepared.delete(sql);
      this.#prepared.set(sql, known);
      return known;
    }
    const statement = this.#db.prepare(sql);
    statement.setReturnArrays(true);
    const prepared = { statement, columns: columnNames(statement) };
    this.#prepared.set(sql, prepared);
    if (this.#prepared.size > STATEMENT_CACHE_SIZE) {
      const oldest = this.#prepared.keys().next().value;
      if (oldest !== undefined) this.#prepared.delete(oldest);
    }
    return prepared;
  }
}

function columnNames(statement: StatementSync): string[] {
  return statement.columns().map((column) => column.name);
}

function isSelect(sql: string): boolean {
  return /^\s*select\b/i.test(sql);
}

/** `prepare` silently ignores everything after the first statement. */
function isScript(sql: string): boolean {
  return /;\s*\S/.test(sql) && !isSelect(sql);
}

function changesSchema(sql: string): boolean {
  return /^\s*(create|alter|drop)\b/i.test(sql);
}

function open(data: WorkerData): Record<Role, Connection> {
  // Created by us so that only this account can read it; the WAL inherits the mode.
  const descriptor = openSync(data.file, "a", 0o600);
  const size = fstatSync(descriptor).size;
  closeSync(descriptor);

  const writer = new DatabaseSync(data.file, { enableForeignKeyConstraints: true });
  // Opening may meet another process that is closing: wait here, once. Later the writer does not wait in this thread,
  // since it would hold up the reader; the driver waits on the main thread and tries again.
  writer.exec(
    "PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;",
  );
  check(writer, size <= data.quickCheckLimit);
  // Proves that the folder takes writes (WAL and all) before anybody is told that the database is open.
  writer.exec(
    "BEGIN IMMEDIATE; ROLLBACK; PRAGMA busy_timeout = 0; PRAGMA wal_autocheckpoint = 1000; PRAGMA cache_size = -16000;",
  );

  const reader = new DatabaseSync(data.file);
  reader.exec("PRAGMA busy_timeout = 1000; PRAGMA query_only = ON; PRAGMA cache_size = -16000;");
  return { writer: new Connection(writer), reader: new Connection(reader) };
}

function check(db: DatabaseSync, whole: boolean): void {
  if (!whole) {
    db.prepare("select count(*) from sqlite_schema").get();
    return;
  }
  const row = db.prepare("PRAGMA quick_check(1)").get() as { quick_check?: string } | undefined;
  if (row?.quick_check !== "ok") {
    throw Object.assign(new Error(row?.quick_check ?? "quick_check gave no answer"), { errcode: 11 });
  }
}

function failureOf(error: unknown): Failure {
  const { message, code, errcode } = error as { message?: string; code?: string; errcode?: number };
  return { message: message ?? String(error), code, errcode };
}

function collectTransfers(rows: Reply["rows"], into: ArrayBuffer[]): void {
  for (const row of rows ?? []) {
    for (const value of row) {
      if (value instanceof Uint8Array && value.byteLength >= TRANSFER_FROM_BYTES && ownsItsBuffer(value)) {
        into.push(value.buffer as ArrayBuffer);
      }
    }
  }
}

function ownsItsBuffer(value: Uint8Array): boolean {
  return value.byteOffset === 0 && value.byteLength === value.buffer.byteLength;
}

function serve(): void {
  const port = parentPort;
  if (port === null) throw new Error("this file runs as a worker only");
  let connections: Record<Role, Connection>;
  try {
    connections = open(workerData as WorkerData);
  } catch (error) {
    port.postMessage([{ id: 0, failure: failureOf(error) } satisfies Reply]);
    port.close();
    return;
  }
  port.postMessage([{ id: 0 } satisfies Reply]);

  const run = (command: Statement): Reply => {
    try {
      const reply = { id: command.id, ...connections[command.role].run(command.sql, command.parameters) };
      if (changesSchema(command.sql)) {
        connections.reader.forgetStatements();
        connections.writer.forgetStatements();
      }
      return reply;
    } catch (error) {
      return { id: command.id, failure: failureOf(error) };
    }
  };

  const close = (): void => {
    connections.reader.close();
    try {
      connections.writer.exec("PRAGMA busy_timeout = 1000; PRAGMA wal_checkpoint(TRUNCATE);");
    } finally {
      connections.writer.close();
    }
  };

  port.on("message", (commands: readonly Command[]) => {
    let replies: Reply[] = [];
    let transfers: ArrayBuffer[] = [];
    let since = performance.now();
    for (const command of commands) {
      if (command.kind === "close") {
        let failure: Failure | undefined;
        try {
          close();
        } catch (error) {
          failure = failureOf(error);
        }
        port.postMessage([...replies, { id: command.id, ...(failure && { failure }) }], transfers);
        port.close();
        return;
      }
      const reply = run(command);
      collectTransfers(reply.rows, transfers);
      replies.push(reply);
      if (performance.now() - since > REPLY_AFTER_MS) {
        port.postMessage(replies, transfers);
        replies = [];
        transfers = [];
        since = performance.now();
      }
    }
    if (replies.length > 0) port.postMessage(replies, transfers);
  });
}

serve();
