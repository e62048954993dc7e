import { describe, expect, it } from "@jest/globals";
import { readdir, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ensureFolder, openDataDir } from "./data_dir.ts";
import { StartError } from "./errors.ts";
import { runScript } from "./testing/child.ts";
import { eventually } from "./testing/eventually.ts";
import { temporaryFolder } from "./testing/temporary_folder.ts";

const module = JSON.stringify(new URL("./data_dir.ts", import.meta.url).href);

describe("openDataDir", () => {
  it("makes the folder, with its parents, for its owner only", async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, "a", "b");
    using dataDir = await openDataDir(path);
    expect(dataDir.path).toBe(path);
    expect((await stat(path)).mode & 0o777).toBe(0o700);
    expect(await readdir(path)).toContain("lock.db");
  });

  it("refuses a second start on the same folder in one sentence, and is free again when disposed", async () => {
    await using folder = await temporaryFolder();
    const first = await openDataDir(folder.path);
    const second = openDataDir(folder.path);
    await expect(second).rejects.toBeInstanceOf(StartError);
    await expect(second).rejects.toThrow(/^Docket already runs on the data folder \S+: [^.]+\.$/);
    first[Symbol.dispose]();
    first[Symbol.dispose]();
    using third = await openDataDir(folder.path);
    expect(third.path).toBe(folder.path);
  });

  it("is held against other processes, and free again after one was killed", async () => {
    await using folder = await temporaryFolder();
    await using child = await runScript(`
      import { openDataDir } from ${module};
      await openDataDir(${JSON.stringify(folder.path)});
      console.log("held");
      setInterval(() => {}, 1000);
    `);
    await child.printed("held");
    await expect(openDataDir(folder.path)).rejects.toThrow("already runs");
    child.process.kill("SIGKILL");
    await child.ended();
    using mine = await eventually(() => openDataDir(folder.path));
    expect(mine.path).toBe(folder.path);
  });

  it("says in one sentence that the lock file is damaged, or cannot be used", async () => {
    await using folder = await temporaryFolder();
    await writeFile(join(folder.path, "lock.db"), "not a database, ".repeat(100));
    await expect(openDataDir(folder.path)).rejects.toThrow(
      /^The file \S+lock\.db is damaged: remove it, it holds no data\.$/,
    );
    await using other = await temporaryFolder();
    await ensureFolder(join(other.path, "lock.db"));
    await expect(openDataDir(other.path)).rejects.toThrow(/^The data folder \S+ cannot be locked \(SQLite error 14 /);
  });
});

describe("ensureFolder", () => {
  it("says in one sentence that the folder cannot be made", async () => {
    await using folder = await temporaryFolder();
    await writeFile(join(folder.path, "file"), "");
    for (const path of [join(folder.path, "file"), join(folder.path, "file", "below")]) {
      await expect(ensureFolder(path)).rejects.toThrow(
        /^The data folder \S+ cannot be written \(\w+\): a file is in its way\.$/,
      );
    }
  });
});
