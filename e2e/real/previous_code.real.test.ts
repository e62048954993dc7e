// An upgrade as it is rolled out: the previous code makes the data, the new code's migrations run, the previous code goes
// on, then the new code takes over.

import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { startMariadb } from "@docket/runtime/testing/servers/mariadb";
import { temporaryFolder } from "@docket/runtime/testing/temporary_folder";
import { describe, expect, it } from "@jest/globals";
import { migrate } from "./migrated.ts";
import { databases } from "./parts.ts";
import { checkOutPrevious } from "./previous.ts";

const here = join(import.meta.dirname, "../..");

/** The main job, done by the code of a checkout on given databases. */
async function journey(checkout: string, settings: Readonly<Record<string, string>>): Promise<void> {
  const program = `
    import { runJourney } from ${JSON.stringify(join(checkout, "e2e/journey.ts"))};
    import { startMesh } from ${JSON.stringify(join(checkout, "e2e/mesh.ts"))};
    await using mesh = await startMesh(${JSON.stringify(settings)});
    await runJourney({ url: mesh.url, largeBytes: 5_000_000, log() {} });
    process.exitCode = 0;`;
  await using folder = await temporaryFolder();
  const path = join(folder.path, "journey.mts");
  await writeFile(path, program);
  await promisify(execFile)(process.execPath, ["--no-warnings", path], {
    env: { ...process.env, LOG_LEVEL: "error" },
    cwd: checkout,
  });
}

describe("the previous code", () => {
  it.each(["SQLite", "MariaDB"])(
    "works before and on the schema of this code, on %s",
    async (kind) => {
      await using folder = await temporaryFolder();
      const previous = await checkOutPrevious(folder.path);
      await using parts = new AsyncDisposableStack();
      const settings: Record<string, string> = {
        DOCKET_DATA_DIR: join(folder.path, "data"),
        PORT: "0",
        RATE_LIMIT_PERCENT: "1000",
        LOG_LEVEL: "error",
      };
      if (kind === "MariaDB") {
        const mariadb = parts.use(await startMariadb());
        for (const service of databases) await mariadb.run(`create database docket_${service}`);
        settings.DATABASE_URL = mariadb.url("docket_{service}");
      }
      const before = await migrateWith(previous.folder, settings);
      await journey(previous.folder, settings);
      const upgrade = await migrate(settings);
      const named = previous.added.filter((file) => file.includes(kind === "SQLite" ? "/sqlite/" : "/mysql/"));
      for (const file of named) {
        const name = file.slice(file.lastIndexOf("/") + 1, -".ts".length);
        expect(before).not.toContain(name);
        expect(upgrade).toContain(`applied ${name}`);
      }
      await journey(previous.folder, settings);
      await journey(here, settings);
    },
    300_000,
  );
});

async function migrateWith(checkout: string, settings: Readonly<Record<string, string>>): Promise<string> {
  const command = join(checkout, "e2e/migrate.ts");
  const { stdout } = await promisify(execFile)(process.execPath, ["--no-warnings", command], {
    env: { ...process.env, ...settings },
  });
  return stdout;
}
