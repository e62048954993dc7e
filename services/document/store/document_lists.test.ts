import { openDatabase } from "@docket/runtime/db/database";
import { captureLog } from "@docket/runtime/testing/log";
import { temporaryFolder } from "@docket/runtime/testing/temporary_folder";
import { describe, expect, it } from "@jest/globals";
import { type CompiledQuery, sql } from "kysely";
import { type Branch, branchStatement, searchStatement } from "./document_lists.ts";
import { type DocumentDatabase, entities } from "./entities.ts";
import { migrations } from "./migrations/index.ts";
import { documentTagsStatement } from "./tags.ts";

async function open(folder: string): Promise<DocumentDatabase> {
  const { logger } = captureLog();
  return openDatabase({
    url: `file:${folder}`,
    name: "document",
    entities,
    migrations,
    logger,
  });
}

/** How SQLite would go about a statement, step by step. */
async function planOf(db: DocumentDatabase, compiled: CompiledQuery): Promise<string[]> {
  const parts = `explain query plan ${compiled.sql}`.split("?");
  const [first = "", ...rest] = parts;
  const statement = rest.reduce(
    (text, part, at) => sql`${text}${compiled.parameters[at]}${sql.raw(part)}`,
    sql.raw(first),
  );
  const { rows } = await sql<{ detail: string }>`${statement}`.execute(db.query);
  return rows.map((row) => row.detail);
}

const page = { dialect: "sqlite" as const, workspaceId: "w", branches: [], state: 0, limit: 51 };
const branches: Branch[] = [
  { list: "everything" },
  { list: "folder", folderId: "f" },
  { list: "listing", key: "tag:legal" },
  { list: "listing", key: "person:ann" },
];

describe("a page of documents", () => {
  it("begins in an index at its first row and sorts nothing, whatever the list and the order", async () => {
    await using folder = await temporaryFolder();
    await using db = await open(folder.path);
    const columns = { title: "title_key", time: "updated_at", size: "size" };
    const orders = (["title", "time", "size"] as const).flatMap((by) =>
      [true, false].map((descending) => ({ by, descending })),
    );
    for (const branch of branches) {
      for (const order of orders) {
        for (const kind of [undefined, 2]) {
          const filter = kind === undefined ? {} : { kind };
          const after = { value: order.by === "title" ? "a" : 1, id: "d" };
          const statement = branchStatement(branch, { ...page, ...filter, order, after });
          const plan = await planOf(db, statement.compile(db.query));
          const beyond = order.descending ? "<" : ">";
          const key = branch.list === "listing" ? "document_id" : "id";
          const place = `${kind === undefined ? "state=\\?" : "kind=\\?"} AND \\(${columns[order.by]},${key}\\)${beyond}\\(\\?,\\?\\)`;
          expect(plan[0]).toMatch(
            new RegExp(`^SEARCH [dl] USING (COVERING )?INDEX \\w+ \\(workspace_id=\\? AND .*${place}\\)$`),
          );
          expect(plan.join("\n")).not.toMatch(/SCAN|TEMP B-TREE/);
        }
      }
    }
  });
});

describe("the tags of some documents", () => {
  it("are read document by document, never over the tags of everybody", async () => {
    await using folder = await temporaryFolder();
    await using db = await open(folder.path);
    const plan = await planOf(db, documentTagsStatement(db.query, "w", ["a", "b"]).compile());
    expect(plan).toEqual([
      expect.stringMatching(/^SEARCH listing .*\(workspace_id=\? AND document_id=\? AND state=\?\)$/),
    ]);
  });
});

describe("a search", () => {
  it("reads one term in order and looks up the others, also for somebody with a few grants", async () => {
    await using folder = await temporaryFolder();
    await using db = await open(folder.path);
    for (const within of [undefined, { principals: ["person:ann"] }]) {
      const options = { workspaceId: "w", terms: ["contract", "2026"], within, after: "d", limit: 51 };
      const plan = await planOf(db, searchStatement(db.query, options).compile());
      expect(plan[0]).toMatch(/^SEARCH t USING COVERING INDEX \w+ \(workspace_id=\? AND term=\? AND document_id<\?\)$/);
      expect(plan.join("\n")).not.toMatch(/SCAN|TEMP B-TREE/);
    }
  });
});
