import type { Database, Transaction } from "@docket/runtime/db/database";
import type { Kysely, Selectable } from "kysely";
import type { Tables } from "./entities.ts";

/** The service's database. */
export type UserDatabase = Database<Tables>;

/** Where a statement runs: in a transaction, or by itself. */
export type Db = Kysely<Tables>;

/** An open transaction. */
export type Tx = Transaction<Tables>;

/** A row as a select gives it. */
export type Row<Table extends keyof Tables> = Selectable<Tables[Table]>;

/** A column of time as a Date. */
export function dateOf(column: number): Date {
  return new Date(Number(column));
}

/** A column of time that may be null. */
export function optionalDate(column: number | null): Date | undefined {
  return column === null ? undefined : dateOf(column);
}
