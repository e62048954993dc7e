// A lock that one process holds while it builds. It is a file with the holder's process id, touched every few seconds, so
// that what a holder leaves behind when it is killed does not stop the next one.

import { randomUUID } from "node:crypto";
import { link, readFile, rm, stat, utimes, writeFile } from "node:fs/promises";
import { setTimeout as pause } from "node:timers/promises";

export interface LockOptions {
  /** Told once when somebody else holds it. */
  readonly say: (line: string) => void;
  /** Ends the waiting. */
  readonly signal?: AbortSignal;
}

const touchMs = 2000;
/** A holder that has not touched its lock for so long is gone, whoever has its process id by now. */
const staleMs = 30_000;
const lookMs = 200;

/** Runs `work` while this process alone holds the lock at `path`. */
export async function withBuildLock<T>(path: string, options: LockOptions, work: () => Promise<T>): Promise<T> {
  await acquire(path, options);
  const touch = setInterval(() => void utimes(path, new Date(), new Date()).catch(() => undefined), touchMs);
  try {
    return await work();
  } finally {
    clearInterval(touch);
    await rm(path, { force: true });
  }
}

async function acquire(path: string, { say, signal }: LockOptions): Promise<void> {
  // Written beside and linked into place: nobody ever sees a lock without its holder's id.
  const draft = `${path}.${randomUUID().slice(0, 8)}`;
  let said = false;
  try {
    await writeFile(draft, `${process.pid}\n`);
    for (;;) {
      try {
        // The lock is the draft under another name, so it is as old as the draft.
        await utimes(draft, new Date(), new Date());
        await link(draft, path);
        return;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
      }
      if (await isStale(path)) {
        await rm(path, { force: true });
        continue;
      }
      if (!said) say("Another process is building the portal; waiting for it…");
      said = true;
      await pause(lookMs, undefined, signal ? { signal } : {});
    }
  } finally {
    await rm(draft, { force: true });
  }
}

async function isStale(path: string): Promise<boolean> {
  try {
    const pid = Number(await readFile(path, "utf8"));
    const { mtimeMs } = await stat(path);
    return Date.now() - mtimeMs > staleMs || !isAlive(pid);
  } catch (error) {
    // Given back meanwhile.
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return false;
    throw error;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // It runs, as somebody else.
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
