// Whether the edge beside this process is alive; for health checks that run a command. Whether what stands behind it is
// there says /readyz, to those who send it traffic.

import { faultOfPage, reachable, runProbe } from "@docket/runtime/probe";
import { readConfig } from "./config.ts";

await runProbe(() => {
  const { host, port, tls } = readConfig();
  return faultOfPage(`${tls ? "https" : "http"}://${reachable(host)}:${port}/healthz`);
});
