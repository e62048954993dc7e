// The services' suites and the journeys once more, on a database server, Redis and an S3 server, and the tests that only
// real parts can answer.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { testVariables } from "@docket/runtime/testing/test_parts";
import type { Parts } from "./parts.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** What is run again, by the tests' paths. */
const again = [
  "services/[a-z]+/(test|jobs)/",
  "runtime/(db/[a-z_]+|queue/.*|changelog/.*)\\.test",
  "e2e/(journey|webhook_journey)\\.test",
];

/** What they stand on. */
export interface SuiteParts extends Pick<Parts, "redis" | "s3"> {
  /** Of a server, without a schema. */
  readonly databaseUrl: string;
}

/** How many tests there were. */
export interface SuiteResult {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** Runs them; with `real` also the tests that start servers themselves. */
export async function runSuites(
  { databaseUrl, redis, s3 }: SuiteParts,
  { real }: { readonly real: boolean },
): Promise<SuiteResult> {
  const folder = await mkdtemp(join(tmpdir(), "docket-suites-"));
  const output = join(folder, "results.json");
  const patterns = real ? [...again, "\\.real\\.test\\.ts$"] : again;
  const child = spawn(
    process.execPath,
    [
      ...["--experimental-vm-modules", "node_modules/jest/bin/jest.js", "--json", `--outputFile=${output}`],
      ...["--selectProjects", "fast", "services", "journeys", ...(real ? ["real"] : [])],
      ...["--testPathPatterns", patterns.join("|")],
    ],
    {
      cwd: root,
      env: {
        ...process.env,
        ...s3.environment,
        [testVariables.database]: databaseUrl,
        [testVariables.redis]: redis.url,
        [testVariables.blobs]: s3.place(),
      },
      // The results are in the file; what jest says of its progress is for people.
      stdio: ["ignore", "ignore", "inherit"],
    },
  );
  const [code] = (await once(child, "exit")) as [number | null];
  const results = JSON.parse(await readFile(output, "utf8")) as Record<string, number>;
  await rm(folder, { recursive: true });
  const count = (name: string) => results[name] ?? 0;
  const failed = count("numFailedTests") + count("numRuntimeErrorTestSuites");
  return {
    passed: count("numPassedTests"),
    failed: failed === 0 && code !== 0 ? 1 : failed,
    skipped: count("numPendingTests") + count("numTodoTests"),
  };
}
