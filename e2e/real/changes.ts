// 32 concurrent writers on MariaDB, and readers that are killed at random while they follow: each reader must have seen
// every change once, and each document's in the order in which they were made.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { openDatabase } from "@docket/runtime/db/database";
import { entities, migrations, silentLogger } from "@docket/runtime/db/testing/note";
import { eventually } from "@docket/runtime/testing/eventually";
import type { MariadbServer } from "@docket/runtime/testing/servers/mariadb";
import { temporaryFolder } from "@docket/runtime/testing/temporary_folder";
import { duration, type Finding } from "./report.ts";

const partitions = 8;
const documents = 200;
const processes = 4;
const lanes = 8;
const readers = 3;

/** Writes at least `changes` changes. */
export async function followManyWriters(mariadb: MariadbServer, changes: number): Promise<Finding> {
  await mariadb.run("drop database if exists changes", "create database changes");
  const url = mariadb.url("changes");
  await using db = await openDatabase({
    url,
    name: "notes",
    entities,
    migrations,
    migrate: true,
    logger: silentLogger,
  });
  for (let partition = 0; partition < partitions; partition += 1) {
    const rows = Array.from({ length: documents }, (_, at) => {
      const id = `workspace ${partition} document ${at}`;
      return { id, workspace_id: `workspace ${partition}`, title: id, version: 0, created_at: 1 };
    });
    await db.query.insertInto("note").values(rows).execute();
  }
  await using folder = await temporaryFolder();
  const files = Array.from({ length: readers }, (_, at) => join(folder.path, `reader ${at}`));
  let writing = true;
  let kills = 0;
  const reading = Promise.all(
    files.map(async (file) => {
      // Lives for at most two seconds, again and again, as long as there is somebody who writes.
      while (writing) {
        const reader = run("changes_reader.ts", [url, String(partitions), file]);
        await pause(300 + Math.random() * 1_700);
        await killed(reader);
        kills += 1;
      }
    }),
  );
  const began = performance.now();
  // Five changes on average, and a tenth is rolled back.
  const transactions = Math.ceil(changes / processes / 4.4);
  const kept = await Promise.all(
    Array.from({ length: processes }, () =>
      printed("changes_writer.ts", [url, ...[partitions, documents, lanes, transactions].map(String)]),
    ),
  );
  const wroteMs = performance.now() - began;
  writing = false;
  await reading;
  const total = kept.reduce((sum, count) => sum + Number(count), 0);
  const faults = total >= changes ? [] : [`only ${total} changes were written`];
  for (const file of files) {
    const last = run("changes_reader.ts", [url, String(partitions), file]);
    try {
      await eventually(() => lines(file).length >= total, { timeoutMs: 60_000, intervalMs: 200 });
    } catch {
      faults.push(`a reader saw ${lines(file).length} of ${total} changes`);
    } finally {
      await killed(last);
    }
    faults.push(...faultsIn(lines(file)));
  }
  return {
    title: `${processes * lanes} writers on MariaDB, ${readers} readers that are killed at random`,
    lines: [
      `${total} changes in ${duration(wroteMs)} (${Math.round(total / (wroteMs / 1000))} a second); readers killed ${kills} times`,
      `each reader saw ${files.map((file) => lines(file).length).join(", ")}`,
    ],
    faults,
  };
}

function lines(file: string): string[] {
  return readFileSync(file, "utf8").split("\n").slice(0, -1);
}

/** Numbers without a hole in each partition, counts without a hole in each document. */
function faultsIn(seen: readonly string[]): string[] {
  const last = new Map<string, number>();
  const faults: string[] = [];
  const follows = (what: string, number: number) => {
    const expected = (last.get(what) ?? 0) + 1;
    if (number !== expected) faults.push(`${what}: ${number} came where ${expected} was due`);
    last.set(what, number);
  };
  for (const line of seen) {
    const [partition = "", sequence, document = "", count] = line.split("|");
    follows(partition, Number(sequence));
    follows(document, Number(count));
  }
  return faults.slice(0, 10);
}

function run(program: string, parameters: readonly string[]): ChildProcess {
  const path = fileURLToPath(new URL(program, import.meta.url));
  return spawn(process.execPath, ["--no-warnings", path, ...parameters], { stdio: ["ignore", "pipe", "inherit"] });
}

async function printed(program: string, parameters: readonly string[]): Promise<string> {
  const child = run(program, parameters);
  let text = "";
  child.stdout?.on("data", (chunk) => {
    text += chunk;
  });
  const [code] = (await once(child, "close")) as [number | null];
  if (code !== 0) throw new Error(`${program} ended with ${code}`);
  return text.trim();
}

async function killed(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  child.kill("SIGKILL");
  await exited;
}
