// One upload from the first byte to the document.

import {
  UploadState as ServerState,
  type Upload,
  UploadFailureSchema,
} from "@docket/contracts/gen/docket/storage/v1/upload_pb.ts";
import type { Waits } from "./backoff.ts";
import { backoffMs } from "./backoff.ts";
import type { Folders } from "./folders.ts";
import type { Hash } from "./hashing.ts";
import { cleanName } from "./names.ts";
import { chunkBytes, inlineBytes, type Part, partsOf } from "./plan.ts";
import type { UploadRecord } from "./records.ts";
import { createRequests } from "./requests.ts";
import { deleteUpload, idOf, joinParts, sendRange, urlOf } from "./sending.ts";
import type { Slots } from "./slots.ts";
import { passesByItself, Stopped, troubleOf, UploadFault, type Verdict, verdictOf } from "./trouble.ts";
import type { Trouble, UploadItem } from "./types.ts";

/** What a document or version is made of. */
export interface AttachCall {
  readonly workspaceId: string;
  readonly folderId: string | undefined;
  readonly uploadId: string;
  readonly label: string;
  readonly note: string;
  readonly requestId: string;
}

/** The calls that an upload needs. */
export interface JobCalls {
  /** Rejects with an UploadFault where a file of this size would not be taken. */
  checkRoom(workspaceId: string, size: number, signal: AbortSignal): Promise<void>;
  getUpload(uploadId: string, signal: AbortSignal): Promise<Upload>;
  completeUpload(uploadId: string, signal: AbortSignal): Promise<void>;
  createDocument(call: AttachCall): Promise<{ readonly documentId: string; readonly versionNumber: number }>;
  createVersion(
    documentId: string,
    call: AttachCall,
  ): Promise<{ readonly documentId: string; readonly versionNumber: number }>;
  newId(): string;
}

/** What all jobs share. */
export interface JobWorld {
  readonly calls: JobCalls;
  readonly folders: Folders;
  readonly slots: Slots;
  readonly hash: Hash;
  readonly waits: Waits;
  /** How fast one connection is, in bytes in a second; 0 while unknown. */
  connectionSpeed(): number;
  sentBody(bytes: number, milliseconds: number): void;
  /** Keeps the record; soon, or when it may wait a little. */
  save(job: Job, soon: boolean): void;
  /** Whether the one signed in now is the one whose upload this is. */
  isOwner(userId: string): Promise<boolean>;
}

export interface Job {
  readonly item: UploadItem;
  record: UploadRecord;
  file: File | undefined;
  /** Whether it stands in the browser's database. */
  kept: boolean;
  /** Stops it; set while it runs. */
  control: AbortController | undefined;
  /** Bytes of each part that have gone up. */
  partSent: number[];
  /** How many of them were counted already, and how many more were found to be there than was known. */
  counted: number;
  found: number;
  /** How often it was interrupted since something went well. */
  interruptions: number;
  /** How many of its steps run, and how many of those wait to try again. */
  steps: number;
  waiting: number;
  /** What it was doing when it stalled. */
  stalledFrom?: UploadItem["state"];
  /** How often it began from nothing. */
  restarts: number;
}

/** How often a step that fails for no passing reason is tried. */
const patience = 8;
const mostRestarts = 3;

/** Runs it to its end. Rejects with Stopped, or with what it failed of. */
export async function runJob(job: Job, world: JobWorld, signal: AbortSignal): Promise<void> {
  const { item, record } = job;
  job.steps = 0;
  job.waiting = 0;
  if (record.kind === "folder") {
    await persist(job, world, signal, () => world.folders.ensure(record.target, [...record.path, record.name]));
    item.state = "done";
    return;
  }
  for (;;) {
    try {
      // Only after its bytes are there does the folder matter; but who may not make it should not send them first.
      const folderId = await persist(job, world, signal, () => world.folders.ensure(record.target, record.path));
      if (job.record.uploadId === undefined) await send(job, world, signal);
      await attach(job, world, folderId, signal);
      item.state = "done";
      return;
    } catch (error) {
      if (signal.aborted || !(error instanceof BeginAnew)) throw error;
      job.restarts += 1;
      if (job.restarts > mostRestarts) throw new UploadFault(error.trouble);
      beginAnew(job);
      world.save(job, true);
    }
  }
}

/** Gives up what the server has of it. */
export async function giveUp({ record }: Job): Promise<void> {
  const urls = record.parts.map(({ url }) => url).filter((url) => url !== undefined);
  if (record.uploadId !== undefined) await deleteUpload(urlOf(record.uploadId));
  else for (const url of urls) await deleteUpload(url);
}

