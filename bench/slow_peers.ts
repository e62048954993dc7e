// Memory of the whole process while many peers are slow: downloads that are hardly read, beside uploads that come as fast
// as they are taken. What waits for a slow peer must be bounded, and bounded for all of them together.
//
//   npm run bench:slow-peers -- [MiB of each upload]

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { madeFile } from "@docket/e2e/bytes";
import { startWhole } from "@docket/e2e/kill";
import { signUp } from "@docket/e2e/person";
import { downloadSlowly, uploadDocument } from "./edge_client.ts";
import { forgetPeak, peakMb } from "./process_figures.ts";

const uploadMiB = Number(process.argv[2] ?? 64);
const limitMb = 400;
/** Slow downloads, and as many uploads at once. */
const rounds = [1, 8];
const slowBytesPerSecond = 64 * 1024;
const say = (line: string) => process.stdout.write(`${line}\n`);

const folder = await mkdtemp(join(tmpdir(), "docket-bench-"));
const docket = await startWhole(folder, { WORKSPACE_QUOTA: "1TiB" });
const pid = docket.child.pid ?? 0;
try {
  const person = await signUp(docket.url, "Anna");
  const { workspace } = await person.workspaces.createWorkspace({ name: "Bench" });
  const workspaceId = workspace?.id ?? "";
  const documentId = await uploadDocument(person, workspaceId, madeFile("read slowly", 256 * 2 ** 20));
  say(`started, one file of 256 MiB uploaded: peak ${(await peakMb(pid)).toFixed(0)} MB`);
  for (const peers of rounds) {
    await forgetPeak(pid);
    const before = await peakMb(pid);
    const stop = new AbortController();
    const slow = Array.from({ length: peers }, () =>
      downloadSlowly(person, documentId, slowBytesPerSecond, stop.signal),
    );
    const started = performance.now();
    await Promise.all(
      Array.from({ length: peers }, (_, index) =>
        uploadDocument(person, workspaceId, madeFile(`${peers}/${index}`, uploadMiB * 2 ** 20)),
      ),
    );
    const seconds = (performance.now() - started) / 1000;
    stop.abort();
    const taken = (await Promise.all(slow)).reduce((sum, bytes) => sum + bytes, 0);
    const peak = await peakMb(pid);
    if (peak > limitMb) process.exitCode = 1;
    say(
      `${peers} slow downloads (${(taken / 2 ** 20).toFixed(0)} MiB taken) and ${peers} uploads at ${((peers * uploadMiB) / seconds).toFixed(0)} MiB/s in all: ` +
        `${before.toFixed(0)} MB before, peak ${peak.toFixed(0)} MB (limit ${limitMb} MB)`,
    );
  }
} finally {
  await docket.end("SIGTERM");
  await rm(folder, { recursive: true, force: true });
}
