// The edge as a process of its own. Settings come from the environment; SIGTERM and SIGINT drain it.

import { runProcess } from "@docket/runtime/lifecycle";
import { readConfig } from "./config.ts";
import { startGateway } from "./service.ts";

await runProcess(async () => {
  const gateway = await startGateway(readConfig());
  process.stdout.write(`Docket's edge is at ${gateway.url}\n`);
  return gateway;
});
