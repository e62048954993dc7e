// A list of 10,000 documents in Chromium, scrolled from top to bottom and then jumped through: how long the page was
// busy at a stretch, how long frames took, how many rows exist at most, and how much memory it takes.
//
//   npm run bench:scroll -- http://127.0.0.1:8080 [--documents 10000] [--workspace <id>] [--email … --password …]
//
// Signs somebody new up and fills a workspace of theirs, or uses the one that is named. Ends with 1 when a task was
// longer than 100 ms while the list was scrolled.

import { availableParallelism, loadavg } from "node:os";
import { setTimeout as pause } from "node:timers/promises";
import { parseArgs } from "node:util";
import type { Page } from "playwright-core";
import { handOf, upload } from "../demo/client.ts";
import { type Person, signIn, signUp } from "../person.ts";
import { launchBrowser } from "./browser.ts";
import { openLook, signInByCall, visit } from "./page.ts";

const longestTaskMs = 100;
const atOnce = 8;
const jumps = 30;
/** How long scrolling through everything may take. */
const patienceMs = 180_000;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    documents: { type: "string", default: "10000" },
    workspace: { type: "string" },
    email: { type: "string" },
    password: { type: "string" },
  },
});
const [url = "http://127.0.0.1:8080"] = positionals;
const count = Number(values.documents);
const say = (line: string) => process.stdout.write(`${line}\n`);

/** What a page's own observers saw. */
interface Seen {
  readonly tasks: number[];
  readonly frames: number[];
  readonly rows: number;
}

async function main(): Promise<boolean> {
  const { email, password } = values;
  const person = email && password ? await signIn(url, { email, password }) : await signUp(url, "Scroll");
  const workspaceId = values.workspace ?? (await person.workspaces.createWorkspace({ name: "Long" })).workspace?.id;
  if (workspaceId === undefined) throw new Error("There is no workspace.");
  await fill(person, workspaceId);

  const browser = await launchBrowser();
  try {
    await using look = await openLook(browser, { url, width: 1600 });
    const { page } = look;
    await page.addInitScript(observe);
    await signInByCall(page, person);
    const opening = performance.now();
    await visit(page, `/w/${workspaceId}`);
    say(`opened     in ${Math.round(performance.now() - opening)} ms`);
    const heap = await heapOf(page);
    const before = await heap();
    await page.evaluate("observed.take()");
    await pause(2000);
    report("idle", await page.evaluate<Seen>("observed.take()"));

    const began = performance.now();
    await page.evaluate(scrollDown);
    say(`read       all pages within ${((performance.now() - began) / 1000).toFixed(1)} s of scrolling`);
    const scrolled = await page.evaluate<Seen>("observed.take()");
    report("scrolled", scrolled);
    await page.evaluate(jumpAround);
    const jumped = await page.evaluate<Seen>("observed.take()");
    report("jumped", jumped);
    say(`JS heap    ${before.toFixed(0)} MB with the first page, ${(await heap()).toFixed(0)} MB with all`);
    say(`load       ${((loadavg()[0] ?? 0) / availableParallelism()).toFixed(1)} for each processor`);
    for (const problem of look.takeProblems()) say(`problem    ${problem}`);
    return Math.max(0, ...scrolled.tasks, ...jumped.tasks) <= longestTaskMs;
  } finally {
    await browser.close();
  }
}

/** Makes as many documents as are missing, all of the same few bytes. */
async function fill(person: Person, workspaceId: string): Promise<void> {
  const hand = handOf(url, person.secret);
  const bytes = new Uint8Array(Buffer.from("A short note.\n"));
  const name = (index: number) => `Document ${String(index).padStart(6, "0")}`;
  let next = 0;
  for (let pageToken = ""; ; ) {
    const parent = { case: "workspaceId", value: workspaceId } as const;
    const page = await person.documents.listDocuments({ parent, pageSize: 200, pageToken });
    next += page.documents.length;
    pageToken = page.nextPageToken;
    if (pageToken === "") break;
  }
  const began = performance.now();
  const missing = Math.max(0, count - next);
  const lane = async () => {
    for (let index = next++; index < count; index = next++) {
      const uploadId = await upload(hand, { workspaceId, name: "note.txt", mediaType: "text/plain", bytes });
      const parent = { case: "workspaceId", value: workspaceId } as const;
      await person.documents.createDocument({ parent, uploadId, title: name(index) });
    }
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
  say(
    `workspace  ${workspaceId} of ${person.email} with ${person.password}; ${missing} documents made in ${((performance.now() - began) / 1000).toFixed(0)} s`,
  );
}

// Evaluated as text, since these sources are checked without the names of a browser.
const observe = `
  globalThis.observed = { tasks: [], frames: [], rows: 0 };
  new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) observed.tasks.push(duration);
  }).observe({ type: "longtask" });
  let last = performance.now();
  requestAnimationFrame(function frame(now) {
    observed.frames.push(now - last);
    last = now;
    observed.rows = Math.max(observed.rows, document.querySelectorAll("[role=grid] [role=row]").length);
    requestAnimationFrame(frame);
  });
  observed.take = () => {
    const { tasks, frames, rows } = observed;
    Object.assign(observed, { tasks: [], frames: [], rows: 0 });
    return { tasks, frames, rows };
  };
`;

/** As a wheel does, 400 pixels for each frame, until the end stays the end and all pages are read. */
const scrollDown = `(async () => {
  const grid = document.querySelector("[role=grid]");
  const frame = () => new Promise((done) => requestAnimationFrame(done));
  const atEnd = () => grid.scrollTop + grid.clientHeight >= grid.scrollHeight - 2;
  const giveUpAt = performance.now() + ${patienceMs};
  for (let still = 0; still < 30; ) {
    if (performance.now() > giveUpAt) {
      const { scrollTop, clientHeight, scrollHeight } = grid;
      const place = scrollTop + " + " + clientHeight + " of " + scrollHeight + " pixels";
      throw new Error("There is no end that stays, at " + place + "; rows: " + grid.getAttribute("aria-rowcount"));
    }
    grid.scrollTop += 400;
    await frame();
    still = atEnd() && grid.getAttribute("aria-rowcount") !== "-1" ? still + 1 : 0;
  }
})()`;

/** To places far apart, half a second at each. */
const jumpAround = `(async () => {
  const grid = document.querySelector("[role=grid]");
  for (let jump = 0; jump < ${jumps}; jump += 1) {
    grid.scrollTop = ((jump * 7919) % 1000) / 1000 * grid.scrollHeight;
    await new Promise((done) => setTimeout(done, 200));
    if (grid.querySelectorAll("[role=row]").length < 5) throw new Error("Nothing is shown there.");
  }
})()`;

/** The page's heap in MB, after what nobody holds was collected. */
async function heapOf(page: Page): Promise<() => Promise<number>> {
  const session = await page.context().newCDPSession(page);
  return async () => {
    await session.send("HeapProfiler.collectGarbage");
    return (await session.send("Runtime.getHeapUsage")).usedSize / 1e6;
  };
}

function report(what: string, { tasks, frames, rows }: Seen): void {
  const sorted = frames.toSorted((one, other) => one - other);
  const at = (share: number) => (sorted[Math.floor((sorted.length - 1) * share)] ?? 0).toFixed(0);
  say(
    `${what.padEnd(10)} ${tasks.length} tasks above 50 ms, the longest ${Math.max(0, ...tasks)} ms; ${frames.length} frames: median ${at(0.5)}, 95 % ${at(0.95)}, longest ${at(1)} ms; ${rows} rows at most`,
  );
}

process.exitCode = (await main()) ? 0 : 1;
