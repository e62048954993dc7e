// Runs connectconformance against a program of this folder and judges its report: a failure is known only when it is listed
// and fails for the reason that the list gives.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { readKnown, unexplained } from "./known.ts";
import type { Row } from "./table.ts";

/** One run of connectconformance. */
export interface SuiteRun {
  /** What is tested, for the table. */
  readonly title: string;
  readonly mode: "server" | "client";
  /** The name of the files: `edge` has edge.yaml and known_edge.txt. */
  readonly name: string;
  /** The program under test and its arguments, beside this file. */
  readonly program: readonly string[];
}

export type Protocol = "Connect" | "gRPC" | "gRPC-Web";

export interface Report {
  /** What the suite says it had. */
  readonly total: number;
  readonly cases: readonly { readonly name: string; readonly protocol: Protocol }[];
  /** Those that failed; `expected` says whether the suite was told of it. */
  readonly failures: readonly {
    readonly name: string;
    readonly expected: boolean;
    readonly complaint: readonly string[];
  }[];
}

/** Runs it, prints each failure that is not known, and counts by protocol. */
export async function runSuite(
  command: string,
  { title, mode, name, program }: SuiteRun,
  say: (line: string) => void,
): Promise<Row[]> {
  const here = import.meta.dirname;
  const known = readKnown(join(here, `known_${name}.txt`));
  const flags = known.flatMap(({ patterns, sometimes }) =>
    patterns.flatMap((pattern) => [sometimes ? "--known-flaky" : "--known-failing", pattern]),
  );
  // One server at a time, and no more calls at once than a small machine answers within the suite's deadlines.
  const pace = mode === "server" ? ["--max-servers", "1", "--parallel", "4"] : ["--max-servers", "1"];
  const [file = "", ...rest] = program;
  const under = [process.execPath, join(here, file), ...rest];
  const child = spawn(
    command,
    ["--mode", mode, "--conf", join(here, `${name}.yaml`), "--vv", ...pace, ...flags, "--", ...under],
    {
      stdio: ["ignore", "pipe", "pipe"],
    },
  );
  let said = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      said += text;
    });
  }
  await once(child, "close");
  const report = parseReport(said);
  if (report.total === 0 || report.cases.length !== report.total)
    throw new Error(`${title}: connectconformance did not come to its end:\n${said.slice(-2000)}`);

  const bad = new Set<string>();
  for (const { name: failed, expected, complaint } of report.failures) {
    const lines = expected ? unexplained(failed, complaint, known) : complaint;
    if (lines.length === 0) continue;
    bad.add(failed);
    say(`FAILED ${title}: ${failed}`);
    for (const line of lines) say(`  ${line}`);
  }
  const failed = new Set(report.failures.map((failure) => failure.name));
  const protocols = [...new Set(report.cases.map(({ protocol }) => protocol))].sort();
  return protocols.map((protocol) => {
    const own = report.cases.filter((each) => each.protocol === protocol);
    const wrong = own.filter((each) => bad.has(each.name)).length;
    const known = own.filter((each) => failed.has(each.name)).length - wrong;
    return { suite: title, protocol, cases: own.length, passed: own.length - known - wrong, known, failed: wrong };
  });
}

/** Reads what connectconformance prints with `--vv`. */
export function parseReport(said: string): Report {
  const cases: Report["cases"][number][] = [];
  const failures: { name: string; expected: boolean; complaint: string[] }[] = [];
  let open: { complaint: string[] } | undefined;
  let total = 0;
  for (const line of said.split("\n")) {
    const complaint = /^\t(?:; )?(.*)$/.exec(line);
    if (complaint !== null) {
      if (complaint[1]) open?.complaint.push(complaint[1]);
      continue;
    }
    open = undefined;
    const sent = /Sending request for "(.*)"\.\.\.$/.exec(line)?.[1];
    if (sent !== undefined) cases.push({ name: sent, protocol: protocolOf(sent) });
    total = Number(/^Total cases: (\d+)$/.exec(line)?.[1] ?? total);
    const passed = /^FAILED: (.*) (was expected to fail but did not)$/.exec(line);
    if (passed) failures.push({ name: passed[1] ?? "", expected: false, complaint: [passed[2] ?? ""] });
    const failure = /^(?:FAILED: (.*)|INFO: (.*) failed \(as expected\)):$/.exec(line);
    if (failure) {
      const added = { name: failure[1] ?? failure[2] ?? "", expected: failure[2] !== undefined, complaint: [] };
      failures.push(added);
      open = added;
    }
  }
  return { total, cases, failures };
}

/** Suites that are about one protocol have it in their name. */
function protocolOf(name: string): Protocol {
  if (/PROTOCOL_GRPC_WEB|^gRPC-Web/.test(name)) return "gRPC-Web";
  return /PROTOCOL_GRPC|^gRPC/.test(name) ? "gRPC" : "Connect";
}
