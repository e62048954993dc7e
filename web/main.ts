// The portal as a process of its own. Settings come from the environment; SIGTERM, SIGINT and the end of a parent that
// started it with a channel of messages drain it.

import { runProcess } from "@docket/runtime/lifecycle";
import { readConfig } from "./process/config.ts";
import { endWithParent, tellParent } from "./process/parent.ts";
import { startWeb } from "./process/service.ts";

await runProcess(async () => {
  endWithParent();
  const web = await startWeb(readConfig());
  tellParent({ address: web.address });
  process.stdout.write(`Docket's portal is at ${web.address}\n`);
  return web;
});