/** Forgets what the server has of it. */
export function beginAnew(job: Job): void {
  job.record = {
    ...job.record,
    sent: 0,
    parts: partsOf(job.record.size),
    uploadId: undefined,
    attach: undefined,
    expires: undefined,
  };
  job.partSent = [];
}

class BeginAnew extends Error {
  readonly trouble: Trouble;
  constructor(trouble: Trouble) {
    super();
    this.trouble = trouble;
  }
}

async function send(job: Job, world: JobWorld, signal: AbortSignal): Promise<void> {
  const { record, file, item } = job;
  if (file === undefined) throw new UploadFault({ reason: "FILE_GONE" });
  item.state = "sending";
  const http = createRequests({
    slots: world.slots,
    hash: world.hash,
    signal,
    onSent: (bytes, milliseconds) => {
      job.interruptions = Math.max(0, job.interruptions - 1);
      world.sentBody(bytes, milliseconds);
    },
    onExpires: (expires) => {
      job.record = { ...job.record, expires };
      world.save(job, false);
    },
  });
  const whole = record.parts.length === 1;
  const metadata = {
    filename: cleanName(record.name),
    filetype: record.mediaType,
    workspace_id: record.target.workspaceId,
  };
  // The parts of a large file belong to no workspace yet: the whole would be refused only when all of it is there.
  if (!whole && record.parts.every(({ url }) => url === undefined)) {
    const { workspaceId } = record.target;
    await persist(job, world, signal, () => world.calls.checkRoom(workspaceId, record.size, signal));
  }
  const part = async ({ start, end }: Part, index: number): Promise<string> =>
    await persist(job, world, signal, async () => {
      const url = job.record.parts[index]?.url;
      let asked = url === undefined;
      try {
        return await sendRange(whole ? file : file.slice(start, end), {
          http,
          signal,
          url,
          ...(whole ? { metadata } : {}),
          inline: whole && record.size <= inlineBytes,
          chunkBytes: () => chunkBytes(record.size, world.connectionSpeed(), job.interruptions),
          onUrl: (made) => made !== job.record.parts[index]?.url && knowUrl(job, world, index, made),
          onProgress: (bytes) => {
            // The first thing that is heard of an upload that was there is how far it had come.
            if (!asked) job.found += bytes - (job.partSent[index] ?? 0);
            asked = true;
            job.partSent[index] = bytes;
            moved(job);
          },
        });
      } catch (error) {
        // The URL as it is now: the upload may have been made in this very attempt.
        if (signal.aborted || !isUpload(error, job.record.parts[index]?.url)) throw error;
        // It has expired, or it is somebody else who is signed in.
        if (!(await world.isOwner(record.userId))) throw new UploadFault({ reason: "SESSION_INVALID", status: 401 });
        job.partSent[index] = 0;
        knowUrl(job, world, index, undefined);
        job.restarts += 1;
        if (job.restarts > mostRestarts) throw error;
        throw new UploadFault({ ...troubleOf(error), reason: "CONFLICT", status: 409 });
      }
    });
  const urls = await allOrNone(record.parts.map(part));
  const [only = ""] = urls;
  const uploadId = whole
    ? idOf(only)
    : await persist(job, world, signal, () => join(job, urls, metadata, http, world, signal));
  job.record = { ...job.record, uploadId };
  // A small file is a document in the next moment.
  if (record.size > inlineBytes) world.save(job, true);
}

/** Joins the parts; the answer to an earlier attempt may have been lost. */
async function join(
  { record }: Job,
  urls: readonly string[],
  metadata: Record<string, string>,
  http: ReturnType<typeof createRequests>,
  { calls }: JobWorld,
  signal: AbortSignal,
): Promise<string> {
  try {
    return idOf(await joinParts(urls, metadata, http));
  } catch (error) {
    if (troubleOf(error).reason !== "UPLOAD_STATE_CONFLICT") throw error;
    const first = await calls.getUpload(idOf(record.parts[0]?.url ?? ""), signal);
    if (first.concatenatedInto === "") throw error;
    return first.concatenatedInto;
  }
}

function knowUrl(job: Job, world: JobWorld, index: number, url: string | undefined): void {
  job.record = { ...job.record, parts: job.record.parts.map((part, at) => (at === index ? { ...part, url } : part)) };
  if (job.record.size > inlineBytes) world.save(job, true);
}

