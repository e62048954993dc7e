// The user service as a process of its own. Settings come from the environment; `--role` says what it does; SIGTERM and
// SIGINT drain it.

import { runService } from "@docket/runtime/role";
import { readConfig } from "./config.ts";
import { startUserService } from "./service.ts";

await runService("user", (role) => startUserService(readConfig(), { role }));
