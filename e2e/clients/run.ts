// `npm run e2e:clients`: clients that `buf generate` makes in TypeScript, Go and Python, from `proto/` alone, do the main job
// through the edge of a Docket started for it, or of the one at DOCKET_URL.

import { temporaryFolder } from "@docket/runtime/testing/temporary_folder";
import { startWhole } from "../kill.ts";
import { languages, missingFor, prepare, runClient } from "./projects.ts";

const say = (line: string) => process.stdout.write(`${line}\n`);
await using folder = await temporaryFolder();
const whole = process.env.DOCKET_URL ? undefined : await startWhole(folder.path);
try {
  for (const language of languages) {
    const missing = missingFor(language);
    if (missing !== undefined) {
      say(`!!! ${missing}`);
      continue;
    }
    const started = Date.now();
    const project = await prepare(language);
    const prepared = Date.now();
    await runClient(project, process.env.DOCKET_URL ?? whole?.url ?? "", say);
    say(`${language}: made in ${prepared - started} ms, did the main job in ${Date.now() - prepared} ms`);
  }
} finally {
  await whole?.end("SIGTERM");
}
