// Whether what lies in a folder is a whole installation: each database sound, each content there with its digest, each
// version with its content. The databases are looked at in copies, so that the folder stays as it is.

import { constants } from "node:fs";
import { copyFile, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { MIGRATION_TABLE } from "@docket/runtime/db/migrate";
import { faultOfDatabase } from "@docket/runtime/db/sqlite/cut";
import { StartError } from "@docket/runtime/errors";
import { openContents } from "@docket/storage/admin";
import { readConfig } from "@docket/storage/config";
import { databaseNames, openers } from "../admin/databases.ts";
import type { Environment } from "../mesh.ts";
import { type Findings, verifyAll } from "../verify.ts";
import { environmentOf } from "./embedded.ts";

/** Copies of databases, to be opened, upgraded and thrown away. */
export interface Scratch extends AsyncDisposable {
  /** Settings under which the copies are found. */
  readonly environment: Environment;
}

/** Copies the databases of a data folder; contents are read where they are. */
export async function scratchOf(folder: string, names: readonly string[]): Promise<Scratch> {
  const path = await mkdtemp(join(tmpdir(), "docket-scratch-"));
  const scratch = {
    environment: environmentOf(path, join(folder, "blobs")),
    async [Symbol.asyncDispose]() {
      await rm(path, { recursive: true, force: true, maxRetries: 5 });
    },
  };
  try {
    for (const name of names) {
      await copyFile(join(folder, `${name}.db`), join(path, `${name}.db`), constants.COPYFILE_FICLONE);
    }
    return scratch;
  } catch (error) {
    await scratch[Symbol.asyncDispose]();
    throw error;
  }
}

/** What is counted of an installation. */
export interface Counts {
  readonly users: number;
  readonly documents: number;
}

/** Counts what a backup's manifest tells. */
export async function countsOf(scratch: Scratch): Promise<Counts> {
  await using user = await openers.user(scratch.environment, { migrate: true });
  await using document = await openers.document(scratch.environment, { migrate: true });
  return { users: (await user.listUsers()).length, documents: await document.countDocuments() };
}

/** Reads everything. Throws StartError where a database is damaged. */
export async function checkFolder(
  folder: string,
  names: readonly string[],
  say?: (line: string) => void,
): Promise<Findings> {
  for (const name of names) {
    const fault = faultOfDatabase(join(folder, `${name}.db`));
    if (fault !== undefined) throw new StartError(`The database ${name}.db is damaged: ${fault}.`);
  }
  await using scratch = await scratchOf(folder, names);
  for (const name of databaseNames.filter((known) => names.includes(known))) {
    // Upgraded as the next start would, so that a backup of an older version is understood.
    await using _ = await openers[name](scratch.environment, { migrate: true });
  }
  await using document = await openers.document(scratch.environment);
  await using storage = await openers.storage(scratch.environment);
  await using contents = await openContents(readConfig(scratch.environment));
  return await verifyAll({ document, storage, contents, ...(say && { say }) });
}

/** The newest migration that a database file has, as it lies there. */
export function newestMigration(file: string): string {
  using db = new DatabaseSync(file, { readOnly: true });
  const row = db.prepare(`SELECT max(name) AS name FROM ${MIGRATION_TABLE}`).get() as { name: string | null };
  return row.name ?? "";
}
