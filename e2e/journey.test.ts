// The main job, in one process and again with one process for each service.

import { describe, it } from "@jest/globals";
import { createLogger } from "@docket/runtime/logger";
import { temporaryFolder } from "@docket/runtime/testing/temporary_folder";
import { testParts } from "@docket/runtime/testing/test_parts";
import { runJourney } from "./journey.ts";
import { startMesh } from "./mesh.ts";
import { startProcesses } from "./processes.ts";

const log = (line: string) => process.stderr.write(`  ${line}\n`);

describe("the main job", () => {
  it("is done in one process, with a file of 300 MB", async () => {
    await using folder = await temporaryFolder();
    const settings = {
      DOCKET_DATA_DIR: folder.path,
      PORT: "0",
      RATE_LIMIT_PERCENT: "1000",
      ...(await testParts(folder.path)),
    };
    await using mesh = await startMesh(settings, { logger: createLogger({ level: "error" }) });
    await runJourney({ url: mesh.url, log });
  }, 180_000);

  it("is done with one process for each service", async () => {
    await using folder = await temporaryFolder();
    await using mesh = await startProcesses(folder.path, {
      RATE_LIMIT_PERCENT: "1000",
      ...(await testParts(folder.path)),
    });
    await runJourney({ url: mesh.url, largeBytes: 40_000_000, log });
  }, 180_000);
});
