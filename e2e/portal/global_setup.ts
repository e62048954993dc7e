// Starts Docket once for all tests of the portal, as `npm start` does, and fills in the demonstration. A portal that
// runs already is used instead where DOCKET_PORTAL_URL says where it is; it is filled in too, and left running.

import { temporaryFolder } from "@docket/runtime/testing/temporary_folder";
import { runDemo } from "../demo/fill.ts";
import { startWhole } from "../kill.ts";
import { findChromium } from "./chromium.ts";
import { keepForTeardown } from "./global_teardown.ts";

/** Small enough that a test can come to them. */
const limits = { UPLOAD_MAX_BYTES: "100MiB", WORKSPACE_QUOTA: "150MiB" };

export default async function setup(): Promise<void> {
  // Told before a minute of building.
  findChromium();
  await using parts = new AsyncDisposableStack();
  const said = { say: () => undefined };
  const { DOCKET_PORTAL_URL: running } = process.env;
  if (running) {
    await runDemo(running, said);
    return;
  }
  const folder = parts.use(await temporaryFolder());
  const whole = await startWhole(folder.path, limits, undefined, []);
  parts.defer(() => whole.end("SIGTERM"));
  await runDemo(whole.url, said);
  // The workers that run the tests are started after this, and inherit it.
  process.env.DOCKET_PORTAL_URL = whole.url;
  keepForTeardown(parts.move());
}
