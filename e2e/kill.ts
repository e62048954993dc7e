// One round of cruelty: people work, the whole process is killed with SIGKILL at a moment that nobody chose, it starts
// again on the same folder, and everything that was acknowledged must be there, and nothing may be there by half.

import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { ConnectError } from "@connectrpc/connect";
import { ChangeKind, WatchStart } from "@docket/contracts/gen/docket/document/v1/change_pb.ts";
import { Reason } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import { reasonOf } from "@docket/runtime/errors";
import { madeFile } from "./bytes.ts";
import { clientsOf, edgeTransport, type Person, signIn, signUp } from "./person.ts";
import { digestOverGrpc, goOn, upload, write } from "./transfer.ts";

/** Docket as `npm start` runs it, in a process that can be killed. */
export interface Whole {
  readonly url: string;
  readonly child: ChildProcess;
  /** Ends it with a signal and waits. */
  end(signal: NodeJS.Signals): Promise<void>;
}

/** Starts Docket on a folder, without pages unless the parameters say otherwise, and waits for the line that says where it is. */
export async function startWhole(
  dataDir: string,
  settings: Record<string, string> = {},
  main = fileURLToPath(new URL("start.js", import.meta.url)),
  parameters: readonly string[] = ["--no-portal"],
): Promise<Whole> {
  const child = spawn(process.execPath, [main, ...parameters], {
    env: {
      ...process.env,
      DOCKET_DATA_DIR: dataDir,
      PORT: "0",
      RATE_LIMIT_PERCENT: "0",
      LOG_LEVEL: "error",
      ...settings,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let said = "";
  child.stderr?.on("data", (chunk) => {
    said += chunk;
  });
  const exited = once(child, "exit");
  const url = await new Promise<string>((resolve, reject) => {
    createInterface({ input: child.stdout as NodeJS.ReadableStream }).on("line", (line) => {
      const found = line.match(/https?:\/\/\S+/);
      if (found) resolve(found[0]);
    });
    void exited.then(() => reject(new Error(`Docket ended before it was ready: ${said}`)));
  });
  return {
    url,
    child,
    async end(signal) {
      child.kill(signal);
      await exited;
    },
  };
}

/** What was acknowledged before the kill, and what was only begun. */
export interface Ledger {
  /** Documents with the digest of their first version. */
  readonly documents: { id: string; sha256: string }[];
  readonly tasks: { id: string; title: string }[];
  /** Large uploads, and how many bytes of each are acknowledged. */
  readonly uploads: { id: string; seed: string; bytes: number; acknowledged: number }[];
  /** Creates by request_id that got no answer. */
  readonly open: { requestId: string; title: string }[];
}

/** What a round found. */
export interface RoundResult {
  readonly ledger: Ledger;
  /** How long it worked before it was killed, in milliseconds. */
  readonly workedMs: number;
  /** How long the restart took, in milliseconds. */
  readonly restartMs: number;
  /** What is wrong; empty when all is well. */
  readonly faults: readonly string[];
}

const partBytes = 1_000_000;

/**
 * Kills Docket `rounds` times on one folder, after `workMs` of work each, and checks everything after each restart. What is
 * started again is what works in the next round, so every round begins with what the ones before have left.
 */
export async function* killRounds(dataDir: string, rounds: number, workMs: () => number): AsyncGenerator<RoundResult> {
  let whole = await startWhole(dataDir);
  try {
    for (let round = 0; round < rounds; round += 1) {
      const person = await signUp(whole.url, "Anna");
      const { workspace } = await person.workspaces.createWorkspace({ name: `Round ${round}` });
      const workspaceId = workspace?.id ?? "";
      const ledger: Ledger = { documents: [], tasks: [], uploads: [], open: [] };
      const work = [documents, documents, tasks, parts].map((job) => job(person, workspaceId, ledger));
      const started = Date.now();
      await new Promise((resolve) => setTimeout(resolve, workMs()));
      await whole.end("SIGKILL");
      const workedMs = Date.now() - started;
      await Promise.all(work);

      const restarted = Date.now();
      whole = await startWhole(dataDir);
      const restartMs = Date.now() - restarted;
      const faults = await check(await signIn(whole.url, person), workspaceId, ledger);
      const { session } = await clientsOf(edgeTransport(whole.url, person.secret)).sessions.getSession({});
      if (session?.userId !== person.id) faults.push("the session did not survive");
      yield { ledger, workedMs, restartMs, faults };
    }
  } finally {
    await whole.end("SIGTERM");
  }
}

/** Works until the edge is gone; anything else that fails is a fault of ours. */
async function untilKilled(step: () => Promise<void>): Promise<void> {
  for (;;) {
    try {
      await step();
    } catch (error) {
      // A cut connection has no reason of ours; a fault of the server that it confessed to is never excused.
      if (reasonOf(error) === Reason.INTERNAL) throw error;
      const known = ConnectError.from(error);
      if (
        /unavailable|canceled|aborted|ECONN|socket|closed|reset|internal/i.test(
          `${known.code} ${known.message} ${known.cause}`,
        )
      )
        return;
      throw error;
    }
  }
}

async function documents(person: Person, workspaceId: string, ledger: Ledger): Promise<void> {
  await untilKilled(async () => {
    const title = `Document ${randomUUID()}`;
    const file = madeFile(title, 1 + Math.floor(Math.random() * 300_000));
    const uploadId = await upload(person, { workspaceId, name: "file.bin", file });
    const requestId = randomUUID();
    ledger.open.push({ requestId, title });
    const { document } = await person.documents.createDocument({
      parent: { case: "workspaceId", value: workspaceId },
      uploadId,
      title,
      requestId,
    });
    ledger.open.splice(
      ledger.open.findIndex((each) => each.requestId === requestId),
      1,
    );
    ledger.documents.push({ id: document?.id ?? "", sha256: file.sha256().toString("hex") });
  });
}

async function tasks(person: Person, workspaceId: string, ledger: Ledger): Promise<void> {
  await untilKilled(async () => {
    const title = `Task ${randomUUID()}`;
    const { task } = await person.tasks.createTask({ place: { case: "workspaceId", value: workspaceId }, title });
    ledger.tasks.push({ id: task?.id ?? "", title });
  });
}

async function parts(person: Person, workspaceId: string, ledger: Ledger): Promise<void> {
  await untilKilled(async () => {
    const seed = randomUUID();
    const file = madeFile(seed, 20 * partBytes);
    const { upload: made } = await person.uploads.createUpload({
      workspaceId,
      name: "large.bin",
      size: BigInt(file.size),
      sha256: file.sha256(),
    });
    const entry = { id: made?.id ?? "", seed, bytes: file.size, acknowledged: 0 };
    ledger.uploads.push(entry);
    while (entry.acknowledged < file.size) {
      const part = madeFile(seed, Math.min(file.size, entry.acknowledged + partBytes));
      entry.acknowledged = Number(await write(person, entry.id, part, entry.acknowledged));
    }
  });
}

async function check(person: Person, workspaceId: string, ledger: Ledger): Promise<string[]> {
  const faults: string[] = [];
  for (const { id, sha256 } of ledger.documents) {
    const found = await digestOverGrpc(person, id, 1).catch((error) => `lost: ${ConnectError.from(error).message}`);
    if (found !== sha256) faults.push(`document ${id}: ${found}`);
  }
  for (const { id, title } of ledger.tasks) {
    const found = await person.tasks.getTask({ taskId: id }).catch(() => undefined);
    if (found?.task?.title !== title) faults.push(`task ${id} is lost`);
  }
  for (const { id, seed, bytes, acknowledged } of ledger.uploads) {
    const { upload: kept } = await person.uploads.getUpload({ uploadId: id });
    const offset = Number(kept?.offset ?? -1);
    if (offset < acknowledged) faults.push(`upload ${id} kept ${offset} of ${acknowledged} acknowledged bytes`);
    if (offset < bytes) await goOn(person, id, madeFile(seed, bytes), offset);
    const { upload: done } = await person.uploads.completeUpload({ uploadId: id, wait: { seconds: 30n } });
    const digest = Buffer.from(done?.sha256 ?? []).toString("hex");
    if (digest !== madeFile(seed, bytes).sha256().toString("hex"))
      faults.push(`upload ${id} was resumed into other bytes`);
  }
  return [...faults, ...(await nothingHalf(person, workspaceId, ledger))];
}

/** Every document that is listed can be read, was announced exactly once, and no create took effect twice. */
async function nothingHalf(person: Person, workspaceId: string, ledger: Ledger): Promise<string[]> {
  const faults: string[] = [];
  const listed = new Map<string, string>();
  for (let pageToken = ""; ; ) {
    const page = await person.documents.listDocuments({
      parent: { case: "workspaceId", value: workspaceId },
      pageSize: 200,
      pageToken,
    });
    for (const { id, title, version } of page.documents) {
      listed.set(id, title);
      const found = await digestOverGrpc(person, id, version?.number ?? 0).catch(
        (error) => ConnectError.from(error).message,
      );
      if (found !== Buffer.from(version?.digest ?? []).toString("hex"))
        faults.push(`document ${id} is there by half: ${found}`);
    }
    pageToken = page.nextPageToken;
    if (pageToken === "") break;
  }
  for (const { title } of ledger.open) {
    const times = [...listed.values()].filter((each) => each === title).length;
    if (times > 1) faults.push(`"${title}" is there ${times} times`);
  }
  const announced = new Map<string, number>();
  for (let cursor = ""; ; ) {
    const page = await person.changes.listChanges({
      filter: { workspaceIds: [workspaceId], kinds: [ChangeKind.DOCUMENT_CREATED] },
      start: WatchStart.OLDEST,
      cursor,
      pageSize: 200,
    });
    for (const { documentId = "" } of page.changes) announced.set(documentId, (announced.get(documentId) ?? 0) + 1);
    cursor = page.cursor;
    if (!page.more) break;
  }
  for (const id of listed.keys())
    if (announced.get(id) !== 1) faults.push(`document ${id} was announced ${announced.get(id) ?? 0} times`);
  for (const id of announced.keys()) if (!listed.has(id)) faults.push(`document ${id} was announced and is not there`);
  return faults;
}
