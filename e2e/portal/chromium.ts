// Where the browser is that looks at the portal. The configuration of the tests asks too, so this loads nothing.

import { existsSync } from "node:fs";

const usualPaths = [
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/snap/bin/chromium",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
  "C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe",
];

/** Where Chromium is: the setting CHROMIUM, or one of the usual places. Throws a sentence when there is none. */
export function findChromium(environment: Readonly<Record<string, string | undefined>> = process.env): string {
  const { CHROMIUM: named } = environment;
  if (named) {
    if (existsSync(named)) return named;
    throw new Error(`CHROMIUM names ${named}, and there is no such file.`);
  }
  const found = usualPaths.find((path) => existsSync(path));
  if (found !== undefined) return found;
  throw new Error(
    "No Chromium was found to look at the portal with: install it (Debian: apt-get install chromium), or set CHROMIUM to its path.",
  );
}

/** Why the portal cannot be looked at on this machine; undefined where it can, and in CI, where it must. */
export function missingChromium(): string | undefined {
  try {
    findChromium();
    return undefined;
  } catch (error) {
    return process.env.CI ? undefined : (error as Error).message;
  }
}
