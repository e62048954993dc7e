// The user service as a process of its own. Settings come from the environment; SIGTERM and SIGINT drain it.

import { runProcess } from "@docket/runtime/lifecycle";
import { readConfig } from "./config.ts";
import { startUserService } from "./service.ts";

await runProcess(() => startUserService(readConfig()));
