// Memory, speed and CPU of the whole process while one large file goes up and another comes down at once.
//
//   npm run bench:transfer -- [GiB] [runs]
//
// Docket runs as `npm start` runs it, in a process of its own; this one plays the clients. Memory is the highest resident
// set that the kernel saw of that process, its start included.

import { createHash } from "node:crypto";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { Readable } from "node:stream";
import { UploadState } from "@docket/contracts/gen/docket/storage/v1/upload_pb.ts";
import { type MadeFile, madeFile } from "@docket/e2e/bytes";
import { startWhole } from "@docket/e2e/kill";
import { type Person, signUp } from "@docket/e2e/person";

const gibibytes = Number(process.argv[2] ?? 2);
const runs = Number(process.argv[3] ?? 3);
const limitMb = 400;
const bytes = gibibytes * 2 ** 30;
const say = (line: string) => process.stdout.write(`${line}\n`);

const folder = await mkdtemp(join(tmpdir(), "docket-bench-"));
const docket = await startWhole(folder, { MAX_FILE_SIZE: "64GiB", WORKSPACE_QUOTA: "1TiB" });
const pid = docket.child.pid ?? 0;
const figures: { up: number; down: number; cpu: number }[] = [];
try {
  const person = await signUp(docket.url, "Anna");
  const { workspace } = await person.workspaces.createWorkspace({ name: "Bench" });
  const workspaceId = workspace?.id ?? "";
  say(
    `${gibibytes} GiB up and ${gibibytes} GiB down at once, ${runs} runs, SHA-256 and checksums on, synced before it is acknowledged`,
  );
  let documentId = await document(person, workspaceId, madeFile("first", bytes));
  for (let run = 1; run <= runs; run += 1) {
    const cpu = await cpuSeconds(pid);
    const [up, down] = await Promise.all([
      timed(async () => document(person, workspaceId, madeFile(`run ${run}`, bytes))),
      timed(() => download(person, documentId)),
    ]);
    documentId = up.result;
    const spent = (await cpuSeconds(pid)) - cpu;
    figures.push({
      up: bytes / 2 ** 20 / up.seconds,
      down: bytes / 2 ** 20 / down.seconds,
      cpu: spent / (2 * gibibytes),
    });
    say(
      `run ${run}: up ${figures.at(-1)?.up.toFixed(0)} MiB/s, down ${figures.at(-1)?.down.toFixed(0)} MiB/s, ${figures.at(-1)?.cpu.toFixed(1)} CPU-seconds per GiB moved`,
    );
  }
  for (const name of ["up", "down", "cpu"] as const) {
    const sorted = figures.map((figure) => figure[name]).sort((a, b) => a - b);
    const unit = name === "cpu" ? "CPU-s/GiB" : "MiB/s";
    say(
      `${name}: min ${sorted[0]?.toFixed(1)}, median ${sorted[Math.floor(sorted.length / 2)]?.toFixed(1)}, max ${sorted.at(-1)?.toFixed(1)} ${unit}`,
    );
  }
  const peak = await peakMb(pid);
  say(`peak memory of the process: ${peak.toFixed(0)} MB (limit ${limitMb} MB)`);
  if (peak > limitMb) process.exitCode = 1;
} finally {
  await docket.end("SIGTERM");
  await rm(folder, { recursive: true, force: true });
}

/** Uploads over tus in one PATCH and makes a document of it. */
async function document(person: Person, workspaceId: string, file: MadeFile): Promise<string> {
  const encode = (text: string) => Buffer.from(text).toString("base64");
  const created = await person.http("/files/uploads", {
    method: "POST",
    headers: {
      "tus-resumable": "1.0.0",
      "upload-length": String(file.size),
      "upload-metadata": `filename ${encode("large.bin")},workspace_id ${encode(workspaceId)}`,
    },
  });
  if (created.status !== 201) throw new Error(`${created.status} ${await created.text()}`);
  const location = created.headers.get("location") ?? "";
  const answer = request(new URL(location, person.url), {
    method: "PATCH",
    headers: {
      authorization: `Bearer ${person.secret}`,
      "tus-resumable": "1.0.0",
      "upload-offset": "0",
      "content-type": "application/offset+octet-stream",
      "content-length": file.size,
    },
  });
  const status = new Promise<number>((resolve, reject) => {
    answer.on("response", (response) => resolve(response.resume().statusCode ?? 0));
    answer.on("error", reject);
  });
  await pipeline(Readable.from(file.chunks(0, 1 << 20), { objectMode: false, highWaterMark: 4 << 20 }), answer);
  if ((await status) !== 204) throw new Error(`the upload was answered with ${await status}`);
  const uploadId = location.split("/").at(-1) ?? "";
  for (;;) {
    const { upload } = await person.uploads.completeUpload({ uploadId, wait: { seconds: 30n } });
    if (upload?.state === UploadState.STORED) break;
    if (upload?.state !== UploadState.VERIFYING) throw new Error(`the upload is in state ${upload?.state}`);
  }
  const made = await person.documents.createDocument({ parent: { case: "workspaceId", value: workspaceId }, uploadId });
  return made.document?.id ?? "";
}

/** Reads the newest version and checks its digest. */
async function download(person: Person, documentId: string): Promise<void> {
  const { version } = (await person.documents.getDocument({ documentId })).document ?? {};
  const response = await new Promise<Readable>((resolve, reject) => {
    const headers = { authorization: `Bearer ${person.secret}` };
    request(new URL(`/files/documents/${documentId}`, person.url), { headers }, resolve)
      .on("error", reject)
      .end();
  });
  const hash = createHash("sha256");
  for await (const chunk of response) hash.update(chunk);
  if (!hash.digest().equals(Buffer.from(version?.digest ?? [])))
    throw new Error("the download differs from the upload");
}

async function timed<T>(work: () => Promise<T>): Promise<{ result: T; seconds: number }> {
  const started = performance.now();
  const result = await work();
  return { result, seconds: (performance.now() - started) / 1000 };
}

/** User and system time so far (proc(5): fields 14 and 15 of stat, in hundredths of a second). */
async function cpuSeconds(of: number): Promise<number> {
  const fields = (await readFile(`/proc/${of}/stat`, "utf8")).split(") ")[1]?.split(" ") ?? [];
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

async function peakMb(of: number): Promise<number> {
  const status = await readFile(`/proc/${of}/status`, "utf8");
  return (Number(status.match(/VmHWM:\s+(\d+)/)?.[1]) * 1024) / 1e6;
}
