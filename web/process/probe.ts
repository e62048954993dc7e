// Whether the portal's process beside this one is alive; for health checks that run a command.

import { faultOfPage, reachable, runProbe } from "@docket/runtime/probe";
import { readConfig } from "./config.ts";

await runProbe(() => {
  const { listen, mesh } = readConfig();
  return faultOfPage(`${mesh.mode === "mtls" ? "https" : "http"}://${reachable(listen.host)}:${listen.port}/healthz`);
});
