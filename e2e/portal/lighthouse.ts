// Lighthouse on the pages that people see first: performance, accessibility and best practices, for a desk and for a
// telephone on a slow network. Prints a table; ends with 1 when a score is below 95.
//
//   npm run lighthouse -- <url> [--phone]
//
// Runs against a filled demonstration (`npm start -- --demo`). Measure on a machine that does nothing else: performance
// is time, and the least of three runs' noise is taken off by their median.

import { parseArgs } from "node:util";
import lighthouse, { desktopConfig } from "lighthouse";
import { chromium } from "playwright-core";
import { anna } from "../demo/people.ts";
import { signIn as signInAtTheEdge } from "../person.ts";
import { chromiumArguments } from "./browser.ts";
import { findChromium } from "./chromium.ts";
import { openLook, signIn } from "./page.ts";
import { finderOf } from "./pages.ts";

const categories = ["performance", "accessibility", "best-practices"] as const;
const least = 95;
const runs = 3;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { phone: { type: "boolean", default: false } },
});
const [url] = positionals;
if (url === undefined) throw new Error("Say where the portal is: npm run lighthouse -- http://127.0.0.1:8080");

const port = 9223;
const browser = await chromium.launch({
  executablePath: findChromium(),
  args: [...chromiumArguments, `--remote-debugging-port=${port}`],
});
try {
  await using look = await openLook(browser, { url });
  await signIn(look.page, anna);
  const cookies = await look.page.context().cookies();
  const cookie = cookies.map(({ name, value }) => `${name}=${value}`).join("; ");
  const find = finderOf(await signInAtTheEdge(url, anna));
  const places = [
    { name: "sign-in", path: "/sign-in", signedIn: false },
    { name: "documents", path: `/w/${await find.workspace()}`, signedIn: true },
    { name: "document", path: `/d/${await find.document("Quay 4 condition report")}`, signedIn: true },
  ];
  console.log(`Lighthouse, ${values.phone ? "telephone, slow 4G" : "desktop"}, median of ${runs} runs (least…most)`);
  for (const { name, path, signedIn } of places) {
    const scores = new Map<string, number[]>(categories.map((category) => [category, []]));
    const faults = new Set<string>();
    for (let run = 0; run < runs; run++) {
      const result = await lighthouse(
        new URL(path, url).href,
        {
          port,
          output: "json",
          logLevel: "error",
          onlyCategories: [...categories],
          disableStorageReset: true,
          ...(signedIn ? { extraHeaders: { Cookie: cookie } } : {}),
        },
        values.phone ? undefined : desktopConfig,
      );
      if (result === undefined) throw new Error(`Lighthouse gave no result for ${path}.`);
      for (const category of categories) {
        scores.get(category)?.push(Math.round((result.lhr.categories[category]?.score ?? 0) * 100));
        for (const { id, weight } of result.lhr.categories[category]?.auditRefs ?? []) {
          const audit = result.lhr.audits[id];
          if (weight > 0 && audit?.score !== null && audit !== undefined && audit.score < 0.9)
            faults.add(`${category}: ${audit.title}${audit.displayValue ? ` (${audit.displayValue})` : ""}`);
        }
      }
    }
    const cells = categories.map((category) => {
      const sorted = (scores.get(category) ?? []).toSorted((left, right) => left - right);
      const median = sorted[Math.floor(sorted.length / 2)] ?? 0;
      if (median < least) process.exitCode = 1;
      return `${category} ${median} (${sorted[0]}…${sorted.at(-1)})`;
    });
    console.log(`${name.padEnd(10)} ${cells.join("  ")}`);
    for (const fault of faults) console.log(`             ${fault}`);
  }
} finally {
  await browser.close();
}
