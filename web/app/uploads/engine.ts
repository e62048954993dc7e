// All uploads of this tab: their order, how many run at once, what is kept of them over a reload, and what people see.
// It knows no page and no component: it goes on while people walk around.

import { type Ref, shallowRef } from "vue";
import { createWaits } from "./backoff.ts";
import { createFolders, type FolderCalls } from "./folders.ts";
import { createHash } from "./hashing.ts";
import { beginAnew, giveUp, type Job, type JobCalls, type JobWorld, runJob, sentOf } from "./job.ts";
import { findAgain, takeLeftovers } from "./leftovers.ts";
import { jobOf, jobOfFile, jobOfFolder, type Making } from "./making.ts";
import { matchFiles } from "./matching.ts";
import { openRecords } from "./records.ts";
import { createSlots } from "./slots.ts";
import { createSpeedMeter } from "./speed.ts";
import { emptySummary, summaryOf } from "./summary.ts";
import { openTab } from "./tabs.ts";
import { Stopped, troubleOf, verdictOf } from "./trouble.ts";
import type { Uploaded, UploadItem, UploadSource, UploadsSummary, UploadTarget } from "./types.ts";

/** Files at once; requests at once, which leaves the page three of a browser's six connections. */
const filesAtOnce = 3;
const requestsAtOnce = 3;
/** How often the page is told of progress, in milliseconds. */
const tickMs = 250;
/** How many rows are added between two breaths of the page. */
const batchSize = 200;
/** How long what may wait is not yet kept, in milliseconds. */
const saveLaterMs = 5000;
/** A pause between two ticks this long means that the machine slept, in milliseconds. */
const sleptMs = 20_000;

export interface EngineOptions {
  readonly calls: JobCalls & FolderCalls;
  readonly onUploaded: (uploaded: Uploaded) => void;
  /** Who is signed in now; undefined when nobody is. */
  readonly whoIsThere: () => Promise<string | undefined>;
}

export interface Engine {
  readonly items: Ref<readonly UploadItem[]>;
  readonly summary: Ref<UploadsSummary>;
  /** How many leftovers the server had forgotten. */
  readonly expired: Ref<number>;
  add(userId: string, sources: readonly UploadSource[], target: UploadTarget): Promise<void>;
  addFolders(userId: string, paths: readonly (readonly string[])[], target: UploadTarget): Promise<void>;
  /** Takes up what a tab that is gone has left; gives how many rows there are, of all tabs. */
  restore(userId: string): Promise<number>;
  /** The person is signed in (again); somebody else, or nobody, when it is undefined. */
  signedIn(userId: string | undefined): void;
  pause(ids?: readonly string[]): void;
  resume(ids?: readonly string[]): void;
  cancel(ids?: readonly string[]): Promise<void>;
  /** Goes on with leftovers that the browser can find itself. Called in a click, since it may ask for permission. */
  goOn(ids?: readonly string[]): Promise<void>;
  /** Gives leftovers the files that were chosen again; gives back how many fitted none. */
  supply(sources: readonly UploadSource[]): Promise<number>;
  /** Forgets what is done. */
  clearDone(): void;
}

