// The migrations of every service by command, on the embedded default. On servers: previous_code.real.test.ts.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "@jest/globals";
import { temporaryFolder } from "@docket/runtime/testing/temporary_folder";

/** Runs a program of the repository to its end. */
async function run(program: string, words: readonly string[], settings: Record<string, string>) {
  const path = fileURLToPath(new URL(program, import.meta.url));
  const child = spawn(process.execPath, ["--no-warnings", path, ...words], {
    env: { ...process.env, DATABASE_URL: "", ...settings },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [[code], out, err] = await Promise.all([once(child, "exit"), text(child.stdout), text(child.stderr)]);
  return { code, out: out.trim().split("\n"), err: err.trim() };
}

const document = "../services/document/migrate.ts";

describe("npm run migrate", () => {
  it("applies what is pending and says so, once", async () => {
    await using folder = await temporaryFolder();
    const settings = { DOCKET_DATA_DIR: folder.path };
    const first = await run("migrate.ts", [], settings);
    expect([first.code, first.err]).toEqual([0, ""]);
    for (const service of ["user", "document", "storage", "integration"]) {
      expect(first.out).toContainEqual(expect.stringMatching(new RegExp(`^${service}: applied Migration\\d{14}_`)));
    }
    const second = await run("migrate.ts", ["up"], settings);
    expect([second.code, second.out.filter((line) => !line.endsWith(": nothing is pending"))]).toEqual([0, []]);
  }, 180_000);

  it.each(["down", "down Migration20261121142453_archives", "upp", "up twice"])(
    "takes no other word, and nothing back: %s",
    async (words) => {
      await using folder = await temporaryFolder();
      const asked = await run("migrate.ts", words.split(" "), { DOCKET_DATA_DIR: folder.path });
      expect([asked.code, asked.err]).toEqual([2, expect.stringContaining("npm run migrate -- status")]);
    },
  );

  it("refuses one schema for all services", async () => {
    const asked = await run("migrate.ts", ["status"], { DATABASE_URL: "mariadb://docket:secret@127.0.0.1:1/docket" });
    expect([asked.code, asked.err]).toEqual([
      1,
      expect.stringMatching(/^DATABASE_URL names one schema.*\{service\}[^\n]*$/),
    ]);
    expect(asked.err).not.toContain("secret");
  });
});

describe("a service's database", () => {
  it("goes back to a migration that is named, and never beyond the first", async () => {
    await using folder = await temporaryFolder();
    const settings = { DOCKET_DATA_DIR: folder.path };
    const names = (await run(document, ["up"], settings)).out.map((line) => line.split(" ").at(-1) ?? "");
    const [first = "", ...newer] = names;
    expect(newer.length).toBeGreaterThan(0);

    const nowhere = await run(document, ["down"], settings);
    expect([nowhere.code, nowhere.err]).toEqual([2, expect.stringMatching(/^Name the migration [^\n]*$/)]);
    const unknown = await run(document, ["down", "nonsense"], settings);
    expect([unknown.code, unknown.err]).toEqual([
      1,
      expect.stringContaining(`has no migration nonsense; it has ${first}`),
    ]);

    const back = await run(document, ["down", first], settings);
    expect([back.code, back.out]).toEqual([0, newer.toReversed().map((name) => `document: took back ${name}`)]);
    const again = await run(document, ["down", first], settings);
    expect([again.code, again.out]).toEqual([0, [`document: nothing is newer than ${first}`]]);
  }, 180_000);
});
