// Pages of documents. What somebody may see is a union of lists that are each sorted in an index: everything (who sees
// the root), or each visible folder and each principal's own list. A page reads at most its length from each, whatever
// the size of the workspace; nothing is filtered out after it was read.
import type { Dialect } from "@docket/runtime/db/database";
import { type RawBuilder, type SelectQueryBuilder, sql } from "kysely";
import type { PrincipalKey } from "../domain/access.ts";
import { state } from "../domain/state.ts";
import type { DocumentRow } from "./documents.ts";
import type { Query, Tables } from "./entities.ts";
import { compareText } from "./statements.ts";
import { tagList } from "./tags.ts";

/** By title, by the time of the last change, or by the size of the newest version; the id decides between equals. */
export interface Order {
  readonly by: "title" | "time" | "size";
  readonly descending: boolean;
}

/** Where a page goes on: after this title, time or size, and id. */
export interface DocumentKey {
  readonly value: string | number;
  readonly id: string;
}

/** One sorted list. */
export type Branch =
  | { readonly list: "everything" }
  | { readonly list: "folder"; readonly folderId: string }
  /** Of a tag or a principal. */
  | { readonly list: "listing"; readonly key: string };

/** What to list. */
export interface ListOptions {
  /** Of the database that is asked. */
  readonly dialect: Dialect;
  readonly workspaceId: string;
  readonly branches: readonly Branch[];
  readonly state: number;
  /** Only with this tag, where no branch is the tag's own list. */
  readonly tag?: string;
  /** Only those of this kind. */
  readonly kind?: number;
  readonly order: Order;
  readonly after: DocumentKey | undefined;
  readonly limit: number;
}

/** A page over all branches, in order, each document once. */
export async function listDocuments(query: Query, options: ListOptions): Promise<DocumentRow[]> {
  const pages = await Promise.all(
    options.branches.map(async (branch) => (await branchStatement(branch, options).execute(query)).rows),
  );
  const merged = new Map<string, DocumentRow>();
  for (const row of pages.flat()) merged.set(row.id, row);
  const rows = [...merged.values()];
  if (pages.length > 1) rows.sort(comparing(options.order));
  return rows.slice(0, options.limit);
}

/** The key of a row, for the page after it. */
export function keyOf(row: DocumentRow, order: Order): DocumentKey {
  return { value: row[columns[order.by]], id: row.id };
}

const columns = { title: "title_key", time: "updated_at", size: "size" } as const;

/** As the statements sort. */
function comparing({ by, descending }: Order): (a: DocumentRow, b: DocumentRow) => number {
  const column = columns[by];
  const ascending = (a: DocumentRow, b: DocumentRow) => {
    const [x, y] = [a[column], b[column]];
    const first = typeof x === "string" ? compareText(x, String(y)) : x - Number(y);
    return first || compareText(a.id, b.id);
  };
  return descending ? (a, b) => ascending(b, a) : ascending;
}

/**
 * The statement that reads at most a page of one list: from its first row on in the index that is in the list's order,
 * which is named, since a server guesses by how many rows it believes there are.
 */
export function branchStatement(branch: Branch, options: ListOptions): RawBuilder<DocumentRow> {
  const { dialect, workspaceId, kind, order, after, limit, tag } = options;
  const from = branch.list === "listing" ? "l" : "d";
  const column = sql.ref(`${from}.${columns[order.by]}`);
  const id = sql.ref(branch.list === "listing" ? "l.document_id" : "d.id");
  const direction = sql.raw(order.descending ? "desc" : "asc");
  const beyond = sql.raw(order.descending ? "<" : ">");

  const conditions = [sql`${sql.ref(`${from}.workspace_id`)} = ${workspaceId}`];
  if (branch.list === "folder") conditions.push(sql`d.folder_id = ${branch.folderId}`);
  if (branch.list === "listing") conditions.push(sql`l.list_key = ${branch.key}`);
  conditions.push(sql`${sql.ref(`${from}.state`)} = ${options.state}`);
  if (kind !== undefined) conditions.push(sql`${sql.ref(`${from}.kind`)} = ${kind}`);
  if (after !== undefined) {
    // SQLite begins exactly there by the first form, a server by the second; neither understands the other one so well.
    conditions.push(sql`(${column}, ${id}) ${beyond} (${after.value}, ${after.id})`);
    if (dialect === "mysql") {
      conditions.push(
        sql`(${column} ${beyond} ${after.value} or (${column} = ${after.value} and ${id} ${beyond} ${after.id}))`,
      );
    }
  }
  if (tag !== undefined) {
    conditions.push(sql`exists (select 1 from listing as t where t.workspace_id = ${workspaceId}
      and t.list_key = ${tagList(tag)} and t.document_id = ${id})`);
  }
  const hint = dialect === "mysql" ? sql` force index (${sql.raw(indexOf(branch, order, kind))})` : sql``;
  // Which of the two is read first is told by the words on a server, by the index on SQLite.
  const join = sql.raw(dialect === "mysql" ? "straight_join" : "inner join");
  const source =
    branch.list === "listing"
      ? sql`listing as l${hint} ${join} document as d on d.workspace_id = l.workspace_id and d.id = l.document_id`
      : sql`document as d${hint}`;
  return sql<DocumentRow>`select d.* from ${source} where ${sql.join(conditions, sql` and `)}
    order by ${column} ${direction}, ${id} ${direction} limit ${sql.lit(limit)}`;
}

