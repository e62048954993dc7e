import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import { sql } from "kysely";
import { newId } from "../../ids.ts";
import { openDatabase } from "../database.ts";
import { entities, migrations, openNotes, openNotesIn, silentLogger } from "../testing/note.ts";

const note = (title: string) => ({ id: newId(), workspace_id: "w", title, created_at: Date.now() });

async function failureOf(run: () => Promise<unknown>): Promise<{ name: string; message: string }> {
  try {
    await run();
  } catch (error) {
    return error as { name: string; message: string };
  }
  throw new Error("nothing was thrown");
}

describe("openDatabase on a file", () => {
  it("brings a new file to the schema of the entities", async () => {
    await using notes = await openNotes();
    expect((await notes.db.schemaDifference()).up).toEqual([]);
  });

  it("keeps what was committed across closing and opening, and leaves no WAL behind", async () => {
    await using notes = await openNotes();
    await using again = await openNotesIn(notes.folder);
    await again.query.insertInto("note").values(note("kept")).execute();
    expect(await notes.db.query.selectFrom("note").select("title").execute()).toEqual([{ title: "kept" }]);
    await notes.db[Symbol.asyncDispose]();
    await again[Symbol.asyncDispose]();
    await expect(stat(join(notes.folder, "notes.db-wal"))).rejects.toMatchObject({ code: "ENOENT" });
    expect((await readFile(join(notes.folder, "notes.db"))).includes("kept")).toBe(true);
  });

  it("runs in WAL with full synchronisation and foreign keys", async () => {
    await using notes = await openNotes();
    const read = async (name: string) =>
      Object.values((await sql.raw(`pragma ${name}`).execute(notes.db.query)).rows[0] as object)[0];
    expect(await read("journal_mode")).toBe("wal");
    expect(await read("synchronous")).toBe(2);
    expect(await read("foreign_keys")).toBe(1);
  });

  it("says in one sentence that a file is damaged", async () => {
    const folder = await mkdtemp(join(tmpdir(), "docket-damaged-"));
    await writeFile(join(folder, "notes.db"), "this is no database, whatever its name says".repeat(100));
    const error = await failureOf(() => openNotesIn(folder));
    expect(error.name).toBe("StartError");
    expect(error.message).toMatch(/notes\.db is damaged .*; restore it from a backup\.$/);
    await rm(folder, { recursive: true });
  });

  it("finds a page that was overwritten", async () => {
    const folder = await mkdtemp(join(tmpdir(), "docket-damaged-"));
    {
      await using db = await openNotesIn(folder);
      await db.query
        .insertInto("note")
        .values(Array.from({ length: 500 }, (_, i) => note(`note ${i}`)))
        .execute();
    }
    const bytes = await readFile(join(folder, "notes.db"));
    bytes.fill(0xa5, 4096 * 5, 4096 * 7);
    await writeFile(join(folder, "notes.db"), bytes);
    expect((await failureOf(() => openNotesIn(folder))).message).toMatch(/is damaged/);
    await rm(folder, { recursive: true });
  });

  it("says in one sentence that the folder cannot be written", async () => {
    const folder = await mkdtemp(join(tmpdir(), "docket-file-"));
    await writeFile(join(folder, "data"), "");
    const error = await failureOf(() => openNotesIn(join(folder, "data")));
    expect(error.name).toBe("StartError");
    expect(error.message).toMatch(/cannot hold databases/);
    await rm(folder, { recursive: true });
  });

  it("refuses a URL of another kind without repeating its password", async () => {
    const error = await failureOf(() =>
      openDatabase({ url: "postgres://me:secret@host/x", name: "notes", entities, migrations, logger: silentLogger }),
    );
    expect(error.name).toBe("StartError");
    expect(error.message).not.toContain("secret");
  });

  it("refuses a schema that newer code has written", async () => {
    await using notes = await openNotes();
    const error = await failureOf(() =>
      openDatabase({
        url: `file:${notes.folder}`,
        name: "notes",
        entities,
        migrations: { sqlite: [] },
        logger: silentLogger,
      }),
    );
    expect(error.name).toBe("StartError");
    expect(error.message).toContain("newer version of Docket");
  });

  it("lets two processes begin on the same new file at once", async () => {
    const folder = await mkdtemp(join(tmpdir(), "docket-race-"));
    for (const db of await Promise.all([openNotesIn(folder), openNotesIn(folder)])) {
      expect((await db.schemaDifference()).up).toEqual([]);
      await db[Symbol.asyncDispose]();
    }
    await rm(folder, { recursive: true });
  });

  it("does not apply migrations when told not to", async () => {
    const folder = await mkdtemp(join(tmpdir(), "docket-pending-"));
    const error = await failureOf(() =>
      openDatabase({
        url: `file:${folder}`,
        name: "notes",
        entities,
        migrations,
        logger: silentLogger,
        migrate: false,
      }),
    );
    expect(error.message).toContain("npm run migrate");
    await rm(folder, { recursive: true });
  });
});
