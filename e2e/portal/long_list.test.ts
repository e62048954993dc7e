// A list longer than its window, scrolled to the end as a wheel does: the end is reached, and stays where it is.

import { describe, expect, it } from "@jest/globals";
import { newcomer } from "./newcomer.ts";
import { visit } from "./page.ts";
import { look } from "./world.ts";

const folders = 130;

/** What is seen of the list in each frame at its end. */
interface Seen {
  readonly below: number;
  readonly height: number;
  readonly rows: string;
}

// Evaluated as text, since these sources are checked without the names of a browser.
const scrollPastTheEnd = `(async () => {
  const grid = document.querySelector("[role=grid]");
  const seen = [];
  for (let frame = 0; frame < 60; frame += 1) {
    grid.scrollTop += 400;
    await new Promise((done) => requestAnimationFrame(done));
    const { scrollTop, clientHeight, scrollHeight } = grid;
    const below = Math.round(scrollHeight - clientHeight - scrollTop);
    seen.push({ below, height: scrollHeight, rows: grid.getAttribute("aria-rowcount") });
  }
  return seen;
})()`;

describe("a list longer than its window", () => {
  it("has an end that stays the end, whether somebody likes movement or not", async () => {
    const person = await newcomer("Quinn");
    const parent = { case: "workspaceId", value: person.workspaceId } as const;
    await Promise.all(
      Array.from({ length: folders }, (_, at) =>
        person.folders.createFolder({ parent, name: `Drawer ${String(at).padStart(3, "0")}` }),
      ),
    );
    const { page } = await look({ as: person });
    for (const reducedMotion of ["reduce", "no-preference"] as const) {
      await page.emulateMedia({ reducedMotion });
      await visit(page, `/w/${person.workspaceId}`);
      const seen = (await page.evaluate<Seen[]>(scrollPastTheEnd)).slice(-30);
      const height = seen[0]?.height;
      expect(seen).toEqual(seen.map(() => ({ below: 0, height, rows: String(folders + 1) })));
      expect(await page.getByRole("row", { name: `Drawer ${folders - 1}` }).isVisible()).toBe(true);
    }
  });
});
