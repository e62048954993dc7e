import { openDatabase } from "@docket/runtime/db/database";
import { createLogger } from "@docket/runtime/logger";
import { temporaryFolder } from "@docket/runtime/testing/temporary_folder";
import { testDatabaseUrl } from "@docket/runtime/testing/test_parts";
import { describe, expect, it } from "@jest/globals";
import { entities } from "../store/entities.ts";
import { migrations } from "../store/migrations/index.ts";
import type { Deps } from "./deps.ts";
import { housekeeping } from "./housekeeping.ts";

const day = 86_400_000;
const now = 1_000 * day;

describe("housekeeping", () => {
  it("removes what has ended or expired, and nothing else", async () => {
    await using folder = await temporaryFolder();
    await using db = await openDatabase({
      url: await testDatabaseUrl(folder.path),
      migrate: true,
      name: "user",
      entities,
      migrations,
      logger: createLogger({ level: "silent" }),
    });
    const session = (id: string, lastUsed: number, expires: number) => ({
      id,
      user_id: "u",
      secret_hash: id,
      client_name: "",
      client_address: "",
      created_at: 0,
      last_used_at: lastUsed,
      expires_at: expires,
    });
    await db.query
      .insertInto("session")
      .values([
        session("live", now - day, now + day),
        session("idle", now - 3 * day, now + day),
        session("old", now, now),
      ])
      .execute();
    const throttle = (bucket: string, lastAt: number) => ({ bucket, failures: 1, last_at: lastAt, blocked_until: 0 });
    await db.query
      .insertInto("throttle")
      .values([throttle("new", now - day), throttle("old", now - 3 * day)])
      .execute();
    const source = (hash: string, lastAt: number) => ({ user_id: "u", source_hash: hash, last_at: lastAt });
    await db.query
      .insertInto("known_source")
      .values([source("new", now - day), source("old", 0)])
      .execute();
    const reset = (id: string, expires: number) => ({
      id,
      user_id: id,
      secret_hash: id,
      created_at: 0,
      expires_at: expires,
    });
    await db.query
      .insertInto("password_reset")
      .values([reset("open", now + 1), reset("over", now)])
      .execute();

    const deps = { db, clock: () => new Date(now), rules: { sessionIdleMs: 2 * day } } as unknown as Deps;
    await housekeeping(deps).housekeeping?.run({} as never, db, new AbortController().signal);

    expect(await db.query.selectFrom("session").select("id").execute()).toEqual([{ id: "live" }]);
    expect(await db.query.selectFrom("throttle").select("bucket").execute()).toEqual([{ bucket: "new" }]);
    expect(await db.query.selectFrom("known_source").select("source_hash").execute()).toEqual([{ source_hash: "new" }]);
    expect(await db.query.selectFrom("password_reset").select("id").execute()).toEqual([{ id: "open" }]);
  });
});
