import { describe, expect, it } from "@jest/globals";
import { openDatabase } from "../db/database.ts";
import { entities, migrations, silentLogger } from "../db/testing/note.ts";
import { captureLog } from "../testing/log.ts";
import { startMariadb } from "../testing/servers/mariadb.ts";
import { databaseClock } from "./database_clock.ts";

const hour = 3_600_000;

describe("the clock of a queue on a server", () => {
  it("is the server's, however wrong the machine's is, and its difference is told", async () => {
    await using server = await startMariadb();
    await server.run("create database notes");
    const url = server.url("notes");
    await using db = await openDatabase({
      url,
      migrate: true,
      name: "notes",
      entities,
      migrations,
      logger: silentLogger,
    });
    for (const wrongMs of [-hour, 0, hour]) {
      const { logger, lines } = captureLog();
      const local = () => Date.now() + wrongMs;
      const clock = databaseClock(db as never, () => new Date(local()), logger, local);
      await clock.compare();
      expect(Math.abs(clock.now().getTime() - Date.now())).toBeLessThan(1_000);
      expect(lines()).toHaveLength(wrongMs === 0 ? 0 : 1);
    }
  });
});
