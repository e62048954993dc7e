// `npm run demo:kill`: one round of SIGKILL under load, told to a person in under a minute.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { killRounds } from "./kill.ts";

const say = (line: string) => process.stdout.write(`${line}\n`);
const folder = await mkdtemp(join(tmpdir(), "docket-demo-"));
try {
  say("Docket starts in a new folder. Four clients upload files, create documents and tasks, as fast as they can.");
  for await (const { ledger, workedMs, restartMs, faults } of killRounds(folder, 1, () => 3000)) {
    say(`After ${workedMs} ms the whole process was killed with SIGKILL. Until then it had acknowledged:`);
    say(`  ${ledger.documents.length} documents, ${ledger.tasks.length} tasks,`);
    for (const { acknowledged, bytes } of ledger.uploads)
      say(`  ${(acknowledged / 1e6).toFixed(0)} MB of a large upload of ${(bytes / 1e6).toFixed(0)} MB.`);
    say(`It was started again on the same folder and was ready after ${restartMs} ms.`);
    for (const fault of faults) say(`  WRONG: ${fault}`);
    if (faults.length === 0)
      say(
        "Every document was read back and its SHA-256 compared, every task found, every upload resumed and completed: nothing lost, nothing half there.",
      );
    process.exitCode = faults.length === 0 ? 0 : 1;
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}
