// The browser that looks at the portal: the Chromium of this machine, driven by playwright-core, which brings none.

import { type Browser, chromium } from "playwright-core";
import { findChromium } from "./chromium.ts";

/** No traffic but the pages' own, and none over UDP. */
export const chromiumArguments = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** Starts the browser. Dispose of it, or close it. */
export async function launchBrowser(): Promise<Browser> {
  return await chromium.launch({ executablePath: findChromium(), args: chromiumArguments, headless: true });
}
