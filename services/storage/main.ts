// The storage service as a process of its own. `--role` says what it does.

import { ensureFolder } from "@docket/runtime/data_dir";
import { runService } from "@docket/runtime/role";
import { environment, readConfig } from "./config.ts";
import { startStorageService } from "./service.ts";

await runService("storage", async (role) => {
  const config = readConfig(environment());
  await ensureFolder(config.dataDir);
  return await startStorageService(config, { role });
});
