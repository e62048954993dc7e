// A large file through the portal in Chromium, with the line cut for ten seconds half-way: how fast, how much memory, how
// long the page was busy at a stretch, and whether the same bytes come down again.
//
//   node e2e/portal/upload_bench.ts http://127.0.0.1:8080 [--mib 1024] [--cut broken|silent|none] [--path /w/{workspace}]
//
// Signs somebody new up at that portal. Ends with 1 when the page was busy for more than 100 ms, when the upload needed
// somebody's help, or when the bytes differ.

import { createHash } from "node:crypto";
import { createWriteStream } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { availableParallelism, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { setTimeout as pause } from "node:timers/promises";
import { parseArgs } from "node:util";
import type { Browser, CDPSession, Page } from "playwright-core";
import { madeFile } from "../bytes.ts";
import { signUp } from "../person.ts";
import { launchBrowser } from "./browser.ts";
import { type CutKind, startCutProxy } from "./cut_proxy.ts";
import { openLook, signInByCall, visit } from "./page.ts";

const longestTaskMs = 100;
const cutMs = 10_000;
const sampleMs = 500;
const idleMs = 3000;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    mib: { type: "string", default: "1024" },
    cut: { type: "string", default: "broken" },
    path: { type: "string", default: "/w/{workspace}" },
  },
});
const [url = "http://127.0.0.1:8080"] = positionals;
const bytes = Number(values.mib) * 1024 * 1024;
const say = (line: string) => process.stdout.write(`${line}\n`);

/** What is known of the page's process at a moment, in MB. */
interface Sample {
  readonly heap: number;
  readonly renderer: number;
}

