// The picture at the top of the README: a document of the demonstration, as Anna sees it at her desk.
//
//   npm run readme:screenshot [-- <url of a portal with the demonstration>]
//
// Without a portal it starts one of its own, filled in, and ends it. The tests of the portal make the same picture for
// their artefacts, so that this way stays open.

import { copyFile, mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { temporaryFolder } from "@docket/runtime/testing/temporary_folder";
import type { Page } from "playwright-core";
import { runDemo } from "../demo/fill.ts";
import { anna } from "../demo/people.ts";
import { startWhole } from "../kill.ts";
import { clientsOf, edgeTransport } from "../person.ts";
import { launchBrowser } from "./browser.ts";
import { openLook, screenshot, settled, signInByCall, visit } from "./page.ts";
import { type Finder, finderOf } from "./pages.ts";

/** Takes the picture on a wide, light window of Anna's. Returns where it lies among the artefacts. */
export async function portray(page: Page, find: Finder): Promise<string> {
  await visit(page, `/d/${await find.document("Quay 4 condition report")}`);
  // How many tasks are due is asked for last.
  await page.getByText(/tasks? (is|are) due/).waitFor({ state: "attached", timeout: 30_000 });
  await settled(page);
  return await screenshot(page, "readme");
}

async function main(url: string): Promise<void> {
  const browser = await launchBrowser();
  try {
    await using look = await openLook(browser, { url, width: 1600 });
    const secret = await signInByCall(look.page, anna);
    const path = fileURLToPath(new URL("../../docs/images/portal.png", import.meta.url));
    await mkdir(dirname(path), { recursive: true });
    await copyFile(await portray(look.page, finderOf(clientsOf(edgeTransport(url, secret)))), path);
    process.stdout.write(`${path}\n`);
  } finally {
    await browser.close();
  }
}

if (import.meta.main) {
  const [, , named] = process.argv;
  await using parts = new AsyncDisposableStack();
  let url = named;
  if (url === undefined) {
    const whole = await startWhole(parts.use(await temporaryFolder()).path, {}, undefined, []);
    parts.defer(() => whole.end("SIGTERM"));
    await runDemo(whole.url, { say: () => undefined });
    url = whole.url;
  }
  await main(url);
}
