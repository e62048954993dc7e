// Several databases as they were at one moment, while another process writes them one after the other.

import { existsSync } from "node:fs";
import { stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, it } from "@jest/globals";
import { runScript } from "../../testing/child.ts";
import { temporaryFolder } from "../../testing/temporary_folder.ts";
import { copyAtOneMoment, faultOfDatabase } from "./cut.ts";

function make(file: string): void {
  using db = new DatabaseSync(file);
  db.exec("PRAGMA journal_mode = WAL; CREATE TABLE counter (n INTEGER NOT NULL, filler BLOB); ");
  // Large enough for a copy to take many steps.
  db.exec(
    "INSERT INTO counter VALUES (0, NULL); WITH RECURSIVE r(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM r WHERE i < 500) INSERT INTO counter SELECT -1, randomblob(16000) FROM r",
  );
}

function countIn(file: string): number {
  using db = new DatabaseSync(file, { readOnly: true });
  return (db.prepare("SELECT max(n) AS n FROM counter").get() as { n: number }).n;
}

/** Counts up in the first database, then in the second, over and over. */
const writer = (files: readonly string[]) => `
  import { DatabaseSync } from "node:sqlite";
  const dbs = ${JSON.stringify(files)}.map((file) => new DatabaseSync(file, { timeout: 10000 }));
  console.log("writing");
  for (let n = 1; ; n += 1) {
    for (const db of dbs) db.exec("UPDATE counter SET n = " + n + " WHERE n >= 0");
    if (n % 50 === 0) await new Promise((resolve) => setImmediate(resolve));
  }`;

describe("copying several databases at one moment", () => {
  it("shows each as it was when the others were as they are shown", async () => {
    await using folder = await temporaryFolder();
    const files = ["one", "two"].map((name) => join(folder.path, `${name}.db`));
    for (const file of files) make(file);
    await using child = await runScript(writer(files));
    await child.printed("writing");
    let before = 0;
    for (let round = 0; round < 5; round += 1) {
      const copies = files.map((from) => ({ from, to: `${from}.${round}` }));
      await copyAtOneMoment(copies);
      const [first = 0, second = 0] = copies.map(({ to }) => countIn(to));
      // The writer is between the two, or has done both.
      expect([0, 1]).toContain(first - second);
      expect(first).toBeGreaterThan(before);
      before = first;
      for (const { to } of copies) {
        expect(faultOfDatabase(to)).toBeUndefined();
        expect([existsSync(`${to}-wal`), existsSync(`${to}-shm`)]).toEqual([false, false]);
        if (process.platform !== "win32") expect((await stat(to)).mode & 0o777).toBe(0o600);
      }
    }
  });

  it("waits for a transaction that is open, holding up nobody meanwhile", async () => {
    await using folder = await temporaryFolder();
    const files = ["one", "two"].map((name) => join(folder.path, `${name}.db`));
    for (const file of files) make(file);
    using busy = new DatabaseSync(files[1] ?? "");
    busy.exec("BEGIN IMMEDIATE; UPDATE counter SET n = 7 WHERE n >= 0");
    const copying = copyAtOneMoment(files.map((from) => ({ from, to: `${from}.copy` })));
    using other = new DatabaseSync(files[0] ?? "", { timeout: 1_000 });
    other.exec("UPDATE counter SET n = 9 WHERE n >= 0");
    busy.exec("COMMIT");
    await copying;
    expect(files.map((from) => countIn(`${from}.copy`))).toEqual([9, 7]);
  });

  it("says which file is no database, and never writes over one", async () => {
    await using folder = await temporaryFolder();
    const [good, bad] = ["good", "bad"].map((name) => join(folder.path, `${name}.db`)) as [string, string];
    make(good);
    await writeFile(
      bad,
      "this is a text, and long enough to be taken for the header of a database file of some kind or other, is it not?",
    );
    await expect(copyAtOneMoment([{ from: bad, to: `${bad}.copy` }])).rejects.toThrow(`${bad} cannot be read`);
    expect(faultOfDatabase(bad)).toContain("not a database");
    await expect(copyAtOneMoment([{ from: good, to: good }])).rejects.toThrow("EEXIST");
    expect(faultOfDatabase(good)).toBeUndefined();
  });
});
