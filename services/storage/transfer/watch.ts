// Who watches an upload hears of each change. Changes made by other replicas are found by looking once a second.

import { setTimeout as pause } from "node:timers/promises";
import { isFinal, type State } from "../domain/upload.ts";
import type { UploadRow } from "../store/upload_row.ts";

/** How often progress is sent, and the row looked at without having been told, in milliseconds. */
const pollMs = 1000;

const ranks: Record<State, number> = { receiving: 0, verifying: 1, stored: 2, attached: 3, failed: 3, concatenated: 3 };

class Watcher {
  /** Changes of state, each of which is sent; an upload has few. */
  readonly states: UploadRow[] = [];
  /** The newest progress within the last state. */
  progress: UploadRow | undefined;
  #last: State | undefined;
  #wake: () => void = () => undefined;

  push(row: UploadRow): void {
    this.progress = row;
    if (row.state === this.#last) return;
    this.#last = row.state;
    this.progress = undefined;
    this.states.push(row);
    this.#wake();
  }

  /** Waits for a change of state, at most so long. */
  async wait(ms: number, signal: AbortSignal): Promise<void> {
    if (this.states.length > 0 || signal.aborted) return;
    const over = new AbortController();
    const stop = () => over.abort();
    this.#wake = stop;
    signal.addEventListener("abort", stop, { once: true });
    await pause(ms, undefined, { signal: over.signal }).catch(() => undefined);
    signal.removeEventListener("abort", stop);
  }
}

export class UploadWatch {
  readonly #watchers = new Map<string, Set<Watcher>>();

  /** Tells watchers; called after each commit. */
  changed(row: UploadRow): void {
    for (const watcher of this.#watchers.get(row.id) ?? []) watcher.push(row);
  }

  /** The upload now, at each change of state, and once a second while bytes arrive; until it is final or the signal aborts. */
  async *watch(id: string, read: () => Promise<UploadRow>, signal: AbortSignal): AsyncGenerator<UploadRow> {
    const watcher = new Watcher();
    const all = this.#watchers.get(id) ?? new Set();
    this.#watchers.set(id, all.add(watcher));
    try {
      let sent = await read();
      yield sent;
      while (!isFinal(sent.state)) {
        await watcher.wait(pollMs, signal);
        if (signal.aborted) return;
        const row = watcher.states.shift() ?? watcher.progress ?? (await read());
        if (row === watcher.progress) watcher.progress = undefined;
        // What was told may be older than what was read first.
        if (ranks[row.state] < ranks[sent.state]) continue;
        if (row.state === sent.state && row.updated_at <= sent.updated_at && row.ranges === sent.ranges) continue;
        sent = row;
        yield sent;
      }
    } finally {
      all.delete(watcher);
      if (all.size === 0) this.#watchers.delete(id);
    }
  }

  /** The upload once it is verified or has failed, or as it is when the signal aborts. */
  async settled(id: string, read: () => Promise<UploadRow>, signal: AbortSignal): Promise<UploadRow> {
    for await (const row of this.watch(id, read, signal)) {
      if (row.state !== "verifying" && row.state !== "receiving") return row;
    }
    return await read();
  }
}
