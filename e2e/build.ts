// `npm run build`: the portal's build by hand, as the first `npm start` makes it.

import { StartError } from "@docket/runtime/errors";
import { buildPortal } from "./portal_build.ts";

const stop = new AbortController();
process.once("SIGINT", () => stop.abort());
process.once("SIGTERM", () => stop.abort());
try {
  process.stdout.write(`The portal's build is in ${await buildPortal({ signal: stop.signal })}\n`);
} catch (error) {
  if (!stop.signal.aborted && !(error instanceof StartError)) throw error;
  if (!stop.signal.aborted) process.stderr.write(`${(error as Error).message}\n`);
  process.exitCode = 1;
}
