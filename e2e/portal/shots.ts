// Looks at every page of the portal as Anna of the demonstration: a screenshot in both themes at three widths, with what
// the browser logged and what axe found.
//
//   npx node e2e/portal/shots.ts <url> [part of a page's name] [--theme dark] [--width 390] [--no-axe]
//
// Screenshots go to e2e/portal/screenshots, or to the folder DOCKET_ARTEFACTS.

import { parseArgs } from "node:util";
import type { Browser } from "playwright-core";
import { anna } from "../demo/people.ts";
import { clientsOf, edgeTransport } from "../person.ts";
import { launchBrowser } from "./browser.ts";
import {
  findings,
  type Look,
  openLook,
  screenshot,
  settled,
  signInByCall,
  type Theme,
  themes,
  visit,
  type Width,
  widths,
} from "./page.ts";
import { type Finder, finderOf, type Place, places } from "./pages.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    theme: { type: "string" },
    width: { type: "string" },
    "no-axe": { type: "boolean", default: false },
  },
});
const [url, filter = ""] = positionals;

async function main(): Promise<void> {
  if (url === undefined) throw new Error("Say where the portal is: node e2e/portal/shots.ts http://127.0.0.1:8080");
  const wanted = places.filter(({ name }) => name.includes(filter));
  if (wanted.length === 0)
    throw new Error(`No page is called ${filter}. There are: ${places.map(({ name }) => name).join(", ")}`);
  const themesAsked = themes.filter((theme) => values.theme === undefined || values.theme === theme);
  const widthsAsked = Object.keys(widths)
    .filter((width) => values.width === undefined || values.width === width)
    .map((width) => Number(width) as Width);
  const browser = await launchBrowser();
  try {
    const needsAnna = wanted.some(({ anonymous }) => !anonymous);
    const known = needsAnna ? await signedIn(browser, url) : undefined;
    for (const theme of themesAsked)
      for (const width of widthsAsked) {
        const anonymous = wanted.filter((place) => place.anonymous);
        const others = wanted.filter((place) => !place.anonymous);
        await lookAt(browser, anonymous, { url, theme, width });
        if (known) await lookAt(browser, others, { url, theme, width, state: known.state }, known.find);
      }
  } finally {
    await browser.close();
  }
}

type State = Awaited<ReturnType<ReturnType<Look["page"]["context"]>["storageState"]>>;

/** Signs in once; undefined, with a line, when that does not work. */
async function signedIn(browser: Browser, base: string): Promise<{ state: State; find: Finder } | undefined> {
  await using look = await openLook(browser, { url: base });
  try {
    const secret = await signInByCall(look.page, anna);
    const state = await look.page.context().storageState();
    return { state, find: finderOf(clientsOf(edgeTransport(base, secret, "connect"))) };
  } catch (error) {
    say(`Only pages for everybody are shown: ${firstLine(error)}`);
    process.exitCode = 1;
    return undefined;
  }
}

async function lookAt(
  browser: Browser,
  wanted: readonly Place[],
  options: { url: string; theme: Theme; width: Width; state?: State },
  find?: Finder,
): Promise<void> {
  if (wanted.length === 0) return;
  await using look = await openLook(browser, options);
  look.page.setDefaultTimeout(10_000);
  // The answer of a page that is missing on purpose is looked at by its status.
  look.allow(/^(answer|console): .*\b(404|401)\b/);
  for (const place of wanted) {
    const name = `${place.name}-${options.theme}-${options.width}`;
    try {
      const path = typeof place.path === "string" ? place.path : await place.path(found(find));
      say(`${name}  ${path}`);
      const response = await visit(look.page, path).catch((error) => {
        say(`  ! never settled: ${firstLine(error)}`);
        return null;
      });
      const status = response?.status() ?? 200;
      if (status !== (place.status ?? 200)) {
        say(`  ! answers ${status}`);
        look.takeProblems();
        continue;
      }
      const landed = new URL(look.page.url()).pathname;
      if (landed !== path) say(`  ! leads to ${landed}`);
      await place.act?.(look.page).catch((error) => say(`  ! ${firstLine(error)}`));
      if (place.act !== undefined) await settled(look.page);
      say(`  ${await screenshot(look.page, name)}`);
      await report(look);
    } catch (error) {
      say(`${name}\n  ! ${firstLine(error)}`);
      look.takeProblems();
    }
  }
}

function found(find: Finder | undefined): Finder {
  if (find === undefined) throw new Error("a page for everybody has no id in its path");
  return find;
}

async function report(look: Look): Promise<void> {
  for (const problem of look.takeProblems()) say(`  ! ${problem}`);
  const wide = await look.page.evaluate<number>("document.documentElement.scrollWidth - innerWidth");
  if (wide > 0) say(`  ! is ${wide} pixels wider than the window`);
  if (values["no-axe"]) return;
  for (const { text } of await findings(look.page)) say(`  ${text.replaceAll("\n", "\n  ")}`);
}

const firstLine = (error: unknown) => String((error as Error).message ?? error).split("\n")[0];
const say = (line: string) => process.stdout.write(`${line}\n`);

await main().catch((error) => {
  process.stderr.write(`${firstLine(error)}\n`);
  process.exitCode = 1;
});
