// The services' suites and the journeys once more, on a database server, Redis and an S3 server.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { testVariables } from "@docket/runtime/testing/test_parts";
import type { Parts } from "./parts.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** What is run again: jest's projects, with the tests of each. */
const runs = [
  { projects: ["services"], pattern: "services/[a-z]+/test/" },
  { projects: ["fast"], pattern: "runtime/(db/[a-z_]+|queue/.*|changelog/.*)\\.test|services/[a-z]+/jobs/" },
  { projects: ["journeys"], pattern: "e2e/(journey|webhook_journey|matrix/.*)\\.test" },
];

/** What they stand on. */
export interface SuiteParts extends Pick<Parts, "redis" | "s3"> {
  /** Of a server, without a schema. */
  readonly databaseUrl: string;
}

/** Runs them; answers whether all passed. */
export async function runSuites({ databaseUrl, redis, s3 }: SuiteParts): Promise<boolean> {
  const environment = {
    ...process.env,
    ...s3.environment,
    [testVariables.database]: databaseUrl,
    [testVariables.redis]: redis.url,
    [testVariables.blobs]: s3.place(),
  };
  let passed = true;
  for (const { projects, pattern } of runs) {
    const jest = ["--experimental-vm-modules", "node_modules/jest/bin/jest.js", "--selectProjects", ...projects];
    const child = spawn(process.execPath, [...jest, "--testPathPatterns", pattern], {
      cwd: root,
      env: environment,
      stdio: "inherit",
    });
    const [code] = (await once(child, "exit")) as [number | null];
    passed &&= code === 0;
  }
  return passed;
}
