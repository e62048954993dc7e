/**
 * Copies several SQLite databases as they were at one moment, while other processes write them: for a backup in which
 * what one database says of another is true. It holds the write lock of all of them for the moment in which a reading
 * transaction begins on each, and copies from those transactions afterwards, when writers go on.
 */
import { closeSync, fsyncSync, openSync } from "node:fs";
import { backup, DatabaseSync } from "node:sqlite";
import { setTimeout as pause } from "node:timers/promises";
import { StartError } from "../../errors.ts";

/** A database and where its copy goes. */
export interface CutFile {
  readonly from: string;
  /** Must not exist. Readable by its owner only, in one file without a log beside it. */
  readonly to: string;
}

/** How long writers wait at most for a moment that does not come; they try for a third of a second. */
const heldMs = 40;
/** How long to try, over and over. */
const patienceMs = 60_000;
const busy = 5;

/** Pages in one step; between two steps other work of this process goes on. */
const rate = 1_000;

/** Copies them all and answers the moment. Throws StartError when one cannot be read, or is never free for a moment. */
export async function copyAtOneMoment(files: readonly CutFile[]): Promise<Date> {
  using parts = new DisposableStack();
  const open = (path: string) => {
    try {
      const db = new DatabaseSync(path, { timeout: 5_000 });
      parts.defer(() => db.close());
      return db;
    } catch (cause) {
      throw new StartError(`The database ${path} cannot be read: ${(cause as Error).message}.`, { cause });
    }
  };
  const pairs = files.map(({ from, to }) => ({ lock: open(from), source: open(from), from, to }));
  const moment = await holdAll(pairs);
  for (const { source, to } of pairs) {
    // The database is owned by this account before a byte of it is written.
    closeSync(openSync(to, "wx", 0o600));
    await backup(source, to, { rate });
    source.exec("ROLLBACK");
    settle(to);
  }
  return moment;
}

interface Pair {
  readonly lock: DatabaseSync;
  readonly source: DatabaseSync;
  readonly from: string;
}

async function holdAll(pairs: readonly Pair[]): Promise<Date> {
  const giveUpAt = performance.now() + patienceMs;
  for (;;) {
    const held: DatabaseSync[] = [];
    const deadline = performance.now() + heldMs;
    try {
      for (const { lock, from } of pairs) {
        lock.exec(`PRAGMA busy_timeout = ${Math.max(1, Math.round(deadline - performance.now()))}`);
        take(lock, from);
        held.push(lock);
      }
      // Nobody writes any of them now; a reading transaction keeps what it saw first.
      for (const { source } of pairs) {
        source.exec("BEGIN");
        source.prepare("SELECT count(*) FROM sqlite_schema").get();
      }
      return new Date();
    } catch (error) {
      if ((error as { errcode?: number }).errcode !== busy) throw error;
      if (performance.now() > giveUpAt) {
        const message =
          "The databases were never free at the same moment for a minute: something writes without a pause.";
        throw new StartError(message, { cause: error });
      }
    } finally {
      for (const lock of held) lock.exec("ROLLBACK");
    }
    await pause(20 + Math.random() * 80);
  }
}

function take(lock: DatabaseSync, from: string): void {
  try {
    lock.exec("BEGIN IMMEDIATE");
  } catch (cause) {
    const { errcode, message } = cause as { errcode?: number; message: string };
    if (errcode !== undefined && (errcode & 0xff) === busy) throw Object.assign(new Error(message), { errcode: busy });
    throw new StartError(`The database ${from} cannot be read: ${message}.`, { cause });
  }
}

/** The copy becomes one file by itself, and is on the disk. */
function settle(path: string): void {
  const db = new DatabaseSync(path);
  try {
    db.exec("PRAGMA journal_mode = DELETE");
  } finally {
    db.close();
  }
  const descriptor = openSync(path, "r+");
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** What SQLite finds wrong with a database file, page by page; undefined when it is whole. Changes nothing. */
export function faultOfDatabase(path: string): string | undefined {
  try {
    const db = new DatabaseSync(path, { readOnly: true });
    try {
      const row = db.prepare("PRAGMA integrity_check(1)").get() as { integrity_check?: string } | undefined;
      return row?.integrity_check === "ok" ? undefined : (row?.integrity_check ?? "no answer");
    } finally {
      db.close();
    }
  } catch (error) {
    return (error as Error).message;
  }
}
