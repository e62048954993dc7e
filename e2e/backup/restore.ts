// Makes a data folder of a backup: every byte is compared with its digest on the way, and the result is read as a whole
// before it gets its name.

import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { readdir, rename, rm, rmdir } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { StartError } from "@docket/runtime/errors";
import type { Findings } from "../verify.ts";
import { checkFolder } from "./check.ts";
import { copyDurably, forEachOf, makeFolder, syncFolders, syncParent } from "./files.ts";
import { dataFolder, type Manifest, openBackup } from "./manifest.ts";
import { databasesOf, excused } from "./verify.ts";

export interface RestoreOptions {
  /** The backup's folder. */
  readonly backup: string;
  /** The data folder that shall be; empty, or not there yet. */
  readonly folder: string;
  readonly say?: (line: string) => void;
}

export interface RestoreResult {
  readonly folder: string;
  readonly manifest: Manifest;
  readonly findings: Findings;
}

/** Restores it, or throws StartError and leaves the folder as it was. */
export async function restoreBackup({ backup: from, folder, say }: RestoreOptions): Promise<RestoreResult> {
  const path = resolve(folder);
  await refuseUsed(path);
  const { manifest, files, folder: source } = await openBackup(resolve(from));
  await makeFolder(dirname(path));
  const staging = join(dirname(path), `.${basename(path)}.restoring-${randomBytes(4).toString("hex")}`);
  try {
    await forEachOf(files, async ([name, sha256]) => {
      if (!name.startsWith(`${dataFolder}/`)) return;
      const to = join(staging, name.slice(dataFolder.length + 1));
      await makeFolder(dirname(to));
      const copied = await copyDurably(join(source, name), to).catch((cause: NodeJS.ErrnoException) => {
        if (cause.code !== "ENOENT") throw cause;
        throw new StartError(`The backup ${source} is damaged: ${name} is missing.`, { cause });
      });
      if (copied !== sha256) throw new StartError(`The backup ${source} is damaged: ${name} is not what was written.`);
    });
    const findings = excused(await checkFolder(staging, databasesOf(files), say), manifest.damagedPieces);
    if (!findings.sound) throw new StartError(`The backup ${source} is not whole: ${findings.lines.join(" ")}`);
    await syncFolders(staging);
    if (existsSync(path)) await rmdir(path);
    await rename(staging, path);
    await syncParent(path);
    return { folder: path, manifest, findings };
  } finally {
    await rm(staging, { recursive: true, force: true, maxRetries: 5 });
  }
}

async function refuseUsed(path: string): Promise<void> {
  const names = await readdir(path).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === "ENOENT") return [];
    throw new StartError(
      `${path} cannot be the data folder: ${cause.code === "ENOTDIR" ? "it is a file" : cause.code}.`,
    );
  });
  if (names.length > 0) throw new StartError(`The folder ${path} is not empty; nothing was changed. Name another one.`);
}
