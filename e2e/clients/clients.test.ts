// Clients that others make of `proto/` alone.

import { afterAll, beforeAll, describe, it } from "@jest/globals";
import { type TemporaryFolder, temporaryFolder } from "@docket/runtime/testing/temporary_folder";
import { startWhole, type Whole } from "../kill.ts";
import { languages, missingFor, prepare, runClient } from "./projects.ts";

const log = (line: string) => process.stderr.write(`  ${line}\n`);

describe("clients that buf generates", () => {
  let folder: TemporaryFolder;
  let whole: Whole;
  beforeAll(async () => {
    folder = await temporaryFolder();
    whole = await startWhole(folder.path);
  }, 60_000);
  afterAll(async () => {
    await whole.end("SIGTERM");
    await folder[Symbol.asyncDispose]();
  });

  for (const language of languages) {
    const missing = missingFor(language);
    if (missing !== undefined) log(`!!! ${missing}`);
    (missing === undefined ? it : it.skip)(
      `do the main job in ${language}`,
      async () => await runClient(await prepare(language), whole.url, log),
      600_000,
    );
  }
});
