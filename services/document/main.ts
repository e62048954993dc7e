// The document service as a process of its own. Settings come from the environment; SIGTERM and SIGINT drain it.
import { runProcess } from "@docket/runtime/lifecycle";
import { readConfig } from "./config.ts";
import { startDocumentService } from "./service.ts";

await runProcess(() => startDocumentService(readConfig()));
