// SIGKILL of the whole process, twenty times, while people upload, create and assign.

import { describe, expect, it } from "@jest/globals";
import { temporaryFolder } from "@docket/runtime/testing/temporary_folder";
import { killRounds } from "./kill.ts";

describe("a process that is killed", () => {
  it("has lost nothing that it acknowledged and shows nothing by half, twenty times", async () => {
    let acknowledged = 0;
    await using folder = await temporaryFolder();
    for await (const { ledger, faults } of killRounds(folder.path, 20, () => 200 + Math.floor(Math.random() * 1000))) {
      expect(faults).toEqual([]);
      acknowledged += ledger.documents.length + ledger.tasks.length + ledger.uploads.length;
    }
    process.stderr.write(`  20 kills, ${acknowledged} acknowledged documents, tasks and uploads, all there\n`);
    // Rounds in which nothing was acknowledged would show nothing.
    expect(acknowledged).toBeGreaterThan(100);
  }, 400_000);
});
