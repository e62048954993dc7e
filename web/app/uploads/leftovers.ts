// What an earlier page has left, and how this one gets hold of it and of its files.

import type { Job } from "./job.ts";
import type { Records, UploadRecord } from "./records.ts";
import type { Tab } from "./tabs.ts";

export interface Leftovers {
  /** Those that this tab has now. */
  readonly claimed: readonly UploadRecord[];
  /** How many the server has forgotten, and we with it. */
  readonly expired: number;
  /** How many rows the person has, of all tabs. */
  readonly rows: number;
}

/** Takes over the rows of tabs that are gone. */
export async function takeLeftovers(
  records: Records,
  tab: Tab,
  userId: string,
  isKnown: (id: string) => boolean,
): Promise<Leftovers> {
  const rows = (await records.all(userId)).filter(({ id }) => !isKnown(id));
  const tabs = [...new Set(rows.map((row) => row.tab))].filter((id) => id !== tab.id);
  const alive = new Map(await Promise.all(tabs.map(async (id) => [id, await tab.isAlive(id)] as const)));
  const abandoned = rows.filter((row) => alive.get(row.tab) === false);
  const over = abandoned.filter(({ expires }) => expires !== undefined && expires <= Date.now());
  await records.remove(over.map(({ id }) => id));
  const rest = abandoned.filter((row) => !over.includes(row));
  const claimed = await records.claim(rest, tab.id);
  tab.tellTaken(claimed.map(({ id }) => id));
  return { claimed, expired: over.length, rows: rows.length - over.length };
}

/** Finds the file of a leftover by its handle, if that is allowed; asks whether it is when `ask` says so. */
export async function findAgain(job: Job, ask: boolean): Promise<boolean> {
  const { handle, root, size, modified } = job.record;
  if (handle === undefined) return false;
  try {
    const keeper = root ?? handle;
    const mode = { mode: "read" } as const;
    let permission = (await keeper.queryPermission?.(mode)) ?? "granted";
    if (permission === "prompt" && ask) permission = (await keeper.requestPermission?.(mode)) ?? "granted";
    if (permission !== "granted") return false;
    const file = await handle.getFile();
    if (file.size === size && file.lastModified === modified) {
      job.file = file;
      return true;
    }
  } catch {
    // It is not there any more.
  }
  job.item.reachable = false;
  return false;
}