async function attach(job: Job, world: JobWorld, folderId: string | undefined, signal: AbortSignal): Promise<void> {
  const { item } = job;
  const { uploadId = "", size, target } = job.record;
  if (size > inlineBytes) {
    item.state = "verifying";
    await persist(job, world, signal, () => verified(uploadId, world, signal));
  }
  if (job.record.attach?.folderId !== folderId || job.record.attach?.uploadId !== uploadId) {
    job.record = { ...job.record, attach: { requestId: world.calls.newId(), folderId, uploadId } };
  }
  world.save(job, true);
  item.state = "attaching";
  const { requestId = "" } = job.record.attach ?? {};
  const { workspaceId, documentId, label = "", note = "" } = target;
  const call: AttachCall = { workspaceId, folderId, uploadId, label, note, requestId };
  try {
    const made = await persist(job, world, signal, () =>
      documentId === undefined ? world.calls.createDocument(call) : world.calls.createVersion(documentId, call),
    );
    item.documentId = made.documentId;
    item.versionNumber = made.versionNumber;
  } catch (error) {
    if (error instanceof Stopped) throw error;
    const { reason } = troubleOf(error);
    if (reason === "UPLOAD_NOT_READY") throw new BeginAnew(troubleOf(error));
    if (reason === "NOT_FOUND" || reason === "TRASHED") world.folders.forget();
    // It became a document, and we were not told.
    if (reason !== "UPLOAD_CONSUMED") throw error;
  }
}

/** Waits until the server has hashed the file. */
async function verified(uploadId: string, { calls, waits }: JobWorld, signal: AbortSignal): Promise<void> {
  for (let ms = 200; ; ms = Math.min(2000, ms * 1.5)) {
    const { state, failure } = await calls.getUpload(uploadId, signal);
    if (state === ServerState.STORED || state === ServerState.ATTACHED) return;
    if (state === ServerState.FAILED) {
      const metadata = { failure: UploadFailureSchema.value[failure]?.localName ?? "" };
      throw new UploadFault({ reason: "UPLOAD_FAILED", status: 410, metadata });
    }
    if (state === ServerState.RECEIVING) await calls.completeUpload(uploadId, signal);
    await waits.wait(ms, signal);
  }
}

/** Tries a step until it goes well, somebody stops it, or trying again makes no sense. */
async function persist<Result>(
  job: Job,
  world: JobWorld,
  signal: AbortSignal,
  step: () => Promise<Result>,
): Promise<Result> {
  let failures = 0;
  job.steps += 1;
  try {
    for (;;) {
      const before = sentOf(job);
      try {
        const result = await step();
        moved(job);
        return result;
      } catch (error) {
        if (signal.aborted || error instanceof Stopped || error instanceof BeginAnew)
          throw signal.aborted ? new Stopped() : error;
        const trouble = troubleOf(error);
        const verdict: Verdict = verdictOf(trouble, false);
        failures = sentOf(job) > before ? 1 : failures + 1;
        if (trouble.reason === "NETWORK") job.interruptions += 1;
        if (verdict === "anew") throw new BeginAnew(trouble);
        if (verdict === "never" || verdict === "signIn") throw error;
        if (failures > patience && !passesByItself(trouble)) throw error;
        await pause(job, world, trouble, verdict, failures, signal);
      }
    }
  } finally {
    job.steps -= 1;
  }
}

async function pause(
  job: Job,
  world: JobWorld,
  trouble: Trouble,
  verdict: Verdict,
  failures: number,
  signal: AbortSignal,
): Promise<void> {
  const ms = verdict === "soon" && failures === 1 ? 0 : backoffMs(failures, trouble.retryAfterMs, Math.random());
  job.waiting += 1;
  if (job.waiting >= job.steps && ms > 0) {
    job.item.trouble = trouble;
    job.item.retryAt = Date.now() + ms;
    if (job.item.state !== "stalled") job.stalledFrom = job.item.state;
    job.item.state = "stalled";
  }
  try {
    // When the server has said how long to wait, a network that is back changes nothing.
    await world.waits.wait(ms, signal, trouble.retryAfterMs === 0);
  } finally {
    job.waiting -= 1;
  }
}

/** The server was heard of again. */
function moved(job: Job): void {
  if (job.item.state !== "stalled") return;
  job.item.state = job.stalledFrom ?? "sending";
  job.item.trouble = undefined;
}

/** All of them; the first fault is told only when none is under way any more. */
async function allOrNone<Result>(promises: readonly Promise<Result>[]): Promise<Result[]> {
  const settled = await Promise.allSettled(promises);
  return settled.map((one) => {
    if (one.status === "rejected") throw one.reason;
    return one.value;
  });
}

export function sentOf(job: Job): number {
  return job.partSent.reduce((sum, bytes) => sum + (bytes ?? 0), 0);
}

function isUpload(error: unknown, url: string | undefined): boolean {
  return url !== undefined && verdictOf(troubleOf(error), true) === "anew";
}
