import { openDatabase } from "@docket/runtime/db/database";
import { captureLog } from "@docket/runtime/testing/log";
import { temporaryFolder } from "@docket/runtime/testing/temporary_folder";
import { describe, expect, it } from "@jest/globals";
import { sql } from "kysely";
import { kindOf } from "../domain/kind.ts";
import { entities } from "./entities.ts";
import { migrations } from "./migrations/index.ts";

const files = [
  ["application/pdf", "a"],
  ["image/png", "a"],
  ["text/markdown; charset=utf-8", "a"],
  ["audio/mpeg", "a"],
  ["video/mp4", "a"],
  ["application/vnd.openxmlformats-officedocument.wordprocessingml.document", "a"],
  ["application/zip", "a.png"],
  ["application/octet-stream", "Scan.PDF"],
  ["", "notes.md"],
  ["", "tape"],
] as const;

describe("the migrations that repeat what lists need", () => {
  it("fill sizes and kinds from the newest versions, and count the tags", async () => {
    await using folder = await temporaryFolder();
    const { logger } = captureLog();
    const options = { url: `file:${folder.path}`, name: "document", entities, logger };
    const before = await openDatabase({ ...options, migrations: { sqlite: migrations.sqlite.slice(0, 2) } });
    for (const [at, [type, name]] of files.entries()) {
      await sql`insert into document (workspace_id, id, folder_id, title, title_key, tags, state, revision, last_number,
        created_by, created_at, updated_at) values ('w', ${`d${at}`}, '', 't', 't', '["X"]', 0, 1, 2, 'p', 1, 1)`.execute(
        before.query,
      );
      for (const number of [1, 2]) {
        await sql`insert into version (workspace_id, document_id, number, id, label, note, blob_id, digest, size,
          media_type, file_name, revision, created_by, created_at) values ('w', ${`d${at}`}, ${number},
          ${`v${at}-${number}`}, '', '', 'b', x'00', ${number * 100 + at}, ${number === 2 ? type : "image/gif"}, ${name},
          1, 'p', 1)`.execute(before.query);
      }
      await sql`insert into listing (workspace_id, list_key, document_id, state, title_key, updated_at)
        values ('w', 'tag:x', ${`d${at}`}, ${at === 0 ? 1 : 0}, 't', 1)`.execute(before.query);
    }
    await before[Symbol.asyncDispose]();

    await using db = await openDatabase({ ...options, migrations });
    const expected = files.map(([type, name], at) => ({ id: `d${at}`, size: 200 + at, kind: kindOf(type, name) }));
    const documents = await db.query.selectFrom("document").select(["id", "size", "kind"]).orderBy("id").execute();
    expect(documents).toEqual(expected);
    const listings = db.query.selectFrom("listing").select(["document_id as id", "size", "kind"]);
    expect(await listings.orderBy("document_id").execute()).toEqual(expected);
    const tags = await db.query.selectFrom("tag").selectAll().execute();
    expect(tags).toEqual([{ workspace_id: "w", tag_key: "x", name: "X", document_count: files.length - 1 }]);
  });
});
