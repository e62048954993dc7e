// What is told of a database server's connections and of Redis, by real ones.

import { describe, expect, it } from "@jest/globals";
import { readSettings } from "../config.ts";
import { openDatabase } from "../db/database.ts";
import { entities, migrations, silentLogger } from "../db/testing/note.ts";
import { openRedis, script } from "../redis/redis.ts";
import { redisSettings } from "../redis/settings.ts";
import { eventually } from "../testing/eventually.ts";
import { captureLog } from "../testing/log.ts";
import { startMariadb } from "../testing/servers/mariadb.ts";
import { startRedis } from "../testing/servers/redis.ts";
import { within } from "./span.ts";
import { openRecorder } from "./testing/recorder.ts";

describe("a database server", () => {
  it("is told of by its statements and by the connections to it", async () => {
    await using server = await startMariadb();
    await server.run("create database told");
    await using recorder = await openRecorder("notes");
    const { telemetry } = recorder;
    const options = { name: "notes", entities, migrations, migrate: true, logger: silentLogger, telemetry } as const;
    await using db = await openDatabase({ ...options, url: server.url("told"), connection: { connections: 3 } });
    const span = recorder.begin("request");
    await within(span, async () => {
      await db.transaction(async (tx) => {
        await tx.insertInto("note").values({ id: "a", workspace_id: "w", title: "Quay 4", created_at: 1 }).execute();
        expect(await recorder.lines("db_client_connection_count")).toEqual(
          expect.arrayContaining(['db_client_connection_count{db_client_connection_state="used"} 1']),
        );
      });
    });
    span.end();
    const told = recorder.ended.filter(({ traceId }) => traceId === span.traceId);
    expect(told.map(({ name }) => name)).toEqual(["BEGIN", "INSERT note", "COMMIT", "request"]);
    expect(told[1]?.attributes).toMatchObject({
      "db.system.name": "mariadb",
      "db.query.text": "insert into `note` (`id`, `workspace_id`, `title`, `created_at`) values (?, …)",
    });
    expect(JSON.stringify(recorder.ended)).not.toContain("Quay");
    expect(await recorder.lines("db_client_connection_max")).toEqual(["db_client_connection_max 3"]);
    expect(await recorder.lines("db_client_connection_pending_requests")).toEqual([
      "db_client_connection_pending_requests 0",
    ]);
  });
});

describe("Redis", () => {
  it("is told of by what is asked of it, without keys and values, and by whether it is there", async () => {
    await using server = await startRedis();
    await using recorder = await openRecorder("gateway");
    const settings = readSettings(redisSettings, { REDIS_URL: server.url });
    await using redis = openRedis(settings, captureLog().logger, recorder.telemetry.metrics);
    await eventually(() => redis?.connected === true);
    const span = recorder.begin("request");
    await within(span, async () => redis?.run(script("return KEYS[1]"), ["anna"], ["secret"]));
    span.end();
    const [asked] = recorder.ended;
    expect(asked).toMatchObject({
      name: "EVALSHA",
      parentSpanId: span.spanId,
      attributes: { "db.system.name": "redis" },
    });
    expect(JSON.stringify(recorder.ended)).not.toMatch(/anna|secret/);
    expect(await recorder.lines("docket_redis_connected ")).toEqual(["docket_redis_connected 1"]);
    await server.stop();
    await eventually(async () =>
      expect(await recorder.lines("docket_redis_connected ")).toEqual(["docket_redis_connected 0"]),
    );
  });
});
