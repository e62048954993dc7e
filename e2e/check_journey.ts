// `npm run journey -- <url>`: the main job at an installation that runs already, as people do it.

import { strict as assert } from "node:assert";
import { readFile } from "node:fs/promises";
import { runTool } from "./backup/command_line.ts";
import { type JourneyPeople, runJourney } from "./journey.ts";

const usage = `npm run journey -- <url> [--people <path>] [--large-bytes <n>]
Does the main job at <url>: uploads, versions, tasks, comments, downloads, the stream of changes, and a stranger who finds
nothing. Three people sign up for it, or sign in where signing up takes an invitation: the file is then JSON such as
{"Anna": {"email": "…", "password": "…"}, "Ben": {…}, "Eve": {…}}. What it made is deleted at its end.
Exit codes: 0 all is as promised; 1 something is not; 2 not understood.`;

await runTool(
  usage,
  { people: { type: "string" }, "large-bytes": { type: "string" } },
  async ([url, ...more], options, say) => {
    const largeBytes = Number(options["large-bytes"] ?? 20_000_000);
    if (url === undefined || more.length > 0 || !/^https?:/.test(url)) return undefined;
    if (!Number.isSafeInteger(largeBytes) || largeBytes < 1000) return undefined;
    const people = typeof options.people === "string" ? await readPeople(options.people) : undefined;
    try {
      await runJourney({ url, largeBytes, log: say, clean: true, ...(people ? { people } : {}) });
      return { lines: [`The main job is done at ${url}`], sound: true };
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      return { lines: [`FAULT   ${error.stack}`], sound: false };
    }
  },
);

async function readPeople(path: string): Promise<JourneyPeople> {
  const read = JSON.parse(await readFile(path, "utf8")) as JourneyPeople;
  for (const name of ["Anna", "Ben", "Eve"] as const) {
    const { email, password } = read[name] ?? {};
    assert.ok(email && password, `${path} names no email and password for ${name}`);
  }
  return read;
}
