/** A small service's store, for the tests of runtime/db, runtime/changelog and runtime/queue. */

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Migration } from "@mikro-orm/migrations";
import type { Telemetry } from "../../telemetry/telemetry.ts";
import { testDatabase } from "../../testing/test_parts.ts";
import { type Database, openDatabase, type TablesOf } from "../database.ts";
import { runtimeEntities } from "../entities.ts";
import { bytesColumn, countColumn, defineEntity, flagColumn, idColumn, p, timeColumn } from "../schema.ts";
import { runtimeTablesMysql, runtimeTablesSql } from "./runtime_tables.ts";

export const NoteEntity = defineEntity({
  name: "Note",
  tableName: "note",
  properties: {
    id: idColumn().primary(),
    workspaceId: idColumn(),
    title: p.string().length(255),
    body: bytesColumn().nullable(),
    pinned: flagColumn().default(0),
    version: countColumn().default(1),
    createdAt: timeColumn(),
  },
  uniques: [{ name: "note_title", properties: ["workspaceId", "title"] }],
});

export const entities = [...runtimeEntities, NoteEntity] as const;
export type NoteTables = TablesOf<typeof entities>;

export class Migration20260101000000_initial extends Migration {
  override up(): void {
    for (const sql of runtimeTablesSql) this.addSql(sql);
    this.addSql(
      "create table `note` (`id` text not null primary key, `workspace_id` text not null, `title` text not null, `body` blob null, `pinned` integer not null default 0, `version` bigint not null default '1', `created_at` bigint not null)",
    );
    this.addSql("create unique index `note_title` on `note` (`workspace_id`, `title`)");
  }
}

/** The same on a server. */
export class Migration20260101000001_initial extends Migration {
  override up(): void {
    for (const sql of runtimeTablesMysql) this.addSql(sql);
    this.addSql(
      "create table `note` (`id` varchar(36) not null, `workspace_id` varchar(36) not null, `title` varchar(255) not null, `body` mediumblob null, `pinned` smallint not null default 0, `version` bigint not null default 1, `created_at` bigint not null, primary key (`id`)) default character set utf8mb4 collate utf8mb4_bin engine = InnoDB",
    );
    this.addSql("alter table `note` add unique `note_title` (`workspace_id`, `title`)");
  }
}

export const migrations = { sqlite: [Migration20260101000000_initial], mysql: [Migration20260101000001_initial] };

export const silentLogger = { info() {}, warn() {}, error() {}, debug() {} };

export interface NoteDatabase extends AsyncDisposable {
  readonly db: Database<NoteTables>;
  readonly folder: string;
}

/** A note database in a folder of its own, both gone when disposed. */
export async function openNotes(telemetry?: Telemetry): Promise<NoteDatabase> {
  const folder = await mkdtemp(join(tmpdir(), "docket-notes-"));
  const db = await openNotesIn(folder, telemetry);
  return {
    db,
    folder,
    async [Symbol.asyncDispose]() {
      await db[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

export async function openNotesIn(folder: string, telemetry?: Telemetry): Promise<Database<NoteTables>> {
  const { DATABASE_URL: url = `file:${folder}` } = await testDatabase(folder);
  const options = { name: "notes", entities, migrations, migrate: true, logger: silentLogger, telemetry } as const;
  return await openDatabase({ ...options, url });
}