async function main(): Promise<boolean> {
  const folder = await mkdtemp(join(tmpdir(), "docket-upload-"));
  const browser = await launchBrowser();
  try {
    await using line = await startCutProxy(url);
    const person = await signUp(url, "Anna");
    const { workspace } = await person.workspaces.createWorkspace({ name: "Upload bench" });
    const file = madeFile(`upload bench ${Date.now()}`, bytes);
    const path = join(folder, "large.bin");
    await pipeline(Readable.from(file.chunks(0, 1024 * 1024)), createWriteStream(path));

    await using look = await openLook(browser, { url: line.url });
    const { page } = look;
    await page.addInitScript(observeTasks);
    await signInByCall(page, person);
    await visit(page, values.path.replace("{workspace}", workspace?.id ?? ""));
    const memory = await memoryOf(browser, page);
    // What loading the page took is not the upload's; and a machine that does other things makes every task longer.
    await page.evaluate("globalThis.longTasks.length = 0");
    await pause(idleMs);
    const idle = await page.evaluate<number[]>("globalThis.longTasks.splice(0)");

    say(
      `${values.mib} MiB through ${line.url}, ${values.cut === "none" ? "never cut" : `cut for ${cutMs / 1000} s half-way`}`,
    );
    const began = performance.now();
    await page.locator("input[data-uploads=files]").first().setInputFiles(path);
    const { samples, awayMs } = await followed(page, line, memory);
    const seconds = (performance.now() - began - awayMs) / 1000;

    const tasks = await page.evaluate<number[]>("globalThis.longTasks");
    const link = await page.locator("[data-state=done] a").first().getAttribute("href");
    const digest = await digestOf(await person.http(`/files/documents/${link?.split("/").at(-1) ?? ""}`));
    const longest = Math.max(0, ...tasks);
    const same = digest === file.sha256().toString("hex");
    say(
      `speed      ${(bytes / 2 ** 20 / seconds).toFixed(0)} MiB/s over ${seconds.toFixed(1)} s, without the time of the cut, until it is a document`,
    );
    say(
      `tasks      longest ${longest} ms, ${tasks.length} above 50 ms (idle before: ${Math.max(0, ...idle)} ms, load ${load()})`,
    );
    say(`JS heap    ${spread(samples.map(({ heap }) => heap))}`);
    say(`renderer   ${spread(samples.map(({ renderer }) => renderer))}, first half ${spread(firstHalf(samples))}`);
    say(`sockets    ${line.most} at most`);
    say(`SHA-256    ${same ? "agrees with the download" : "DIFFERS"}`);
    return same && longest <= longestTaskMs;
  } finally {
    await browser.close();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Looks until it is done, cuts the line half-way; gives the samples and how long the line was away. */
async function followed(
  page: Page,
  line: { cut(kind: CutKind): void; mend(): void },
  memory: () => Promise<Sample>,
): Promise<{ samples: Sample[]; awayMs: number }> {
  const samples: Sample[] = [];
  let awayMs = values.cut === "none" ? -1 : 0;
  for (;;) {
    const { share, done, failed } = await page.evaluate<{ share: number; done: boolean; failed: string }>(standing);
    if (failed !== "") throw new Error(`The upload asks for help: ${failed}`);
    samples.push(await memory());
    if (done) return { samples, awayMs: Math.max(0, awayMs) };
    if (share >= 50 && awayMs === 0) {
      say("           cut");
      line.cut(values.cut === "silent" ? "silent" : "broken");
      await pause(cutMs);
      const text = await page
        .locator("[data-state=stalled]")
        .first()
        .textContent({ timeout: 1000 })
        .catch(() => "");
      line.mend();
      awayMs = cutMs;
      say(`           mended; the page said: ${text || "nothing"}`);
    }
    await pause(sampleMs);
  }
}

// Evaluated as text, since these sources are checked without the names of a browser.
const observeTasks = `
  globalThis.longTasks = [];
  new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) globalThis.longTasks.push(duration);
  }).observe({ type: "longtask" });
`;
const standing = `({
  share: Number(document.querySelector('section [role=progressbar]')?.getAttribute("aria-valuenow") ?? 0),
  done: document.querySelector('[data-state=done] a') !== null,
  failed: document.querySelector('[data-state=failed], [data-state=signedOut], [data-state=asking]')?.textContent ?? "",
})`;

/** A way to ask for the page's heap and for the memory of its process (the latter on Linux only). */
async function memoryOf(browser: Browser, page: Page): Promise<() => Promise<Sample>> {
  const session: CDPSession = await page.context().newCDPSession(page);
  const whole = await browser.newBrowserCDPSession();
  const { processInfo } = await whole.send("SystemInfo.getProcessInfo");
  const renderers = processInfo.filter(({ type }) => type === "renderer").map(({ id }) => id);
  return async () => {
    const { usedSize } = await session.send("Runtime.getHeapUsage");
    // Chromium keeps a spare one; the page's is the larger.
    const sizes = await Promise.all(renderers.map(privateMb));
    return { heap: usedSize / 1e6, renderer: Math.max(...sizes) };
  };
}

/** The memory that is a process's own: without the files of the browser itself (proc(5)). */
async function privateMb(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
  const kilobytes = (name: string) => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1] ?? 0);
  return ((kilobytes("RssAnon") + kilobytes("RssShmem")) * 1024) / 1e6;
}

/** How many processes want each processor. */
function load(): string {
  return ((loadavg()[0] ?? 0) / availableParallelism()).toFixed(1);
}

function firstHalf(samples: readonly Sample[]): number[] {
  return samples.slice(0, Math.ceil(samples.length / 2)).map(({ renderer }) => renderer);
}

function spread(figures: readonly number[]): string {
  const sorted = [...figures].sort((one, other) => one - other);
  const [min = 0, median = 0, max = 0] = [sorted[0], sorted[Math.floor(sorted.length / 2)], sorted.at(-1)];
  return `min ${min.toFixed(0)}, median ${median.toFixed(0)}, max ${max.toFixed(0)} MB`;
}

async function digestOf(response: Response): Promise<string> {
  if (!response.ok || response.body === null) throw new Error(`The download answered ${response.status}.`);
  const hash = createHash("sha256");
  for await (const chunk of response.body) hash.update(chunk);
  return hash.digest("hex");
}

process.exitCode = (await main()) ? 0 : 1;
