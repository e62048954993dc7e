// A page of 50 documents costs the same however many there are, the first as one deep inside: rows read by the server,
// counted by itself.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { MariadbServer } from "@docket/runtime/testing/servers/mariadb";
import { duration, type Finding } from "./report.ts";

interface Counted {
  readonly count: number;
  /** List and order → rows read by the first page, and by one in the middle. */
  readonly found: Readonly<Record<string, readonly [first: number, deep: number]>>;
}

/** A page, a row more to know whether there are others, and one that a range begins beside. */
const pageRows = 52;

/** Counts at each size, the smallest first. */
export async function countRowsOfPages(mariadb: MariadbServer, counts: readonly number[]): Promise<Finding> {
  await mariadb.run("drop database if exists pages", "create database pages character set utf8mb4 collate utf8mb4_bin");
  const program = fileURLToPath(new URL("../../services/document/store/testing/rows_examined.ts", import.meta.url));
  const parameters = ["--no-warnings", program, mariadb.url("pages"), ...counts.map(String)];
  const child = spawn(process.execPath, parameters, { stdio: ["ignore", "pipe", "inherit"] });
  const exited = once(child, "exit");
  const all: Counted[] = [];
  const lines: string[] = [];
  let began = performance.now();
  for await (const line of createInterface({ input: child.stdout })) {
    const counted = JSON.parse(line) as Counted;
    all.push(counted);
    const [plain, joined] = [false, true].map((listing) =>
      Object.entries(counted.found)
        .filter(([name]) => /^(tag|person)/.test(name) === listing)
        .flatMap(([, rows]) => rows),
    ) as [number[], number[]];
    lines.push(
      `${counted.count.toLocaleString("en")} documents: ${Object.keys(counted.found).length} lists and orders; ` +
        `a page reads ${Math.min(...plain)} to ${Math.max(...plain)} rows, ` +
        `of a tag or a person ${Math.min(...joined)} to ${Math.max(...joined)} (an entry and its document each) ` +
        `(${duration(performance.now() - began)} with the filling)`,
    );
    began = performance.now();
  }
  const [code] = (await exited) as [number | null];
  const faults = code === 0 && all.length === counts.length ? [] : [`the program ended with ${code}`];
  const [smallest] = all;
  for (const { count, found } of all) {
    for (const [name, [first, deep]] of Object.entries(found)) {
      const most = /^(tag|person)/.test(name) ? 2 * pageRows : pageRows;
      if (Math.max(first, deep) > most) faults.push(`${name} of ${count}: ${first} and ${deep} rows`);
      const before = smallest?.found[name] ?? [0, 0];
      // In the middle it is one row more or less: a page that begins among equals begins beside two ranges.
      if (first !== before[0] || Math.abs(deep - before[1]) > 1) {
        faults.push(`${name}: ${before.join(" and ")} rows at first, ${first} and ${deep} of ${count}`);
      }
    }
  }
  return { title: `Rows read for a page out of ${counts.join(", ")} documents`, lines, faults };
}
