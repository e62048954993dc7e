// Memory, speed and CPU of the whole process while one large file goes up and another comes down at once.
//
//   npm run bench:transfer -- [GiB] [runs]
//
// Docket runs as `npm start` runs it, in a process of its own; this one plays the clients. Memory is the highest resident
// set that the kernel saw of that process, its start included. Each run is followed by the same on the floor (floor.ts),
// so that the ratios of a run hold on a noisy machine too.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { madeFile } from "@docket/e2e/bytes";
import { startWhole } from "@docket/e2e/kill";
import { signUp } from "@docket/e2e/person";
import { digestOf, downloadDocument, send, uploadDocument } from "./edge_client.ts";
import { cpuSeconds, peakMb, spread } from "./process_figures.ts";

const gibibytes = Number(process.argv[2] ?? 2);
const runs = Number(process.argv[3] ?? 3);
const limitMb = 400;
const bytes = gibibytes * 2 ** 30;
const say = (line: string) => process.stdout.write(`${line}\n`);

interface Figures {
  readonly up: number;
  readonly down: number;
  readonly cpu: number;
}

/** One upload and one download at once: MiB/s each, and the server's CPU-seconds per GiB moved. */
async function measured(pid: number, up: () => Promise<unknown>, down: () => Promise<unknown>): Promise<Figures> {
  const before = await cpuSeconds(pid);
  const [upSeconds, downSeconds] = await Promise.all([seconds(up), seconds(down)]);
  const cpu = ((await cpuSeconds(pid)) - before) / (2 * gibibytes);
  return { up: bytes / 2 ** 20 / upSeconds, down: bytes / 2 ** 20 / downSeconds, cpu };
}

async function seconds(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return (performance.now() - started) / 1000;
}

function describe({ up, down, cpu }: Figures): string {
  return `up ${up.toFixed(0)} MiB/s, down ${down.toFixed(0)} MiB/s, ${cpu.toFixed(1)} CPU-s per GiB moved`;
}

const folder = await mkdtemp(join(tmpdir(), "docket-bench-"));
const docket = await startWhole(join(folder, "docket"), { MAX_FILE_SIZE: "64GiB", WORKSPACE_QUOTA: "1TiB" });
const floor = await startWhole(folder, {}, fileURLToPath(new URL("floor.ts", import.meta.url)), [folder]);
const pidOf = ({ child }: typeof docket) => child.pid ?? 0;
const figures = { docket: [] as Figures[], floor: [] as Figures[] };
try {
  const person = await signUp(docket.url, "Anna");
  const { workspace } = await person.workspaces.createWorkspace({ name: "Bench" });
  const workspaceId = workspace?.id ?? "";
  say(
    `${gibibytes} GiB up and ${gibibytes} GiB down at once, ${runs} runs, SHA-256 and checksums on, synced before it is acknowledged`,
  );
  const first = madeFile("first", bytes);
  let documentId = await uploadDocument(person, workspaceId, first);
  const place = (name: string) => new URL(`/${name}`, floor.url);
  await send("PUT", place("first"), first);
  for (let run = 1; run <= runs; run += 1) {
    const file = madeFile(`run ${run}`, bytes);
    let next = "";
    const docketRun = await measured(
      pidOf(docket),
      async () => {
        next = await uploadDocument(person, workspaceId, file);
      },
      () => downloadDocument(person, documentId),
    );
    documentId = next;
    const floorRun = await measured(
      pidOf(floor),
      () => send("PUT", place("next"), file),
      () => digestOf(place("first")),
    );
    figures.docket.push(docketRun);
    figures.floor.push(floorRun);
    say(`run ${run}: Docket ${describe(docketRun)}`);
    say(`run ${run}: floor  ${describe(floorRun)}`);
  }
  for (const name of ["up", "down", "cpu"] as const) {
    const unit = name === "cpu" ? "CPU-s/GiB" : "MiB/s";
    const ratios = figures.docket.map((figure, run) => figure[name] / (figures.floor[run]?.[name] ?? Number.NaN));
    const own = spread(
      figures.docket.map((figure) => figure[name]),
      unit,
    );
    say(`${name}: ${own}; of the floor: ${spread(ratios, "times")}`);
  }
  const peak = await peakMb(pidOf(docket));
  say(`peak memory of the process: ${peak.toFixed(0)} MB (limit ${limitMb} MB)`);
  if (peak > limitMb) process.exitCode = 1;
} finally {
  await docket.end("SIGTERM");
  await floor.end("SIGTERM");
  await rm(folder, { recursive: true, force: true });
}
