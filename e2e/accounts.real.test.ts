// Schemas and accounts on a new server, by the command that infra/accounts runs; then Docket runs with them.

import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import { createConnection } from "mysql2/promise";
import { createLogger } from "@docket/runtime/logger";
import { startMariadb } from "@docket/runtime/testing/servers/mariadb";
import { temporaryFolder } from "@docket/runtime/testing/temporary_folder";
import { runAdmin } from "./admin/run.ts";
import { runJourney } from "./journey.ts";
import { startMesh } from "./mesh.ts";
import { migrate } from "./real/migrated.ts";

const services = ["user", "document", "storage", "integration"];

/** Runs `npm run admin -- databases prepare <folder>`. */
async function prepare(folder: string): Promise<{ code: number; said: string }> {
  let said = "";
  const hear = (line: string) => {
    said += `${line}\n`;
  };
  const words = ["databases", "prepare", folder];
  const code = await runAdmin({ words, environment: {}, out: hear, err: hear, say: hear, readSecret: async () => "" });
  return { code, said };
}

describe("databases prepare", () => {
  it("makes accounts that can do their work and nothing else, as often as it is asked", async () => {
    await using server = await startMariadb();
    await using folder = await temporaryFolder();
    const urlOf = (user: string, schema: string, password = "first") =>
      `mariadb://${user}:${password}@127.0.0.1:${server.port}/${schema}`;
    const write = (file: string, url: string) => writeFile(join(folder.path, file), `${url}\n`);
    await write("administrator", server.url("information_schema"));
    for (const service of services) {
      await write(service, urlOf(`docket_${service}`, `docket_${service}`));
      await write(`${service}-migration`, urlOf(`docket_${service}_migration`, `docket_${service}`));
    }
    expect(await prepare(folder.path)).toMatchObject({
      code: 1,
      said: expect.stringContaining("operator cannot be read"),
    });
    await write("operator", urlOf("docket_operator", "docket_{service}"));
    const { code, said } = await prepare(folder.path);
    expect([code, said]).toEqual([0, expect.stringMatching(/docket_storage_migration +docket_storage +schema/)]);
    expect(said).not.toContain("first");

    // Only a migration's account changes the schema; with it the whole of Docket comes up and does the main job.
    const data = { DOCKET_DATA_DIR: folder.path };
    await migrate({ ...data, DATABASE_URL: urlOf("docket_{service}_migration", "docket_{service}") });
    const settings = {
      ...data,
      PORT: "0",
      DATABASE_URL: urlOf("docket_{service}", "docket_{service}"),
      RATE_LIMIT_PERCENT: "0",
    };
    {
      await using mesh = await startMesh(settings, { logger: createLogger({ level: "error" }) });
      await runJourney({ url: mesh.url, largeBytes: 2_000_000 });
    }

    const connect = (user: string, password: string) =>
      createConnection({ host: "127.0.0.1", port: server.port, user, password });
    const user = await connect("docket_user", "first");
    const codeOf = (sql: string) =>
      user.query(sql).then(
        () => "done",
        (error: { code: string }) => error.code,
      );
    expect(await codeOf("select * from docket_document.document limit 1")).toBe("ER_TABLEACCESS_DENIED_ERROR");
    expect(await codeOf("create table docket_user.mine (id int)")).toBe("ER_TABLEACCESS_DENIED_ERROR");
    expect(await codeOf("drop table docket_user.session")).toMatch(/DENIED/);
    await user.end();

    // Another password in the file is the account's from then on.
    await write("user", urlOf("docket_user", "docket_user", "second"));
    expect((await prepare(folder.path)).code).toBe(0);
    await expect(connect("docket_user", "first")).rejects.toMatchObject({ code: "ER_ACCESS_DENIED_ERROR" });
    await (await connect("docket_user", "second")).end();

    // A right that somebody gave by hand is gone.
    await server.run("grant all on docket_document.* to 'docket_user'@'%'");
    expect((await prepare(folder.path)).code).toBe(0);
    const again = await connect("docket_user", "second");
    await expect(again.query("select 1 from docket_document.document")).rejects.toMatchObject({
      code: "ER_TABLEACCESS_DENIED_ERROR",
    });
    await again.end();
  });
});
