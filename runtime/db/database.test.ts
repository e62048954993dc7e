import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "@jest/globals";
import { sql } from "kysely";
import { newId } from "../ids.ts";
import { isUniqueViolation } from "./database.ts";
import { openNotes, openNotesIn } from "./testing/note.ts";
import { afterCommit } from "./transaction.ts";

const note = (title: string) => ({ id: newId(), workspace_id: "w", title, created_at: Date.now() });

async function failureOf(run: () => Promise<unknown>): Promise<{ name: string; message: string }> {
  try {
    await run();
  } catch (error) {
    return error as { name: string; message: string };
  }
  throw new Error("nothing was thrown");
}

describe("statements", () => {
  it("carry bytes, flags and times there and back", async () => {
    await using notes = await openNotes();
    const body = new Uint8Array(100_000).map((_, i) => i);
    await notes.db.query
      .insertInto("note")
      .values({ ...note("bytes"), body, pinned: 1, created_at: 1_700_000_000_123 })
      .execute();
    const row = await notes.db.query.selectFrom("note").selectAll().executeTakeFirstOrThrow();
    expect(row.body).toEqual(body);
    expect(row).toMatchObject({ pinned: 1, version: 1, created_at: 1_700_000_000_123 });
  });

  it("name a broken unique constraint, whichever key broke", async () => {
    await using notes = await openNotes();
    const first = note("same");
    await notes.db.query.insertInto("note").values(first).execute();
    for (const row of [note("same"), { ...note("other"), id: first.id }]) {
      const error = await failureOf(() => notes.db.query.insertInto("note").values(row).execute());
      expect(isUniqueViolation(error)).toBe(true);
    }
    const other = await failureOf(() => sql.raw("select * from nothing").execute(notes.db.query));
    expect(isUniqueViolation(other)).toBe(false);
  });

  it("count what they changed", async () => {
    await using notes = await openNotes();
    await notes.db.query
      .insertInto("note")
      .values([note("a"), note("b")])
      .execute();
    const update = await notes.db.query.updateTable("note").set({ pinned: 1 }).executeTakeFirst();
    expect(update.numUpdatedRows).toBe(2n);
    const removal = await notes.db.query.deleteFrom("note").where("title", "=", "a").executeTakeFirst();
    expect(removal.numDeletedRows).toBe(1n);
  });

  it("read while a transaction is open, and see only what is committed", async () => {
    await using notes = await openNotes();
    await notes.db.transaction(async (tx) => {
      await tx.insertInto("note").values(note("inside")).execute();
      expect(await notes.db.query.selectFrom("note").selectAll().execute()).toEqual([]);
    });
    expect(await notes.db.query.selectFrom("note").select("title").execute()).toEqual([{ title: "inside" }]);
  });
});

describe("transactions", () => {
  it("leave nothing behind when they throw, and run no work that waited for the commit", async () => {
    await using notes = await openNotes();
    let woken = 0;
    await failureOf(() =>
      notes.db.transaction(async (tx) => {
        await tx.insertInto("note").values(note("gone")).execute();
        afterCommit(tx, () => woken++);
        throw new Error("no");
      }),
    );
    expect(await notes.db.query.selectFrom("note").selectAll().execute()).toEqual([]);
    expect(woken).toBe(0);
    await notes.db.transaction(async (tx) => afterCommit(tx, () => woken++));
    expect(woken).toBe(1);
  });

  it("run one after the other, so that no increment is lost", async () => {
    await using notes = await openNotes();
    const row = note("counter");
    await notes.db.query.insertInto("note").values(row).execute();
    await Promise.all(
      Array.from({ length: 50 }, () =>
        notes.db.transaction(async (tx) => {
          const { version } = await tx
            .selectFrom("note")
            .select("version")
            .where("id", "=", row.id)
            .executeTakeFirstOrThrow();
          await tx
            .updateTable("note")
            .set({ version: version + 1 })
            .where("id", "=", row.id)
            .execute();
        }),
      ),
    );
    expect((await notes.db.query.selectFrom("note").select("version").executeTakeFirstOrThrow()).version).toBe(51);
  });

  it("wait for a transaction of another connection to the same file", async () => {
    await using notes = await openNotes();
    await using other = await openNotesIn(notes.folder);
    const bump = (db: typeof other) =>
      db.transaction(async (tx) => {
        await tx.insertInto("note").values(note(newId())).execute();
      });
    await Promise.all(Array.from({ length: 40 }, (_, i) => bump(i % 2 === 0 ? notes.db : other)));
    expect(await notes.db.query.selectFrom("note").select("id").execute()).toHaveLength(40);
  });

  it("are kept when the process is killed right after they were acknowledged", async () => {
    const folder = await mkdtemp(join(tmpdir(), "docket-killed-"));
    const committer = fileURLToPath(new URL("./testing/committer.ts", import.meta.url));
    const child = spawn(process.execPath, ["--no-warnings", committer, folder], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    let printed = "";
    child.stdout.on("data", (text: Buffer) => {
      printed += text.toString();
      if (printed.length > 2_000) child.kill("SIGKILL");
    });
    await once(child, "close");
    await using db = await openNotesIn(folder);
    const kept = new Set((await db.query.selectFrom("note").select("title").execute()).map((row) => row.title));
    const acknowledged = printed.split("\n").slice(0, -1);
    expect(acknowledged.length).toBeGreaterThan(20);
    expect(acknowledged.filter((title) => !kept.has(title))).toEqual([]);
    await rm(folder, { recursive: true });
  });

  it("refuse a write past them, which would wait for itself", async () => {
    await using notes = await openNotes();
    const nested = () => notes.db.transaction(() => notes.db.transaction(async () => undefined));
    const past = () => notes.db.transaction(() => notes.db.query.insertInto("note").values(note("past")).execute());
    expect((await failureOf(nested)).message).toContain("use its tx");
    expect((await failureOf(past)).message).toContain("use its tx");
    await notes.db.query.insertInto("note").values(note("after")).execute();
    await notes.db.ready();
  });

  it("finish before the database closes", async () => {
    await using notes = await openNotes();
    const running = Array.from({ length: 10 }, (_, i) =>
      notes.db.transaction(async (tx) => {
        await tx
          .insertInto("note")
          .values(note(`n${i}`))
          .execute();
      }),
    );
    await Promise.all(running);
    await notes.db[Symbol.asyncDispose]();
    await using again = await openNotesIn(notes.folder);
    expect(await again.query.selectFrom("note").select("id").execute()).toHaveLength(10);
    const error = await failureOf(() => notes.db.query.selectFrom("note").selectAll().execute());
    expect(error.message).toMatch(/destroyed|closed/);
  });
});
