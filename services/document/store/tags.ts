// The tags of a workspace with how many documents have each. For who sees the root the counts are kept; for others they are
// counted over the documents that are granted to them, which are the rows that such a reader pays for in every list.
import { sql } from "kysely";
import type { PrincipalKey } from "../domain/access.ts";
import { state } from "../domain/state.ts";
import { tagKey } from "../domain/terms.ts";
import type { Query, Tx } from "./entities.ts";
import { chunks } from "./statements.ts";

/** What the keys of tags' lists begin with. */
const listPrefix = "tag:";
/** Sorts after every character. */
const last = "\u{10ffff}";

/** The key of the list of a tag. */
export function tagList(tag: string): string {
  return `${listPrefix}${tagKey(tag)}`;
}

/** A tag and how many documents have it. */
export interface TagCount {
  readonly key: string;
  readonly name: string;
  readonly count: number;
}

/** Which tags to list. */
export interface TagOptions {
  readonly workspaceId: string;
  /** What their keys begin with; empty: all. */
  readonly prefix: string;
  /** The key of the last tag of the page before. */
  readonly after: string | undefined;
  readonly limit: number;
}

/** A page of all tags, by key. */
export async function listTags(query: Query, { workspaceId, prefix, after, limit }: TagOptions): Promise<TagCount[]> {
  const rows = await query
    .selectFrom("tag")
    .select(["tag_key", "name", "document_count"])
    .where("workspace_id", "=", workspaceId)
    .where("tag_key", after === undefined ? ">=" : ">", after ?? prefix)
    .where("tag_key", "<", prefix + last)
    .orderBy("tag_key")
    .limit(limit)
    .execute();
  return rows.map((row) => ({ key: row.tag_key, name: row.name, count: row.document_count }));
}

/** A page of the tags of what is granted to some principals. */
export async function listTagsFor(
  query: Query,
  principals: readonly PrincipalKey[],
  folderIds: readonly string[],
  { workspaceId, prefix, after, limit }: TagOptions,
): Promise<TagCount[]> {
  if (principals.length === 0) return [];
  const granted = sql`select document_id from listing
    where workspace_id = ${workspaceId} and list_key in (${sql.join(principals)}) and state = ${state.live}`;
  const within = chunks(folderIds, 400).map(
    (part) => sql` union select id from document
      where workspace_id = ${workspaceId} and folder_id in (${sql.join(part)}) and state = ${state.live}`,
  );
  const begin = listPrefix + (after ?? prefix);
  // The cross join keeps the order: from the documents to their tags, never over the tags of everybody.
  const { rows } = await sql<{ tag_key: string; name: string; document_count: number }>`
    select t.tag_key, t.name, c.n as document_count from (
      select l.list_key as list_key, count(*) as n
      from (${granted}${sql.join(within, sql``)}) as v cross join listing as l
      where l.workspace_id = ${workspaceId} and l.document_id = v.document_id and l.state = ${state.live}
        and l.list_key ${sql.raw(after === undefined ? ">=" : ">")} ${begin} and l.list_key < ${listPrefix + prefix + last}
      group by l.list_key order by l.list_key limit ${sql.lit(limit)}
    ) as c cross join tag as t
    where t.workspace_id = ${workspaceId} and t.tag_key = substr(c.list_key, ${sql.lit(listPrefix.length + 1)})
    order by t.tag_key`.execute(query);
  return rows.map((row) => ({ key: row.tag_key, name: row.name, count: row.document_count }));
}

/** Adds documents that are not in the trash, as their listings say, to the counts of their tags, or takes them away. */
export async function countTags(tx: Tx, workspaceId: string, ids: readonly string[], sign: 1 | -1): Promise<void> {
  for (const part of chunks(ids, 400)) {
    const rows = await tx
      .selectFrom("listing")
      .select(({ fn }) => ["list_key", fn.countAll<number>().as("n")])
      .where("workspace_id", "=", workspaceId)
      .where("document_id", "in", part)
      .where("state", "=", state.live)
      .where("list_key", "like", `${listPrefix}%`)
      .groupBy("list_key")
      .execute();
    for (const { list_key, n } of rows) {
      const key = list_key.slice(listPrefix.length);
      const counted = await tx
        .updateTable("tag")
        .set((eb) => ({ document_count: eb("document_count", "+", sign * Number(n)) }))
        .where("workspace_id", "=", workspaceId)
        .where("tag_key", "=", key)
        .executeTakeFirst();
      if (counted.numUpdatedRows > 0n || sign < 0) continue;
      const name = await nameOf(tx, workspaceId, part, key);
      const row = { workspace_id: workspaceId, tag_key: key, name, document_count: Number(n) };
      await tx.insertInto("tag").values(row).execute();
    }
    if (sign < 0 && rows.length > 0) {
      const keys = rows.map((row) => row.list_key.slice(listPrefix.length));
      for (const gone of chunks(keys, 400)) {
        await tx
          .deleteFrom("tag")
          .where("workspace_id", "=", workspaceId)
          .where("tag_key", "in", gone)
          .where("document_count", "<=", 0)
          .execute();
      }
    }
  }
}

/** A tag as one of these documents wrote it. */
async function nameOf(tx: Tx, workspaceId: string, ids: readonly string[], key: string): Promise<string> {
  const row = await tx
    .selectFrom("document as d")
    .innerJoin("listing as l", (join) =>
      join.onRef("l.workspace_id", "=", "d.workspace_id").onRef("l.document_id", "=", "d.id"),
    )
    .select("d.tags")
    .where("d.workspace_id", "=", workspaceId)
    .where("d.id", "in", ids)
    .where("l.list_key", "=", listPrefix + key)
    .limit(1)
    .executeTakeFirst();
  const tags = JSON.parse(row?.tags ?? "[]") as string[];
  return tags.find((tag) => tagKey(tag) === key) ?? key;
}
