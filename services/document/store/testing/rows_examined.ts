// How many rows the server reads for a page of documents: `node rows_examined.ts <url of an empty schema> <count> …`. For
// each count it fills the workspace up to that many documents and prints one line of JSON: the rows read (Handler_read_*)
// by the first page and by one in the middle, for every kind of list and order.

import { openDatabase } from "@docket/runtime/db/database";
import { createLogger } from "@docket/runtime/logger";
import { sql } from "kysely";
import {
  type Branch,
  branchStatement,
  type DocumentKey,
  keyOf,
  type ListOptions,
  type Order,
} from "../document_lists.ts";
import { type DocumentDatabase, entities } from "../entities.ts";
import { migrations } from "../migrations/index.ts";

const workspaceId = "00000000-0000-7000-8000-000000000000";
const folderId = "00000000-0000-7000-8000-00000000000f";

const lists: Readonly<Record<string, { readonly branch: Branch; readonly every: number }>> = {
  everything: { branch: { list: "everything" }, every: 1 },
  folder: { branch: { list: "folder", folderId }, every: 2 },
  tag: { branch: { list: "listing", key: "tag:legal" }, every: 2 },
  person: { branch: { list: "listing", key: "person:ann" }, every: 4 },
};

/** Documents in one statement of the filling. */
const atOnce = 10_000;

/** Times and sizes repeat, as those of an import do. */
async function fill(db: DocumentDatabase, from: number, to: number): Promise<void> {
  for (let at = from; at < to; at += atOnce) {
    const end = Math.min(to, at + atOnce);
    const id = sql.raw("concat('01900000-0000-7000-8000-', lpad(hex(seq), 12, '0'))");
    const numbers = sql.raw(`seq_${at + 1}_to_${end}`);
    const title = sql.raw("concat('Document ', lpad(seq, 9, '0'))");
    await sql`insert into document (workspace_id, id, folder_id, title, title_key, tags, state, revision, last_number,
      size, kind, created_by, created_at, updated_at)
      select ${workspaceId}, ${id}, if(seq % 2 = 0, ${folderId}, ''), ${title}, ${title}, '[]', 0, 1, 1, seq % 100,
        seq % 7, 'person:bob', 1, 1700000000000 + floor(seq / 500) from ${numbers}`.execute(db.query);
    for (const [key, every] of [
      ["tag:legal", 2],
      ["person:ann", 4],
    ] as const) {
      await sql`insert into listing (workspace_id, list_key, document_id, state, title_key, updated_at, size, kind)
        select ${workspaceId}, ${key}, ${id}, 0, ${title}, 1700000000000 + floor(seq / 500), seq % 100, seq % 7
        from ${numbers} where seq % ${sql.lit(every)} = 0`.execute(db.query);
    }
  }
}

async function rowsRead(db: DocumentDatabase, branch: Branch, options: ListOptions): Promise<[number, DocumentKey?]> {
  await sql`flush status`.execute(db.query);
  const { rows } = await branchStatement(branch, options).execute(db.query);
  const counters = await sql<{ Value: string }>`show session status like 'Handler_read%'`.execute(db.query);
  const last = rows.at(-1);
  const read = counters.rows.reduce((sum, { Value }) => sum + Number(Value), 0);
  return [read, last && keyOf(last, options.order)];
}

/** The key of the row in the middle of a list, by counting, which is what pages must not do. */
async function keyInTheMiddle(db: DocumentDatabase, branch: Branch, options: ListOptions, length: number) {
  const far = sql`${branchStatement(branch, { ...options, limit: 1 })} offset ${sql.lit(Math.floor(length / 2))}`;
  const { rows } = await (far as ReturnType<typeof branchStatement>).execute(db.query);
  const [row] = rows;
  if (row === undefined) throw new Error("the list is shorter than it must be");
  return keyOf(row, options.order);
}

const [url = "", ...counts] = process.argv.slice(2);
await using db = await openDatabase({
  url,
  name: "document",
  entities,
  migrations,
  migrate: true,
  // One connection, since the counters are a session's.
  connection: { connections: 1 },
  logger: createLogger({ level: "error" }),
});
let filled = 0;
for (const count of counts.map(Number)) {
  await fill(db, filled, count);
  filled = count;
  await sql`analyze table document, listing`.execute(db.query);
  const found: Record<string, readonly [first: number, deep: number]> = {};
  for (const [name, { branch, every }] of Object.entries(lists)) {
    for (const by of ["title", "time", "size"] as const) {
      for (const descending of [false, true]) {
        for (const kind of [undefined, 3]) {
          const order: Order = { by, descending };
          const filter = kind === undefined ? {} : { kind };
          const options = {
            dialect: db.dialect,
            workspaceId,
            branches: [],
            state: 0,
            ...filter,
            order,
            after: undefined,
            limit: 51,
          };
          const [first] = await rowsRead(db, branch, options);
          const length = count / every / (kind === undefined ? 1 : 7);
          const after = await keyInTheMiddle(db, branch, options, length);
          const [deep] = await rowsRead(db, branch, { ...options, after });
          found[`${name} by ${by}${descending ? ", last first" : ""}${kind === undefined ? "" : ", of a kind"}`] = [
            first,
            deep,
          ];
        }
      }
    }
  }
  process.stdout.write(`${JSON.stringify({ count, found })}\n`);
}
