import { chmod, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import { Migration } from "@mikro-orm/migrations";
import { sql } from "kysely";
import { newId } from "../../ids.ts";
import { serverTls } from "../../testing/servers/certificates.ts";
import { type MariadbServer, startMariadb } from "../../testing/servers/mariadb.ts";
import { temporaryFolder } from "../../testing/temporary_folder.ts";
import { type MigrationClass, openDatabase } from "../database.ts";
import { entities, migrations, silentLogger } from "../testing/note.ts";

async function failureOf(run: () => Promise<unknown>): Promise<{ name: string; message: string }> {
  try {
    await run();
  } catch (error) {
    return error as { name: string; message: string };
  }
  throw new Error("nothing was thrown");
}

const options = { name: "notes", entities, migrations, migrate: true, logger: silentLogger } as const;

async function emptySchema(server: MariadbServer): Promise<string> {
  const name = `test_${newId().replaceAll("-", "")}`;
  await server.run(`create database ${name}`);
  return server.url(name);
}

class Migration20260102000000_second extends Migration {
  override up(): void {
    this.addSql("alter table `note` add `second` bigint null");
    this.addSql("alter table `note` add index `note_second` (`second`)");
  }
  override down(): void {
    this.addSql("alter table `note` drop `second`");
  }
}

/** Takes away what only the newest code does not need. */
class Migration20260103000000_third extends Migration {
  static readonly oldestCode = "Migration20260102000000_second";
  override up(): void {
    this.addSql("alter table `note` add `third` bigint null");
  }
}

describe("a database on a server", () => {
  it("speaks TLS to whom it can verify, and to nobody else", async () => {
    const [tls, other] = await Promise.all([serverTls(), serverTls()]);
    await using folder = await temporaryFolder();
    const files = { "ca.pem": tls.ca, "cert.pem": tls.cert, "key.pem": tls.key, "other.pem": other.ca };
    const path = (name: string) => join(folder.path, name);
    for (const [name, text] of Object.entries(files)) await writeFile(path(name), text, { mode: 0o644 });
    await chmod(folder.path, 0o755);
    await using server = await startMariadb([
      `--ssl-ca=${path("ca.pem")}`,
      `--ssl-cert=${path("cert.pem")}`,
      `--ssl-key=${path("key.pem")}`,
    ]);
    const url = server.url("mysql");
    const open = (caFile?: string) =>
      openDatabase({ ...options, url, migrate: "unchecked", ...(caFile && { connection: { caFile } }) });
    await using verified = await open(path("ca.pem"));
    const { rows } = await sql<{ Value: string }>`show session status like 'Ssl_version'`.execute(verified.query);
    expect(rows[0]?.Value).toMatch(/^TLSv1\.[23]$/);
    expect((await failureOf(() => open(path("other.pem")))).message).toMatch(
      /^The certificate of the database server .* is not to be trusted .*DATABASE_CA/,
    );
    expect((await failureOf(() => open(path("missing.pem")))).message).toMatch(/^DATABASE_CA .* cannot be read/);
  });

  it("says what went wrong without the values that it went wrong with", async () => {
    await using server = await startMariadb();
    await using db = await openDatabase({ ...options, url: await emptySchema(server) });
    const row = { id: newId(), workspace_id: "w", title: "Quarterly 'figures'", created_at: 1 };
    const add = (changed: object) =>
      db.query
        .insertInto("note")
        .values({ ...row, ...changed })
        .execute();
    await add({});
    const wrong = [
      {},
      { id: newId() },
      { title: "Quarterly figures ".repeat(50) },
      { id: newId(), title: "other", created_at: "Quarterly figures" },
    ];
    for (const changed of wrong) {
      const error = (await failureOf(() => add(changed))) as Error & { sql?: string };
      expect(error.sql).toBe("insert into `note` (`id`, `workspace_id`, `title`, `created_at`) values (?, ?, ?, ?)");
      const told = [error.message, error.stack, JSON.stringify(error)].join();
      for (const value of ["Quarterly", row.id]) expect(told).not.toContain(value);
    }
  });

  it("speaks TLS wherever the address is not this machine", async () => {
    await using server = await startMariadb(["--skip-ssl"]);
    // A name that is this machine for the system, and not for us: it might be another one tomorrow.
    const url = server.url("mysql").replace("127.0.0.1", "localhost.");
    const failure = await failureOf(() => openDatabase({ ...options, url, migrate: "unchecked" }));
    expect(failure.message).toMatch(/offers no TLS|cannot be reached/);
  });

  it("lets the code of the last release go on after an upgrade, and refuses an older one", async () => {
    await using server = await startMariadb();
    const url = await emptySchema(server);
    const [first] = migrations.mysql as [MigrationClass];
    const upTo = (...list: MigrationClass[]) => openDatabase({ ...options, url, migrations: { mysql: list } });
    await using oldest = await upTo(first);
    await oldest.query.insertInto("note").values({ id: "a", workspace_id: "w", title: "a", created_at: 1 }).execute();
    await using second = await upTo(first, Migration20260102000000_second);
    await second[Symbol.asyncDispose]();
    await using previous = await upTo(first);
    expect(await previous.query.selectFrom("note").select("id").execute()).toEqual([{ id: "a" }]);
    await using third = await upTo(first, Migration20260102000000_second, Migration20260103000000_third);
    await third[Symbol.asyncDispose]();
    await using allowed = await upTo(first, Migration20260102000000_second);
    await allowed.ready();
    const refused = await failureOf(() => upTo(first));
    expect(refused.message).toMatch(/upgraded by a newer version of Docket \(it has Migration20260102000000_second/);
  });

  it("finishes a migration that was cut short after any of its statements", async () => {
    await using server = await startMariadb();
    const [first] = migrations.mysql as [MigrationClass];
    const statements = [
      "alter table `note` add `second` bigint null",
      "alter table `note` add index `note_second` (`second`)",
    ];
    for (let done = 0; done <= statements.length; done += 1) {
      const url = await emptySchema(server);
      const all = { ...options, url, migrations: { mysql: [first, Migration20260102000000_second] } };
      await using before = await openDatabase({ ...options, url, migrations: { mysql: [first] } });
      await sql`update schema_state set begun = 'Migration20260102000000_second'`.execute(before.query);
      for (const statement of statements.slice(0, done)) await sql.raw(statement).execute(before.query);
      await using after = await openDatabase(all);
      expect(await after.schemaState()).toMatchObject({ pending: [], begun: undefined });
      await sql`select second from note use index (note_second)`.execute(after.query);
    }
  });

  it("finishes the very first migration when it was cut short", async () => {
    await using server = await startMariadb();
    const [first] = migrations.mysql as [MigrationClass];
    const url = await emptySchema(server);
    await using before = await openDatabase({ ...options, url, migrations: { mysql: [first] } });
    // As a process leaves it that dies between the last statement and the note of it.
    await sql`delete from schema_migration`.execute(before.query);
    await sql`update schema_state set begun = ${first.name}, oldest_code = null`.execute(before.query);
    await using after = await openDatabase({ ...options, url, migrations: { mysql: [first] } });
    expect(await after.schemaState()).toMatchObject({ executed: [first.name], pending: [], begun: undefined });
  });

  it("does not pass over a statement that fails in a migration that nobody has begun", async () => {
    await using server = await startMariadb();
    const url = await emptySchema(server);
    const [first] = migrations.mysql as [MigrationClass];
    await using before = await openDatabase({ ...options, url, migrations: { mysql: [first] } });
    await sql.raw("alter table `note` add `second` bigint null").execute(before.query);
    const mysql = [first, Migration20260102000000_second];
    expect((await failureOf(() => openDatabase({ ...options, url, migrations: { mysql } }))).message).toMatch(
      /Duplicate column/,
    );
  });

  it("is migrated once when eight begin at once", async () => {
    await using server = await startMariadb();
    const url = await emptySchema(server);
    const opened = await Promise.all(Array.from({ length: 8 }, () => openDatabase({ ...options, url })));
    for (const database of opened) {
      expect((await database.schemaDifference()).up).toEqual([]);
      await database[Symbol.asyncDispose]();
    }
  });

  it("says in one sentence that the account may not change the schema, and serves with no more than rows", async () => {
    await using server = await startMariadb();
    const url = await emptySchema(server);
    const schema = new URL(url).pathname.slice(1);
    await server.run(
      "create user reader@'127.0.0.1' identified by 'x'",
      `grant select, insert, update, delete on ${schema}.* to reader@'127.0.0.1'`,
    );
    const reader = `mariadb://reader:x@127.0.0.1:${server.port}/${schema}`;
    const failure = await failureOf(() => openDatabase({ ...options, url: reader }));
    expect(failure.name).toBe("StartError");
    expect(failure.message).toMatch(/^The account in DATABASE_URL may not change the schema: /);
    await using owner = await openDatabase({ ...options, url });
    await owner.ready();
    await using serving = await openDatabase({ ...options, url: reader, migrate: false });
    await serving.query.insertInto("note").values({ id: "a", workspace_id: "w", title: "a", created_at: 1 }).execute();
  });

  it("tries a single write again that was ended for another transaction", async () => {
    await using server = await startMariadb();
    const url = await emptySchema(server);
    await using one = await openDatabase({ ...options, url });
    await using other = await openDatabase({ ...options, url });
    const row = (id: string) => ({ id, workspace_id: "w", title: id, created_at: 1 });
    await one.query
      .insertInto("note")
      .values([row("a"), row("b")])
      .execute();
    const bump = (ids: readonly string[]) =>
      one.query
        .updateTable("note")
        .set((eb) => ({ version: eb("version", "+", 1) }))
        .where("id", "in", ids)
        .orderBy(sql`field(id, ${ids[0]}, ${ids[1]})`)
        .execute();
    // The two orders of locking deadlock sooner or later; how often, the server tells.
    await Promise.all(
      Array.from({ length: 300 }, async (_, at) => {
        if (at % 3 === 0) await bump(["a", "b"]);
        else if (at % 3 === 1) await bump(["b", "a"]);
        else
          await other.transaction(async (tx) => {
            for (const id of ["b", "a"]) {
              const { version } = await tx
                .selectFrom("note")
                .select("version")
                .where("id", "=", id)
                .executeTakeFirstOrThrow();
              await tx
                .updateTable("note")
                .set({ version: version + 1 })
                .where("id", "=", id)
                .execute();
            }
          });
      }),
    );
    const [deadlocks] = await server.run("show global status like 'Innodb_deadlocks'");
    expect(Number(deadlocks?.Value)).toBeGreaterThan(0);
    const rows = await one.query.selectFrom("note").select(["id", "version"]).orderBy("id").execute();
    expect(rows.map(({ version }) => version)).toEqual([301, 301]);
  });

  it("answers UNAVAILABLE while the server is away, and is used again when it is back", async () => {
    await using server = await startMariadb();
    await using database = await openDatabase({ ...options, url: await emptySchema(server) });
    await database.ready();
    await server.kill();
    expect((await failureOf(() => database.ready())).name).toBe("AppError");
    expect((await failureOf(() => database.transaction(async () => undefined))).name).toBe("AppError");
    await server.start();
    await database.ready();
    await database.transaction(async (tx) => {
      await tx.insertInto("note").values({ id: "a", workspace_id: "w", title: "a", created_at: 1 }).execute();
    });
  });
});
