// `npm run start:real`: the whole of Docket as it runs in production, on one machine: each service as processes of its
// own, two replicas of each, workers apart, on MariaDB, Redis and an S3 server. What the environment names is used;
// what it does not name is started for this run and gone with it.

import { runProcess } from "@docket/runtime/lifecycle";
import { temporaryFolder } from "@docket/runtime/testing/temporary_folder";
import { parseArguments } from "../arguments.ts";
import { buildPortal } from "../portal_build.ts";
import { startProcesses } from "../processes.ts";
import { migrate } from "./migrated.ts";
import { startParts } from "./parts.ts";

const named = ["DATABASE_URL", "REDIS_URL", "BLOB_URL"].filter((variable) => process.env[variable]);

await runProcess(
  async (signal) => {
    const { portal } = parseArguments(process.argv.slice(2));
    await using owned = new AsyncDisposableStack();
    const folder = owned.use(await temporaryFolder());
    const say = (line: string) => void process.stderr.write(`${line}\n`);
    if (named.length < 3) say("Starting MariaDB, Redis and an S3 server …");
    const parts = named.length === 3 ? undefined : owned.use(await startParts());
    const settings = Object.fromEntries(
      Object.entries(parts?.settings ?? {}).filter(([variable]) => !process.env[variable]),
    );
    say("Applying migrations …");
    await migrate(settings);
    say("Starting the services, two of each, and their workers: up to a minute …");
    const mesh = owned.use(
      await startProcesses(folder.path, settings, {
        replicas: 2,
        workers: true,
        ...(portal && { portal: { build: () => buildPortal({ signal }) } }),
      }),
    );
    // With these in its environment, `npm run admin` reaches the same installation.
    for (const [variable, value] of Object.entries({ DOCKET_DATA_DIR: folder.path, ...settings })) {
      process.stdout.write(`export ${variable}='${value}'\n`);
    }
    for (const url of mesh.urls) process.stdout.write(`Docket is at ${url}\n`);
    process.stdout.write(`${[...mesh.processes.keys()].join(", ")} run on MariaDB, Redis and S3. Ctrl-C ends them.\n`);
    const running = owned.move();
    return { [Symbol.asyncDispose]: () => running.disposeAsync() };
  },
  { stopTimeoutMs: 60_000 },
);
