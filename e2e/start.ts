// Docket on this machine: the whole mesh in one process. Prints one line when it is ready.

import { runProcess } from "@docket/runtime/lifecycle";
import { startMesh } from "./mesh.ts";

await runProcess(async () => {
  const mesh = await startMesh({ LOG_LEVEL: "warn", ...process.env });
  process.stdout.write(`Docket is ready at ${mesh.url}\n`);
  return mesh;
});
