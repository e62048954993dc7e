// The tags of a workspace with how many documents have each. For who sees the root the counts are kept; for others they are
// counted over the documents that are granted to them, which are the rows that such a reader pays for in every list.
import type { PrincipalKey } from "../domain/access.ts";
import { state } from "../domain/state.ts";
import { tagKey } from "../domain/terms.ts";
import type { Query, Tx } from "./entities.ts";
import { documentsIn } from "./documents.ts";
import { chunks, compareText } from "./statements.ts";

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
  const ids = await grantedDocuments(query, workspaceId, principals, folderIds);
  const counts = new Map<string, number>();
  for (const part of chunks([...ids], 400)) {
    for (const [key, n] of await tagsOfDocuments(query, workspaceId, part)) counts.set(key, (counts.get(key) ?? 0) + n);
  }
  const page = [...counts.keys()]
    .filter((key) => key.startsWith(prefix) && (after === undefined || compareText(key, after) > 0))
    .sort(compareText)
    .slice(0, limit);
  const names = await namesOf(query, workspaceId, page);
  return page.map((key) => ({ key, name: names.get(key) ?? key, count: counts.get(key) ?? 0 }));
}

/** The documents outside the trash with a grant to some principals, or in some folders. */
async function grantedDocuments(
  query: Query,
  workspaceId: string,
  principals: readonly PrincipalKey[],
  folderIds: readonly string[],
): Promise<Set<string>> {
  const ids = new Set<string>();
  for (const part of chunks(principals, 400)) {
    const rows = await query
      .selectFrom("listing")
      .select("document_id")
      .where("workspace_id", "=", workspaceId)
      .where("list_key", "in", part)
      .where("state", "=", state.live)
      .execute();
    for (const row of rows) ids.add(row.document_id);
  }
  for (const { id } of await documentsIn(query, workspaceId, folderIds, state.live)) ids.add(id);
  return ids;
}

/**
 * How many of these documents have each tag. Counted here: where SQL groups by the key, the planner reads the whole
 * workspace in the order of keys instead of these documents.
 */
async function tagsOfDocuments(
  query: Query,
  workspaceId: string,
  ids: readonly string[],
): Promise<Map<string, number>> {
  const rows = await documentTagsStatement(query, workspaceId, ids).execute();
  const counts = new Map<string, number>();
  for (const { list_key } of rows) {
    if (!list_key.startsWith(listPrefix)) continue;
    const key = list_key.slice(listPrefix.length);
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return counts;
}

/** The statement that reads in which lists some documents are. */
export function documentTagsStatement(query: Query, workspaceId: string, ids: readonly string[]) {
  return query
    .selectFrom("listing")
    .select("list_key")
    .where("workspace_id", "=", workspaceId)
    .where("document_id", "in", ids)
    .where("state", "=", state.live);
}

async function namesOf(query: Query, workspaceId: string, keys: readonly string[]): Promise<Map<string, string>> {
  if (keys.length === 0) return new Map();
  const rows = await query
    .selectFrom("tag")
    .select(["tag_key", "name"])
    .where("workspace_id", "=", workspaceId)
    .where("tag_key", "in", keys)
    .execute();
  return new Map(rows.map((row) => [row.tag_key, row.name]));
}

/** Adds documents that are not in the trash, as their listings say, to the counts of their tags, or takes them away. */
export async function countTags(tx: Tx, workspaceId: string, ids: readonly string[], sign: 1 | -1): Promise<void> {
  for (const part of chunks(ids, 400)) {
    const counts = await tagsOfDocuments(tx, workspaceId, part);
    for (const [key, n] of counts) {
      const counted = await tx
        .updateTable("tag")
        .set((eb) => ({ document_count: eb("document_count", "+", sign * n) }))
        .where("workspace_id", "=", workspaceId)
        .where("tag_key", "=", key)
        .executeTakeFirst();
      if (counted.numUpdatedRows > 0n || sign < 0) continue;
      const name = await nameOf(tx, workspaceId, part, key);
      await tx.insertInto("tag").values({ workspace_id: workspaceId, tag_key: key, name, document_count: n }).execute();
    }
    if (sign > 0) continue;
    for (const keys of chunks([...counts.keys()], 400)) {
      await tx
        .deleteFrom("tag")
        .where("workspace_id", "=", workspaceId)
        .where("tag_key", "in", keys)
        .where("document_count", "<=", 0)
        .execute();
    }
  }
}

/** A tag as one of these documents wrote it. */
async function nameOf(tx: Tx, workspaceId: string, ids: readonly string[], key: string): Promise<string> {
  const rows = await tx
    .selectFrom("document")
    .select("tags")
    .where("workspace_id", "=", workspaceId)
    .where("id", "in", ids)
    .execute();
  const tags = rows.flatMap((row) => JSON.parse(row.tags) as string[]);
  return tags.find((tag) => tagKey(tag) === key) ?? key;
}
