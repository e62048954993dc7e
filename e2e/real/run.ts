// `npm run e2e:real [-- <program> …]`: what only real parts and several replicas can show, each with its figures. Without
// words all programs run but the longest; with words those. Ends with 1 when anything was not as it must be.

import { mkdir, writeFile } from "node:fs/promises";
import { temporaryFolder } from "@docket/runtime/testing/temporary_folder";
import { type ProcessMesh, startProcesses } from "../processes.ts";
import { followManyWriters } from "./changes.ts";
import { killAgainAndAgain } from "./kills.ts";
import { migrate } from "./migrated.ts";
import { stopEachPart } from "./outages.ts";
import { countRowsOfPages } from "./pages.ts";
import { type Parts, startParts } from "./parts.ts";
import { receiverSettings } from "./receiver.ts";
import { killEachReplica } from "./replicas.ts";
import { duration, type Finding } from "./report.ts";
import { runSuites } from "./suites.ts";

interface Setting {
  readonly parts: Parts;
  /** The mesh of replicas, started with the first program that asks for it. */
  mesh(): Promise<ProcessMesh>;
}

const programs: Readonly<Record<string, (setting: Setting) => Promise<Finding>>> = {
  replicas: async ({ mesh }) => await killEachReplica(await mesh()),
  kills: async ({ mesh, parts }) => await killAgainAndAgain(await mesh(), parts, 200),
  outages: async ({ mesh, parts }) => await stopEachPart(await mesh(), parts, 30_000),
  changes: async ({ parts }) => await followManyWriters(parts.mariadb, 100_000),
  pages: async ({ parts }) => await countRowsOfPages(parts.mariadb, [10_000, 1_000_000]),
  suites: async ({ parts }) => {
    const databaseUrl = parts.mariadb.url("").replace(/\/$/, "");
    const { passed, failed, skipped } = await runSuites({ ...parts, databaseUrl }, { real: true });
    const faults =
      failed + skipped === 0 ? [] : [`${failed} tests failed, ${skipped} were skipped; jest says which above`];
    const title = "The services' suites and the journeys on MariaDB, Redis and S3, and what only these can answer";
    return { title, lines: [`${passed} tests passed`], faults, tests: { passed, failed: failed + skipped } };
  },
};
/** Only when they are asked for. */
const longPrograms: typeof programs = {
  "pages-10m": async ({ parts }) => await countRowsOfPages(parts.mariadb, [10_000, 1_000_000, 10_000_000]),
};
const known = { ...programs, ...longPrograms };

const asked = process.argv.slice(2);
const unknown = asked.find((name) => !(name in known));
if (unknown !== undefined) {
  process.stderr.write(`There is no program ${unknown}; there are ${Object.keys(known).join(", ")}.\n`);
  process.exit(2);
}

await using owned = new AsyncDisposableStack();
const folder = owned.use(await temporaryFolder());
const parts = owned.use(await startParts());
let started: Promise<ProcessMesh> | undefined;
const mesh = () => {
  started ??= (async () => {
    await migrate(parts.settings);
    const settings = { ...parts.settings, ...receiverSettings, RATE_LIMIT_PERCENT: "0", LOG_LEVEL: "debug" };
    return owned.use(await startProcesses(folder.path, settings, { replicas: 2, workers: true }));
  })();
  return started;
};
const total = { passed: 0, failed: 0 };
for (const name of asked.length > 0 ? asked : Object.keys(programs)) {
  const began = performance.now();
  const run = known[name] as (setting: Setting) => Promise<Finding>;
  const { title, lines, faults, tests } = await run({ parts, mesh }).catch((error: unknown): Finding => {
    const what = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return { title: name, lines: [], faults: [`it broke off: ${what}`] };
  });
  process.stdout.write(`\n== ${title} (${duration(performance.now() - began)})\n`);
  for (const line of lines) process.stdout.write(`   ${line}\n`);
  for (const fault of faults) process.stdout.write(`   !!! ${fault}\n`);
  process.stdout.write(faults.length === 0 ? "   as it must be\n" : `   ${faults.length} faults\n`);
  if (faults.length > 0) process.exitCode = 1;
  total.passed += tests?.passed ?? (faults.length === 0 ? 1 : 0);
  total.failed += tests?.failed ?? (faults.length === 0 ? 0 : 1);
}
await mkdir("coverage", { recursive: true });
const results = { numPassedTests: total.passed, numFailedTests: total.failed, testResults: [] };
await writeFile("coverage/real.json", JSON.stringify(results));
process.stdout.write(`\nOn real parts: ${total.passed} passed, ${total.failed} failed\n`);
