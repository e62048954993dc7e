// The data folder: made when there is none, and held by one process at a time.

import { constants } from "node:fs";
import { access, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { StartError } from "./errors.ts";

/** A data folder that this process alone uses. */
export interface DataDir extends Disposable {
  /** The folder's path. */
  readonly path: string;
  /** Lets go of the folder. */
  [Symbol.dispose](): void;
}

/**
 * Makes the folder when there is none, readable by its owner only, and checks that files can be made in it. Throws
 * StartError with one sentence when not.
 */
export async function ensureFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true, mode: 0o700 });
    await access(path, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (cause) {
    throw new StartError(`The data folder ${path} cannot be written (${codeOf(cause)}): ${remedyOf(cause)}.`, {
      cause,
    });
  }
}

/**
 * Makes the folder like {@link ensureFolder} and takes its lock: an exclusive transaction held on `<path>/lock.db`, which
 * the system ends with the process, however that ends. Throws StartError when another process, or this one, has it.
 */
export async function openDataDir(path: string): Promise<DataDir> {
  await ensureFolder(path);
  const lock = takeLock(path);
  return {
    path,
    [Symbol.dispose]() {
      if (lock.isOpen) lock.close();
    },
  };
}

function takeLock(path: string): DatabaseSync {
  const file = join(path, "lock.db");
  let lock: DatabaseSync | undefined;
  try {
    lock = new DatabaseSync(file, { timeout: 0 });
    // A rollback journal, even if the file says otherwise: in WAL mode readers are let in.
    lock.exec("PRAGMA journal_mode = DELETE; BEGIN EXCLUSIVE;");
    return lock;
  } catch (cause) {
    lock?.close();
    const { errcode } = cause as { errcode?: number };
    if (errcode === sqliteBusy)
      throw new StartError(
        `Docket already runs on the data folder ${path}: stop it first, or set another DOCKET_DATA_DIR.`,
      );
    if (errcode === sqliteNotADatabase)
      throw new StartError(`The file ${file} is damaged: remove it, it holds no data.`, { cause });
    throw new StartError(
      `The data folder ${path} cannot be locked (SQLite error ${errcode ?? codeOf(cause)} on ${file}).`,
      { cause },
    );
  }
}

const sqliteBusy = 5;
const sqliteNotADatabase = 26;

function remedyOf(cause: unknown): string {
  switch (codeOf(cause)) {
    case "ENOSPC":
      return "the disk is full";
    case "ENOTDIR":
    case "EEXIST":
      return "a file is in its way";
    case "EROFS":
      return "its file system is read-only";
    default:
      return "give it to the user that runs Docket, or set another DOCKET_DATA_DIR";
  }
}

function codeOf(error: unknown): string {
  return typeof error === "object" && error !== null && "code" in error ? String(error.code) : "unknown";
}
