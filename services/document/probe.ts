// Whether the document service beside this process serves; for health checks that run a command.

import { Workload } from "@docket/contracts/gen/docket/policy/v1/policy_pb.ts";
import { faultOfService, runProbe } from "@docket/runtime/probe";
import { readConfig } from "./config.ts";

await runProbe(() => faultOfService(Workload.DOCUMENT, readConfig()));
