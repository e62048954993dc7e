// Spans and durations of statements, at the one place through which all of them go. What is told of a statement is its
// text with placeholders; whatever stands in it as a literal is taken out as well. Never a value.

import { statementBounds } from "./bounds.ts";
import type { Metrics, Series } from "./metrics.ts";
import { type Attributes, activeSpan, errorType, type LiveSpan, within } from "./span.ts";

/** Databases, as OpenTelemetry names them. */
export type DatabaseSystem = "sqlite" | "mysql" | "mariadb";

/** What a watch is made from. */
export interface StatementsOptions {
  readonly system: DatabaseSystem;
  /** The database's name: that of its service. */
  readonly database: string;
  readonly metrics: Metrics | undefined;
}

/** What can be said of a statement. */
export interface StatementWords {
  /** `SELECT`, `BEGIN` */
  readonly operation: string;
  /** The first table that it names. */
  readonly table: string | undefined;
  /** `SELECT document` */
  readonly summary: string;
  /** With placeholders in place of all values. */
  readonly text: string;
}

/** Statements differ by few texts; more of them than this are not remembered. */
const textsKept = 1_000;
const textCharacters = 2_000;

const words = new Map<string, StatementWords>();

/** What can be said of a statement. */
export function wordsOf(sql: string): StatementWords {
  const known = words.get(sql);
  if (known !== undefined) return known;
  const operation = /^\s*\(?\s*([a-z]+)/i.exec(sql)?.[1]?.toUpperCase() ?? "UNKNOWN";
  const table = /\b(?:from|into|update|table)\s+(?:(?:if|not|exists)\s+)*["'`]?(\w+)/i.exec(sql)?.[1];
  const summary = table === undefined ? operation : `${operation} ${table}`;
  const made = { operation, table, summary, text: withoutValues(sql).slice(0, textCharacters) };
  if (words.size >= textsKept) words.clear();
  words.set(sql, made);
  return made;
}

/** Literals become placeholders, lists of placeholders become short. */
export function withoutValues(sql: string): string {
  return sql
    .replace(/'(?:[^'\\]|''|\\.)*'/g, "?")
    .replace(/\b0x[0-9a-f]+\b|(?<![\w.`"$])-?\d+(?:\.\d+)?\b/gi, "?")
    .replace(/\(\s*\?(?:\s*,\s*\?)+\s*\)/g, "(?, …)")
    .replace(/\(\?, …\)(?:\s*,\s*\(\?, …\))+/g, "(?, …), …")
    .replace(/\s+/g, " ")
    .trim();
}

/** Watches the statements of one database. */
export class Statements {
  readonly #common: Attributes;
  readonly #system: DatabaseSystem;
  readonly #durations: ReturnType<Metrics["histogram"]> | undefined;
  readonly #known = new Map<string, Series>();

  constructor({ system, database, metrics }: StatementsOptions) {
    this.#system = system;
    this.#common = { "db.system.name": system, "db.namespace": database };
    this.#durations = metrics?.histogram("db.client.operation.duration", {
      unit: "s",
      description: "Statements, with the time that they waited for their turn.",
      bounds: statementBounds,
    });
  }

  /** Runs a statement; `rows` tells how many it gave. */
  run<T>(sql: string, statement: () => Promise<T>, rows?: (result: T) => number): Promise<T> {
    const here = activeSpan();
    if (this.#durations === undefined && here?.sampled !== true) return statement();
    return this.#watched(sql, here, statement, rows);
  }

  async #watched<T>(
    sql: string,
    here: LiveSpan | undefined,
    statement: () => Promise<T>,
    rows: ((result: T) => number) | undefined,
  ): Promise<T> {
    const said = wordsOf(sql);
    const span = here?.child(said.summary, "client", {
      ...this.#common,
      "db.operation.name": said.operation,
      "db.collection.name": said.table,
      "db.query.summary": said.summary,
      "db.query.text": said.text,
    });
    const started = performance.now();
    try {
      const result = await within(span, statement);
      if (rows !== undefined) span?.set({ "db.response.returned_rows": rows(result) });
      return result;
    } catch (error) {
      span?.fail(errorType(error));
      throw error;
    } finally {
      this.#series(said.operation)?.record((performance.now() - started) / 1000, span ?? here);
      span?.end();
    }
  }

  #series(operation: string): Series | undefined {
    const known = this.#known.get(operation);
    if (known !== undefined || this.#durations === undefined) return known;
    const made = this.#durations.series({ "db.system.name": this.#system, "db.operation.name": operation });
    this.#known.set(operation, made);
    return made;
  }
}
