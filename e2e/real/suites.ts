// The services' suites and the journeys once more, on MariaDB, Redis and an S3 server.

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

/** Runs them; answers whether all passed. What is wanted of them alone may be named by `pattern`. */
export async function runSuites({ mariadb, redis, s3 }: Pick<Parts, "mariadb" | "redis" | "s3">): Promise<boolean> {
  const environment = {
    ...process.env,
    ...s3.environment,
    [testVariables.database]: mariadb.url("").replace(/\/$/, ""),
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
