/**
 * What crosses the boundary between the main thread and the SQLite worker. Both sides send arrays, so that everything
 * asked in one turn of the event loop costs one message.
 */

/** A value that SQLite stores as it is. */
export type SqliteValue = null | number | bigint | string | Uint8Array;

/** Which of the worker's two connections runs a statement: writers queue on the main thread, readers never wait. */
export type Role = "writer" | "reader";

export interface WorkerData {
  readonly file: string;
  /** Files larger than this many bytes are checked by header and schema only. */
  readonly quickCheckLimit: number;
}

export interface Statement {
  readonly kind: "statement";
  readonly id: number;
  readonly role: Role;
  readonly sql: string;
  readonly parameters: readonly SqliteValue[];
}

export interface Close {
  readonly kind: "close";
  readonly id: number;
}

export type Command = Statement | Close;

export interface Failure {
  readonly message: string;
  readonly code: string | undefined;
  readonly errcode: number | undefined;
}

export interface Reply {
  readonly id: number;
  readonly failure?: Failure;
  /** Column names, once per result; present when the statement returns rows. */
  readonly columns?: readonly string[];
  readonly rows?: readonly (readonly SqliteValue[])[];
  readonly changes?: number | bigint;
  readonly insertId?: number | bigint;
}
