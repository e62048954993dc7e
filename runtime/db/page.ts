/**
 * Keyset pages: a page continues after the last row's key, so its cost does not grow with the table. The token is
 * opaque, versioned and bound to the filters of the list that gave it. It is not secret and grants nothing: the query
 * itself is limited to what the subject may see.
 */
import { createHash } from "node:crypto";
import { Reason } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import { type SelectQueryBuilder, sql } from "kysely";
import { AppError } from "../errors.ts";

/** The page size when the request says 0. */
export const DEFAULT_PAGE_SIZE = 50;
/** The largest page that is given, whatever is asked. */
export const MAX_PAGE_SIZE = 200;

const TOKEN_VERSION = 1;

/** A value of a sort key; key columns are never null. */
export type KeyValue = string | number;

/** The fields that every list request has. */
export interface PageRequest {
  readonly pageSize: number;
  readonly pageToken: string;
}

export interface PageResult<Row> {
  readonly rows: Row[];
  /** Empty on the last page. */
  readonly nextPageToken: string;
}

/** A page that is asked for. */
export interface Page {
  /** 1 to MAX_PAGE_SIZE. */
  readonly size: number;
  /** The key of the row after which the page begins; undefined on the first page. */
  readonly after: readonly KeyValue[] | undefined;
  /** The token of the page that begins after this key. */
  tokenAfter(key: readonly KeyValue[]): string;
}

/**
 * Reads a list request. `filters` is everything that decides which rows the list has and in which order (any JSON
 * value); a token that was given for others, or by nobody, is AppError PAGE_TOKEN_INVALID.
 */
export function openPage(request: PageRequest, filters: unknown): Page {
  const bound = fingerprint(filters);
  const size = request.pageSize <= 0 ? DEFAULT_PAGE_SIZE : Math.min(request.pageSize, MAX_PAGE_SIZE);
  return {
    size,
    after: request.pageToken === "" ? undefined : decode(request.pageToken, bound),
    tokenAfter: (key) => Buffer.from(JSON.stringify([TOKEN_VERSION, bound, ...key])).toString("base64url"),
  };
}

/**
 * Runs one page of a query: adds the order, the place to begin and the limit. `key` names the columns to order by, the
 * last of them unique; each must be selected under its own name and be never null. One direction for all.
 */
export async function selectPage<DB, TB extends keyof DB, Row>(
  query: SelectQueryBuilder<DB, TB, Row>,
  page: Page,
  key: readonly string[],
  direction: "asc" | "desc" = "asc",
): Promise<PageResult<Row>> {
  let paged = query;
  if (page.after !== undefined) paged = paged.where(afterKey(key, page.after, direction));
  for (const column of key) paged = paged.orderBy(sql.ref(column), direction);
  const rows = await paged.limit(page.size + 1).execute();
  if (rows.length <= page.size) return { rows, nextPageToken: "" };
  rows.length = page.size;
  const last = rows[page.size - 1] as Record<string, unknown>;
  return { rows, nextPageToken: page.tokenAfter(key.map((column) => keyValueOf(last, column))) };
}

/**
 * The condition "(a, b) comes after (x, y)", written out because MySQL does not use an index for the short form.
 * Throws AppError PAGE_TOKEN_INVALID when the two do not have the same length.
 */
export function afterKey(key: readonly string[], after: readonly KeyValue[], direction: "asc" | "desc" = "asc") {
  if (after.length !== key.length) throw new AppError(Reason.PAGE_TOKEN_INVALID);
  const beyond = sql.raw(direction === "asc" ? ">" : "<");
  const condition = (at: number): ReturnType<typeof sql<boolean>> => {
    const column = sql.ref(key[at] as string);
    const value = after[at] as KeyValue;
    if (at === key.length - 1) return sql<boolean>`${column} ${beyond} ${value}`;
    // The first comparison alone bounds the range that the index reads.
    return sql<boolean>`(${column} ${beyond}= ${value} and (${column} ${beyond} ${value} or ${condition(at + 1)}))`;
  };
  return condition(0);
}

function keyValueOf(row: Record<string, unknown>, column: string): KeyValue {
  const name = column.slice(column.lastIndexOf(".") + 1);
  const value = row[name];
  if (typeof value !== "string" && typeof value !== "number") {
    throw new Error(`a page ordered by ${column} must select it, and it must not be null`);
  }
  return value;
}

function decode(token: string, bound: string): readonly KeyValue[] {
  const [version, fingerprintOfToken, ...key] = parse(token);
  if (version !== TOKEN_VERSION || fingerprintOfToken !== bound || key.length === 0 || !key.every(isKeyValue)) {
    throw new AppError(Reason.PAGE_TOKEN_INVALID);
  }
  return key;
}

function parse(token: string): unknown[] {
  try {
    const value: unknown = JSON.parse(Buffer.from(token, "base64url").toString("utf8"));
    return Array.isArray(value) ? value : [];
  } catch {
    return [];
  }
}

function isKeyValue(value: unknown): value is KeyValue {
  return typeof value === "string" || (typeof value === "number" && Number.isFinite(value));
}

function fingerprint(filters: unknown): string {
  return createHash("sha256").update(stable(filters)).digest("base64url").slice(0, 16);
}

/** JSON with sorted keys: the same filters have the same text. */
function stable(value: unknown): string {
  return (
    JSON.stringify(value, (_, inner: unknown) => {
      if (typeof inner === "bigint") return inner.toString();
      if (typeof inner !== "object" || inner === null || Array.isArray(inner)) return inner;
      return Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)));
    }) ?? ""
  );
}
