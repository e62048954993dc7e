// `npm run admin -- jobs …`: what waits, what runs, and what has failed for good.

import type { DatabaseAdmin, JobRecord, JobState } from "@docket/runtime/admin";
import { StartError } from "@docket/runtime/errors";
import { type Answer, type Command, columns, spanOf, UsageError } from "./command.ts";
import { databasesNamed, withDatabases } from "./databases.ts";

const states: readonly JobState[] = ["pending", "running", "dead"];

/** With `--all` so many are taken at once. */
const batch = 1000;

/** Commands on jobs. */
export const jobCommands: readonly Command[] = [
  {
    name: "jobs list",
    parameters: "[<service>] [--state dead|pending|running] [--kind <kind>] [--limit <count>]",
    summary: "Jobs of a service, or of all; those that have failed for good where no state is named.",
    count: { min: 0, max: 1 },
    options: { state: { type: "string" }, kind: { type: "string" }, limit: { type: "string" } },
    async run({ positionals: [service], options }, { environment }) {
      const state = stateOf(options.state);
      const limit = limitOf(options.limit);
      const filter = { state, ...(options.kind !== undefined && { kind: String(options.kind) }) };
      const found = await withDatabases(databasesNamed(service, environment), environment, async (admin) =>
        (await admin.listJobs(filter, limit)).map((job) => ({ service: admin.name, ...job })),
      );
      const jobs = found.flat();
      const now = Date.now();
      const rows = jobs.map((job) => [
        job.service,
        job.id,
        job.kind,
        `${job.attempts} of ${job.maxAttempts > 1e6 ? "∞" : job.maxAttempts}`,
        spanOf(now - job.createdAt.getTime()),
        firstLine(job),
      ]);
      const head = ["SERVICE", "ID", "KIND", "ATTEMPTS", "AGE", "ERROR"];
      return { data: jobs, lines: rows.length === 0 ? [`There are no ${state} jobs.`] : columns(head, rows) };
    },
  },
  {
    name: "jobs depth",
    parameters: "[<service>]",
    summary: "How many jobs there are, by kind and state.",
    count: { min: 0, max: 1 },
    async run({ positionals: [service] }, { environment }) {
      const found = await withDatabases(databasesNamed(service, environment), environment, async (admin) =>
        (await admin.jobDepth()).map((depth) => ({ service: admin.name, ...depth })),
      );
      const depths = found.flat();
      const now = Date.now();
      const rows = depths.map((one) => [
        one.service,
        one.kind,
        one.state,
        String(one.count),
        one.oldest.getTime() > now ? "-" : spanOf(now - one.oldest.getTime()),
      ]);
      const head = ["SERVICE", "KIND", "STATE", "COUNT", "OLDEST DUE SINCE"];
      return { data: depths, lines: rows.length === 0 ? ["There are no jobs."] : columns(head, rows) };
    },
  },
  {
    name: "jobs rerun",
    parameters: "<service> <id>… | <service> --all [--kind <kind>]",
    summary: "Gives jobs that have failed for good all their attempts again.",
    count: { min: 1, max: 1000 },
    options: { all: { type: "boolean" }, kind: { type: "string" } },
    run: ({ positionals, options }, { environment }) =>
      onDead(positionals, options, environment, ["waits for a worker again", "wait for a worker again"], (admin, id) =>
        admin.rerunJob(id),
      ),
  },
  {
    name: "jobs discard",
    parameters: "<service> <id>… | <service> --all [--kind <kind>]",
    summary: "Removes jobs that have failed for good; what they should have done is never done.",
    count: { min: 1, max: 1000 },
    options: { all: { type: "boolean" }, kind: { type: "string" } },
    run: ({ positionals, options }, { environment }) =>
      onDead(positionals, options, environment, ["is gone", "are gone"], (admin, id) => admin.discardJob(id)),
  },
];

async function onDead(
  [service = "", ...ids]: readonly string[],
  { all, kind }: Readonly<Record<string, unknown>>,
  environment: Parameters<typeof withDatabases>[1],
  [one, several]: readonly [string, string],
  change: (admin: DatabaseAdmin, id: string) => Promise<boolean>,
): Promise<Answer> {
  const names = databasesNamed(service, environment);
  if ((all === true) === ids.length > 0) throw new UsageError("Name the jobs by their ids, or say --all.");
  if (kind !== undefined && all !== true) throw new UsageError("--kind goes with --all.");
  const filter = { state: "dead" as const, ...(kind !== undefined && { kind: String(kind) }) };
  const [done = []] = await withDatabases(names, environment, async (admin) => {
    const changed: string[] = [];
    const wanted = all === true ? (await admin.listJobs(filter, batch)).map((job) => job.id) : ids;
    for (const id of wanted) if (await change(admin, id)) changed.push(id);
    return changed;
  });
  const missing = ids.filter((id) => !done.includes(id));
  if (missing.length > 0) throw new StartError(`${service} has no dead job ${missing.join(", ")}${rest(done)}.`);
  return { data: { jobs: done }, lines: [done.length === 1 ? `1 job ${one}.` : `${done.length} jobs ${several}.`] };
}

function rest(done: readonly string[]): string {
  return done.length === 0 ? "" : `; ${done.length} others were changed`;
}

function stateOf(word: unknown): JobState {
  if (word === undefined) return "dead";
  const state = states.find((known) => known === word);
  if (state === undefined) throw new UsageError(`There is no state ${JSON.stringify(word)}: ${states.join(", ")}.`);
  return state;
}

function limitOf(word: unknown): number {
  if (word === undefined) return 100;
  const limit = /^[1-9]\d{0,5}$/.test(String(word)) ? Number(word) : undefined;
  if (limit === undefined) throw new UsageError("--limit takes a whole number from 1 to 999999.");
  return limit;
}

function firstLine({ lastError }: JobRecord): string {
  const [line = ""] = (lastError ?? "-").split("\n");
  return line.length > 120 ? `${line.slice(0, 119)}…` : line;
}
