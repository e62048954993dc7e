/** The main thread's side of the SQLite worker: questions of one turn travel together, answers find their promise. */
import { Worker } from "node:worker_threads";
import type { Command, Failure, Reply, Role, SqliteValue, WorkerData } from "./protocol.ts";

/** An error of SQLite with its extended result code, for example 2067 for a broken unique constraint. */
export class SqliteError extends Error {
  override readonly name = "SqliteError";
  readonly code: string;
  /** The extended result code of SQLite, see https://sqlite.org/rescode.html; undefined when the worker itself failed. */
  readonly errcode: number | undefined;

  constructor(failure: Failure) {
    super(failure.message);
    this.code = failure.code ?? "ERR_SQLITE_ERROR";
    this.errcode = failure.errcode;
  }
}

/** Rows as objects, and what a writing statement did. */
export interface SqliteResult {
  readonly rows: Record<string, SqliteValue>[];
  readonly changes: bigint | undefined;
  readonly insertId: bigint | undefined;
}

interface Waiting {
  readonly resolve: (result: SqliteResult) => void;
  readonly reject: (error: Error) => void;
}

export class SqliteClient {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  readonly #exited: Promise<void>;
  #outbox: Command[] = [];
  #nextId = 1;
  #lost: SqliteError | undefined;

  private constructor(worker: Worker) {
    this.#worker = worker;
    this.#exited = new Promise((resolve) => {
      worker.once("exit", () => {
        this.#lose("the database is closed");
        resolve();
      });
    });
    worker.on("message", (replies: readonly Reply[]) => {
      for (const reply of replies) this.#settle(reply);
    });
    worker.on("error", (error) => this.#lose(`the database thread failed: ${(error as Error).message}`));
  }

  /** Opens the file in a new worker. Rejects with SqliteError when the file cannot be opened, is damaged or not writable. */
  static async open(data: WorkerData): Promise<SqliteClient> {
    const client = new SqliteClient(
      new Worker(new URL("./worker.ts", import.meta.url), { workerData: data, name: "sqlite" }),
    );
    await new Promise<SqliteResult>((resolve, reject) => {
      client.#waiting.set(0, { resolve, reject });
    });
    return client;
  }

  run(role: Role, sql: string, parameters: readonly unknown[]): Promise<SqliteResult> {
    return new Promise((resolve, reject) => {
      if (this.#lost !== undefined) {
        reject(this.#lost);
        return;
      }
      const id = this.#nextId++;
      this.#waiting.set(id, { resolve, reject });
      this.#send({ kind: "statement", id, role, sql, parameters: parameters.map(toSqlite) });
    });
  }

  /** Writes the WAL back into the file, closes both connections and ends the worker. */
  async close(): Promise<void> {
    if (this.#lost === undefined) {
      await new Promise<SqliteResult>((resolve, reject) => {
        const id = this.#nextId++;
        this.#waiting.set(id, { resolve, reject });
        this.#send({ kind: "close", id });
      });
    }
    await this.#exited;
  }

  #send(command: Command): void {
    this.#outbox.push(command);
    if (this.#outbox.length > 1) return;
    queueMicrotask(() => {
      const commands = this.#outbox;
      this.#outbox = [];
      this.#worker.postMessage(commands);
    });
  }

  #settle(reply: Reply): void {
    const waiting = this.#waiting.get(reply.id);
    if (waiting === undefined) return;
    this.#waiting.delete(reply.id);
    if (reply.failure !== undefined) {
      waiting.reject(new SqliteError(reply.failure));
      return;
    }
    waiting.resolve({
      rows: toObjects(reply),
      changes: reply.changes === undefined ? undefined : BigInt(reply.changes),
      insertId: reply.insertId === undefined ? undefined : BigInt(reply.insertId),
    });
  }

  #lose(message: string): void {
    this.#lost ??= new SqliteError({ message, code: "ERR_SQLITE_CLOSED", errcode: undefined });
    for (const waiting of this.#waiting.values()) waiting.reject(this.#lost);
    this.#waiting.clear();
  }
}

function toObjects(reply: Reply): Record<string, SqliteValue>[] {
  const { columns, rows } = reply;
  if (columns === undefined || rows === undefined) return [];
  return rows.map((row) => {
    const object: Record<string, SqliteValue> = {};
    for (let i = 0; i < columns.length; i++) object[columns[i] as string] = row[i] as SqliteValue;
    return object;
  });
}

function toSqlite(value: unknown): SqliteValue {
  if (value === undefined) return null;
  if (typeof value === "boolean") return value ? 1 : 0;
  // Times are stored as milliseconds since 1970 on every dialect.
  if (typeof value === "object" && value !== null && !ArrayBuffer.isView(value) && "getTime" in value) {
    return (value as Date).getTime();
  }
  return value as SqliteValue;
}