/** The index whose order is that of a list; entities/documents.ts has them. */
function indexOf(branch: Branch, { by }: Order, kind: number | undefined): string {
  const of = { everything: "document", folder: "document_folder", listing: "listing" }[branch.list];
  const last = { title: "title", time: "newest", size: "size" }[by];
  return kind === undefined ? `${of}_${last}` : `${of}_kind_${last}`;
}

/** What to search. */
export interface SearchOptions {
  readonly workspaceId: string;
  /** All of these; the first drives. At least one. */
  readonly terms: readonly string[];
  /** Whose documents; undefined: all of the workspace. */
  readonly within: { readonly principals: readonly PrincipalKey[] } | undefined;
  /** The id of the last document of the page before. */
  readonly after: string | undefined;
  readonly limit: number;
}

/** A page of the documents that have all terms, the newest made first. */
export async function searchDocuments(query: Query, options: SearchOptions): Promise<DocumentRow[]> {
  if (options.within?.principals.length === 0) return [];
  return searchStatement(query, options).execute();
}

/** The statement of a search. */
export function searchStatement(query: Query, options: SearchOptions) {
  const { workspaceId, terms, within, after, limit } = options;
  const [first = "", ...others] = terms;
  let found: SelectQueryBuilder<Tables & { d: Tables["document"]; t: Tables["term"] }, "d" | "t", DocumentRow> = query
    .selectFrom("term as t")
    .innerJoin("document as d", (join) =>
      join.onRef("d.workspace_id", "=", "t.workspace_id").onRef("d.id", "=", "t.document_id"),
    )
    .selectAll("d")
    .where("t.workspace_id", "=", workspaceId)
    .where("t.term", "=", first)
    .where("d.state", "=", state.live);
  if (after !== undefined) found = found.where("t.document_id", "<", after);
  for (const term of others) {
    found = found.where(({ exists, selectFrom }) =>
      exists(
        selectFrom("term as o")
          .select("o.term")
          .where("o.workspace_id", "=", workspaceId)
          .where("o.term", "=", term)
          .whereRef("o.document_id", "=", "t.document_id"),
      ),
    );
  }
  if (within !== undefined) {
    const { principals } = within;
    found = found.where(({ or, exists, selectFrom }) =>
      or([
        exists(
          selectFrom("access_grant as g")
            .select("g.level")
            .where("g.workspace_id", "=", workspaceId)
            .whereRef("g.resource_id", "=", "d.id")
            .where("g.principal", "in", principals)
            .where("g.level", ">", 0),
        ),
        exists(
          selectFrom("folder_closure as c")
            .innerJoin("access_grant as g", (join) =>
              join.onRef("g.workspace_id", "=", "c.workspace_id").onRef("g.resource_id", "=", "c.ancestor_id"),
            )
            .select("g.level")
            .where("c.workspace_id", "=", workspaceId)
            .whereRef("c.descendant_id", "=", "d.folder_id")
            .where("g.principal", "in", principals)
            .where("g.level", ">", 0),
        ),
      ]),
    );
  }
  return found.orderBy("t.document_id", "desc").limit(limit);
}
