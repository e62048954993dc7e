// The document service as a process of its own. Settings come from the environment; `--role` says what it does; SIGTERM and
// SIGINT drain it.
import { runService } from "@docket/runtime/role";
import { readConfig } from "./config.ts";
import { startDocumentService } from "./service.ts";

await runService("document", (role) => startDocumentService(readConfig(), { role }));
