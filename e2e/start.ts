// Docket on this machine: the whole mesh in one process, the portal in a child of it. Prints one line when it is ready.

import { runProcess } from "@docket/runtime/lifecycle";
import { createTraceView } from "@docket/runtime/telemetry/trace_view";
import { parseArguments } from "./arguments.ts";
import { startMesh } from "./mesh.ts";
import { buildPortal } from "./portal_build.ts";

await runProcess(async (signal) => {
  const { portal, demo, trace } = parseArguments(process.argv.slice(2));
  const mesh = await startMesh(
    { LOG_LEVEL: "warn", ...process.env },
    { portal: portal ? { build: () => buildPortal({ signal }) } : undefined, telemetry: traced(trace) },
  );
  process.stdout.write(`Docket is ready at ${mesh.url}\n`);
  if (demo) await (await import("./demo/fill.ts")).runDemo(mesh.url);
  return mesh;
});

/** Prints each request's path when it has ended. */
function traced(trace: boolean | string) {
  if (trace === false) return undefined;
  const filter = trace === true ? undefined : trace;
  return { spanEnded: createTraceView({ filter, write: (text) => process.stdout.write(text) }) };
}
