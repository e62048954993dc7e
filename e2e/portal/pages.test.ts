// Every page of the portal, in both themes and on narrow and wide windows: accessible, quiet in the log, and no wider
// than its window. The list of pages is pages.ts.

import { describe, expect, it } from "@jest/globals";
import { anna } from "../demo/people.ts";
import { axe, type Look, screenshot, settled, type Theme, visit, type Width } from "./page.ts";
import { type Place, places } from "./pages.ts";
import { portray } from "./readme_screenshot.ts";
import { find, look } from "./world.ts";

const looks = [
  ["light", 390],
  ["light", 1024],
  ["dark", 1024],
] as const;

it("makes the picture for the README", async () => {
  const { page } = await look({ as: anna, width: 1600 });
  await portray(page, await find(anna));
});

describe.each(looks)("every page, in %s at %d pixels,", (theme, width) => {
  it("shows nothing wrong to somebody who is not signed in", async () => {
    const opened = await look({ theme, width });
    await lookAtEach(opened, theme, width, true);
  }, 120_000);

  it("shows nothing wrong to a member", async () => {
    const opened = await look({ theme, width, as: anna });
    await lookAtEach(opened, theme, width, false);
  }, 240_000);
});

/** Documents whose page differs from that of the PDF in the preview alone are looked at once. */
const variants = /^document-(image|drawing|table|code|text|video|audio|office|archive)$/;

/** One after the other in the same window; what is wrong is told of all of them at once. */
async function lookAtEach(opened: Look, theme: Theme, width: Width, anonymous: boolean): Promise<void> {
  const { page, allow } = opened;
  // What is missing, and who is refused, is so on purpose.
  allow(/^(answer|console): .*\b(404|401)\b/);
  const wrong: string[] = [];
  const first = theme === "light" && width === 1024;
  const wanted = places.filter(
    (each) => (each.anonymous === true) === anonymous && (first || !variants.test(each.name)),
  );
  for (const place of wanted) {
    const faults = await faultsOf(opened, place).catch((error) => [String((error as Error).message)]);
    if (faults.length === 0) continue;
    wrong.push(`${place.name}:`, ...faults.map((line) => `  ${line}`));
    await screenshot(page, `pages-${place.name}-${theme}-${width}`);
  }
  expect(wrong.join("\n")).toBe("");
}

async function faultsOf({ page, takeProblems }: Look, place: Place): Promise<string[]> {
  const path = typeof place.path === "string" ? place.path : await place.path(await find(anna));
  const response = await visit(page, path);
  const faults: string[] = [];
  const status = response?.status();
  if (status !== (place.status ?? 200)) faults.push(`answers ${status}`);
  await place.act?.(page);
  if (place.act !== undefined) await settled(page);
  await axe(page).catch((error) => faults.push(String((error as Error).message)));
  const wide = await page.evaluate<number>("document.documentElement.scrollWidth - innerWidth");
  if (wide > 0) faults.push(`is ${wide} pixels wider than the window`);
  // A document may have headings of its own.
  const headings = await page.evaluate<number>(
    "[...document.querySelectorAll('h1')].filter((each) => !each.closest('article')).length",
  );
  if (headings !== 1) faults.push(`has ${headings} first headings`);
  return [...faults, ...takeProblems()];
}