export async function createEngine({ calls, onUploaded, whoIsThere }: EngineOptions): Promise<Engine> {
  const records = await openRecords();
  const jobs = new Map<string, Job>();
  const items = shallowRef<UploadItem[]>([]);
  const summary = shallowRef<UploadsSummary>(emptySummary);
  const expired = shallowRef(0);
  const queue: Job[] = [];
  const running = new Set<Job>();
  const dirty = new Map<string, number>();
  const meter = createSpeedMeter();
  const paceMeter = createSpeedMeter();
  const waits = createWaits();
  let connectionSpeed = 0;
  let moved = 0;
  let finished = 0;
  let order = Date.now();
  let ticking: ReturnType<typeof setInterval> | undefined;
  let tickedAt = 0;

  const tab = openTab(calls.newId(), (ids) => drop(ids));
  const world: JobWorld = {
    calls,
    folders: createFolders(calls),
    slots: createSlots(requestsAtOnce),
    hash: createHash(),
    waits,
    connectionSpeed: () => connectionSpeed,
    sentBody(bytes, milliseconds) {
      const now = (bytes / Math.max(1, milliseconds)) * 1000;
      connectionSpeed = connectionSpeed === 0 ? now : connectionSpeed * 0.7 + now * 0.3;
    },
    save(job, soon) {
      if (soon) keep([job]);
      else dirty.set(job.item.id, dirty.get(job.item.id) ?? performance.now());
    },
    isOwner: async (userId) => (await whoIsThere()) === userId,
  };

  function keep(list: readonly Job[]): void {
    for (const { item } of list) dirty.delete(item.id);
    const kept = list.filter(({ item }) => jobs.has(item.id) && item.state !== "done");
    const written = records.put(kept.map(({ record, item: { sent } }) => ({ ...record, sent })));
    // What cannot be kept is only lost with the page.
    written.then(
      () => {
        for (const job of kept) job.kept = true;
      },
      () => undefined,
    );
  }

  function forget(list: readonly Job[]): void {
    const ids = list.map(({ item }) => item.id);
    for (const id of ids) dirty.delete(id);
    records.remove(ids).catch(() => undefined);
  }

  function show(job: Job): void {
    jobs.set(job.item.id, job);
    items.value.push(job.item);
  }

  function remove(list: readonly Job[]): void {
    for (const job of list) {
      jobs.delete(job.item.id);
      job.control?.abort(new Stopped());
    }
    items.value = items.value.filter(({ id }) => jobs.has(id));
    tick();
  }

  /** Another tab has them now. */
  function drop(ids: readonly string[]): void {
    remove(chosen(ids));
  }

  function chosen(ids?: readonly string[]): Job[] {
    return ids === undefined ? [...jobs.values()] : ids.map((id) => jobs.get(id)).filter((job) => job !== undefined);
  }

  function enqueue(job: Job): void {
    job.item.state = "waiting";
    job.item.trouble = undefined;
    queue.push(job);
  }

  function pump(): void {
    while (running.size < filesAtOnce) {
      const job = queue.shift();
      if (job === undefined) break;
      // One that was paused or given up meanwhile, or is in the queue twice.
      if (job.item.state !== "waiting" || !jobs.has(job.item.id) || running.has(job)) continue;
      running.add(job);
      void run(job);
    }
    if (running.size > 0) startTicking();
  }

  async function run(job: Job): Promise<void> {
    const { item } = job;
    const control = new AbortController();
    job.control = control;
    try {
      await runJob(job, world, control.signal);
      job.file = undefined;
      finished += 1;
      forget([job]);
      item.trouble = undefined;
      if (item.documentId !== undefined) {
        const { documentId, versionNumber = 0, target } = item;
        onUploaded({ documentId, versionNumber, target });
      }
    } catch (error) {
      if (!control.signal.aborted) failed(job, error);
    } finally {
      running.delete(job);
      job.control = undefined;
      // Somebody went on with it before it had stopped.
      if (item.state === "waiting" && jobs.has(item.id)) queue.push(job);
      pump();
      if (running.size === 0) rest();
    }
  }

  function failed(job: Job, error: unknown): void {
    const { item } = job;
    const trouble = troubleOf(error);
    item.trouble = trouble;
    if (verdictOf(trouble, false) === "signIn") {
      item.state = "signedOut";
      // The others would hear the same.
      for (const other of jobs.values()) if (isActive(other)) halt(other, "signedOut");
      return;
    }
    item.state = "failed";
    if (trouble.reason === "UPLOAD_FAILED" || trouble.reason === "UPLOAD_CONSUMED") beginAnew(job);
    keep([job]);
  }

  function isActive({ item: { state } }: Job): boolean {
    return state !== "done" && state !== "failed" && state !== "paused" && state !== "asking" && state !== "signedOut";
  }

  function halt(job: Job, state: "paused" | "signedOut"): void {
    // What is on its way into a document is there in a moment; stopping it would only hide that.
    if (job.item.state === "attaching") return;
    job.item.state = state;
    job.control?.abort(new Stopped());
  }

  function rest(): void {
    meter.reset();
    paceMeter.reset();
    world.folders.forget();
    tick();
    clearInterval(ticking);
    ticking = undefined;
  }

  function startTicking(): void {
    if (ticking !== undefined) return;
    tickedAt = Date.now();
    ticking = setInterval(tick, tickMs);
  }

  function tick(): void {
    const now = performance.now();
    for (const job of jobs.values()) {
      if (job.partSent.length === 0 || job.item.state === "done") continue;
      const sent = sentOf(job);
      moved += sent - job.counted - job.found;
      job.counted = sent;
      job.found = 0;
      // While some parts are still asked where they stand, what was known before holds.
      const asking = job.record.parts.some((_, index) => job.partSent[index] === undefined);
      job.item.sent = Math.min(job.item.size, asking ? Math.max(job.item.sent, sent) : sent);
    }
    meter.add(moved, now);
    paceMeter.add(finished, now);
    summary.value = summaryOf(items.value, meter.speed(now), paceMeter.speed(now));
    // A new list, since what is in it changes without anybody following each of thousands of rows.
    items.value = [...items.value];
    const due = [...dirty].filter(([, since]) => now - since > saveLaterMs).map(([id]) => id);
    if (due.length > 0) keep(chosen(due));
    if (Date.now() - tickedAt > sleptMs) void woken();
    tickedAt = Date.now();
  }

  /** After a sleep: connections are dead, and another tab may have taken over what stood still. */
  async function woken(): Promise<void> {
    waits.wake();
    const ids = [...jobs.values()].filter(({ item, kept }) => kept && item.state !== "done").map(({ item }) => item.id);
    const held = await records.held(ids, tab.id).catch(() => new Set(ids));
    const lost = ids.filter((id) => !held.has(id) && jobs.get(id)?.item.state !== "done");
    if (lost.length > 0) drop(lost);
  }

  function making(userId: string, target: UploadTarget): Making {
    const nextOrder = () => {
      order += 1;
      return order;
    };
    return { userId, tab: tab.id, target, newId: calls.newId, nextOrder };
  }

  async function begin(list: readonly Job[]): Promise<void> {
    for (let at = 0; at < list.length; at += batchSize) {
      const batch = list.slice(at, at + batchSize);
      for (const job of batch) show(job);
      keep(batch);
      for (const job of batch) enqueue(job);
      tick();
      pump();
      await breath();
    }
  }

  async function restore(userId: string): Promise<number> {
    const left = await takeLeftovers(records, tab, userId, (id) => jobs.has(id));
    expired.value += left.expired;
    for (const [at, record] of left.claimed.entries()) {
      const job = jobOf(record, undefined);
      job.kept = true;
      show(job);
      // What has all its bytes, or needs none, goes on by itself; so does what the browser may still read.
      const whole = record.uploadId !== undefined || record.kind === "folder";
      if (whole || (await findAgain(job, false))) enqueue(job);
      else job.item.state = "asking";
      if (at % batchSize === batchSize - 1) await breath();
    }
    tick();
    pump();
    return left.rows;
  }

  window.addEventListener("online", () => waits.wake());
  window.addEventListener("pageshow", (event) => event.persisted && void woken());
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState !== "visible") return;
    waits.wake();
    if (summary.value.signedOut > 0) void whoIsThere().then(api.signedIn);
  });
  window.addEventListener("beforeunload", (event) => {
    if ([...jobs.values()].some(isActive)) event.preventDefault();
  });

  const api: Engine = {
    items,
    summary,
    expired,
    add: (userId, sources, target) => begin(sources.map((source) => jobOfFile(source, making(userId, target)))),
    addFolders: (userId, paths, target) => begin(paths.map((path) => jobOfFolder(path, making(userId, target)))),
    restore,
    signedIn(userId) {
      for (const job of [...jobs.values()]) {
        if (job.item.state !== "signedOut") continue;
        if (job.record.userId === userId) enqueue(job);
      }
      // What belongs to somebody else waits in the database until they come back.
      if (userId !== undefined) remove([...jobs.values()].filter(({ record }) => record.userId !== userId));
      tick();
      pump();
    },
    pause(ids) {
      for (const job of chosen(ids)) if (isActive(job)) halt(job, "paused");
      tick();
    },
    resume(ids) {
      for (const job of chosen(ids)) {
        const { state, trouble } = job.item;
        if (state === "stalled") continue;
        if (state !== "paused" && state !== "failed" && state !== "signedOut") continue;
        job.restarts = 0;
        const fileLost = job.record.kind === "file" && job.file === undefined && job.record.uploadId === undefined;
        if (fileLost || trouble?.reason === "FILE_GONE") {
          job.file = undefined;
          job.item.state = "asking";
        } else enqueue(job);
      }
      waits.wake();
      tick();
      pump();
    },
    async cancel(ids) {
      const given = chosen(ids).filter(({ item }) => item.state !== "attaching" && item.state !== "done");
      forget(given);
      remove(given);
      await Promise.all(given.map(giveUp));
    },
    async goOn(ids) {
      for (const job of chosen(ids)) {
        if (job.item.state !== "asking" || !job.item.reachable) continue;
        if (await findAgain(job, true)) enqueue(job);
        pump();
      }
      tick();
    },
    async supply(sources) {
      const asking = [...jobs.values()].filter(({ item }) => item.state === "asking").map(({ record }) => record);
      const { matched, left } = matchFiles(asking, sources);
      for (const [id, { file, handle, root }] of matched) {
        const job = jobs.get(id);
        if (job === undefined) continue;
        job.file = file;
        job.record = { ...job.record, handle, root };
        enqueue(job);
      }
      keep(chosen([...matched.keys()]));
      tick();
      pump();
      return left.length;
    },
    clearDone() {
      remove([...jobs.values()].filter(({ item }) => item.state === "done"));
    },
  };
  return api;
}

/** Lets the page draw and answer before more is done. */
function breath(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}
