// Whether the portal's process beside this one is alive; for health checks that run a command.

import { Workload } from "@docket/contracts/gen/docket/policy/v1/policy_pb.ts";
import { faultOfMeshPage, runProbe } from "@docket/runtime/probe";
import { readConfig } from "./config.ts";

await runProbe(() => faultOfMeshPage(Workload.WEB, readConfig(), "/healthz"));
