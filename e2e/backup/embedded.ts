// Where the embedded default keeps what: the databases of all services, the contents, the secrets. A backup has the same
// folders, so that one that was restored is a data folder.

import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { parseDatabaseUrl } from "@docket/runtime/db/url";
import { StartError } from "@docket/runtime/errors";
import { databaseOf } from "@docket/runtime/service_settings";
import { blobUrlOf, readConfig } from "@docket/storage/config";
import { databaseNames } from "../admin/databases.ts";
import type { Environment } from "../mesh.ts";

/** The data of an installation on one machine. */
export interface EmbeddedData {
  readonly dataDir: string;
  /** The databases that there are, by service. */
  readonly databases: readonly { readonly name: string; readonly file: string }[];
}

/** Files of the data folder that a restored one needs beside databases and contents; mesh/ is made anew at a start. */
const kept = /^([a-z]+-secret\.key|databases\.json)$/;

/** Where everything is. Throws StartError for an installation that keeps something elsewhere, or that there is none of. */
export function embeddedData(environment: Environment): EmbeddedData {
  const config = readConfig(environment);
  const { dataDir } = config;
  const found = databaseNames.flatMap((name) => {
    const location = parseDatabaseUrl(databaseOf(config).url, name);
    if (location.dialect !== "sqlite") throw elsewhere("DATABASE_URL names a server");
    const file = join(location.folder, `${name}.db`);
    return existsSync(file) ? [{ name, file }] : [];
  });
  if (!blobUrlOf(config).startsWith("file:")) throw elsewhere("BLOB_URL names a bucket");
  const missing = ["user", "document", "storage"].filter((name) => !found.some((one) => one.name === name));
  if (missing.length > 0) {
    throw new StartError(
      `There is nothing to back up in ${dataDir}: ${missing.map((name) => `${name}.db`).join(", ")} is missing. Set DOCKET_DATA_DIR.`,
    );
  }
  return { dataDir, databases: found };
}

function elsewhere(what: string): StartError {
  return new StartError(`${what}; this backs up the embedded default. See docs/operations/restore-drill.md.`);
}

/** The names of the other files that must be kept. */
export async function otherFiles(dataDir: string): Promise<string[]> {
  return (await readdir(dataDir)).filter((name) => kept.test(name)).sort();
}

/** The settings that make a folder the data folder, whatever the environment says of others. */
export function environmentOf(dataDir: string, blobs: string): Environment {
  return { DOCKET_DATA_DIR: dataDir, BLOB_URL: pathToFileURL(blobs).href };
}
