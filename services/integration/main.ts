// The integration service as a process of its own. Settings come from the environment; SIGTERM and SIGINT drain it.
import { runService } from "@docket/runtime/role";
import { readConfig } from "./config.ts";
import { startIntegrationService } from "./service.ts";

await runService("integration", (role) => startIntegrationService(readConfig(), { role }));
