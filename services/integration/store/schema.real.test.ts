import { bothWays } from "@docket/runtime/db/testing/both_ways";
import { startMariadb } from "@docket/runtime/testing/servers/mariadb";
import { temporaryFolder } from "@docket/runtime/testing/temporary_folder";
import { describe, expect, it } from "@jest/globals";
import { entities } from "./entities.ts";
import { migrations } from "./migrations/index.ts";

describe("the migrations of the integration service", () => {
  it("make what the entities say and can be taken back, one by one, on SQLite", async () => {
    await using folder = await temporaryFolder();
    const found = await bothWays(`file:${folder.path}`, entities, migrations);
    const count = migrations.sqlite.length;
    expect(found).toEqual({ difference: [], up: count, down: count, left: [], again: [] });
  });

  it("make what the entities say and can be taken back, one by one, on MariaDB", async () => {
    await using server = await startMariadb();
    await server.run("create database empty");
    const found = await bothWays(server.url("empty"), entities, migrations);
    const count = migrations.mysql.length;
    expect(found).toEqual({ difference: [], up: count, down: count, left: [], again: [] });
  });
});
