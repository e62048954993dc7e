import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import { createMigration } from "./create_migration.ts";

/** A store whose entities are those of the notes; inside the repository, so that its imports resolve. */
async function storeOf(entities: string) {
  const folder = await mkdtemp(join(import.meta.dirname, "testing", ".staging-"));
  await writeFile(join(folder, "entities.ts"), entities);
  return { folder, [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }) };
}

const notes = 'export { entities } from "../note.ts";\n';
const when = new Date("2026-02-03T04:05:06Z");
const empty = (folder: string) => ({ dialect: "sqlite" as const, url: `file:${join(folder, "empty")}` });

describe("createMigration", () => {
  it("writes what brings an empty database to the entities, and an index of all migrations", async () => {
    await using store = await storeOf(notes);
    const written = await createMigration(store.folder, "initial", when, empty(store.folder));
    expect(basename(written ?? "")).toBe("Migration20260203040506_initial.ts");
    const source = await readFile(written ?? "", "utf8");
    expect(source).toContain("export class Migration20260203040506_initial extends Migration");
    expect(source).toContain("create table `note`");
    expect(source).toContain("create unique index `note_title`");
    expect(source).toMatch(/override down.*drop table if exists `note`/s);
    const folder = join(store.folder, "migrations", "sqlite");
    expect((await readdir(folder)).sort()).toEqual(["Migration20260203040506_initial.ts", "index.ts"]);
    expect(await readFile(join(folder, "index.ts"), "utf8")).toContain(
      "export const migrations = [Migration20260203040506_initial];",
    );
  });

  it("writes nothing when the migrations say what the entities say", async () => {
    await using store = await storeOf(notes);
    await createMigration(store.folder, "initial", when, empty(store.folder));
    expect(await createMigration(store.folder, "again", when, empty(store.folder))).toBeUndefined();
  });

  it("refuses a label that is no name", async () => {
    await using store = await storeOf(notes);
    await expect(createMigration(store.folder, "../evil", when, empty(store.folder))).rejects.toThrow("snake_case");
  });
});
