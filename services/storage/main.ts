// The storage service as a process of its own.

import { ensureFolder } from "@docket/runtime/data_dir";
import { runProcess } from "@docket/runtime/lifecycle";
import { environment, readConfig } from "./config.ts";
import { startStorageService } from "./service.ts";

await runProcess(async () => {
  const config = readConfig(environment());
  await ensureFolder(config.dataDir);
  return await startStorageService(config);
});
