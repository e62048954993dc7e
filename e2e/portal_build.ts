// The portal's build, made once and kept: web/.output holds a folder for each state of the sources that was built, and
// build.json names the last. A portal that runs keeps its own, whatever is built beside it.

import { spawn } from "node:child_process";
import { createHash, randomUUID } from "node:crypto";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { copyFile, mkdir, open, readdir, readFile, rename, rm, stat, utimes, writeFile } from "node:fs/promises";
import { setPriority } from "node:os";
import { join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { stripVTControlCharacters } from "node:util";
import { StartError } from "@docket/runtime/errors";
import { withBuildLock } from "./portal_lock.ts";

const root = fileURLToPath(new URL("..", import.meta.url));

/** What a build is made from: nothing else may change what comes out. */
const sources = [
  "web/app",
  "web/build",
  "web/i18n",
  "web/modules",
  "web/public",
  "web/server",
  "web/shared",
  "web/nuxt.config.ts",
  "web/package.json",
  "web/process/build.ts",
  "contracts",
  "package-lock.json",
];

/** How many builds are kept: a portal that runs may still read files of an older one. */
const kept = 3;

export interface BuildOptions {
  /** Told what is being done, in a sentence or so. Default: standard error. */
  readonly say?: (line: string) => void;
  /** Ends the build. */
  readonly signal?: AbortSignal;
  /** Where builds are kept. Default: web/.output. */
  readonly output?: string;
}

/**
 * The folder of a build of the present sources, which is made where there is none. Safe to be called by several
 * processes at once: one builds, the others wait for it. Throws StartError with the end of the build's own output.
 */
export async function buildPortal(options: BuildOptions = {}): Promise<string> {
  const { say = (line) => process.stderr.write(`${line}\n`), signal, output = join(root, "web", ".output") } = options;
  const digest = await digestOfSources();
  const folder = join(output, digest);
  if (await isPresent(folder)) return folder;
  await mkdir(output, { recursive: true });
  return await withBuildLock(join(output, "build.lock"), { say, ...(signal && { signal }) }, async () => {
    // Whoever held the lock before may have made it.
    if (await isPresent(folder)) return folder;
    say("Building the portal (once, about a minute)…");
    for (const path of [output, join(root, "web")]) await removeLeftovers(path);
    const name = `.staging-${randomUUID().slice(0, 8)}`;
    // The result lies where it stays, for the rename; what is in between lies where Nuxt finds its modules.
    const [staging, between] = [join(output, name), join(root, "web", name)];
    try {
      await mkdir(staging, { recursive: true });
      await runBuild(staging, between, { say, signal, failed: join(output, "failed.log") });
      await rename(staging, folder);
      await writeAtomically(join(output, "build.json"), `${JSON.stringify({ digest, folder: digest })}\n`);
    } finally {
      for (const path of [staging, between]) await rm(path, { recursive: true, force: true, maxRetries: 5 });
    }
    await forgetOld(output, digest);
    return folder;
  });
}

/** A digest of all that goes into a build. */
export async function digestOfSources(): Promise<string> {
  const hash = createHash("sha256");
  const paths = (await Promise.all(sources.map((source) => filesBelow(join(root, source))))).flat().sort();
  for (const path of paths) {
    const content = await readFile(path);
    hash.update(`${relative(root, path).split(sep).join("/")}\n${content.byteLength}\n`).update(content);
  }
  return hash.digest("hex").slice(0, 16);
}

async function filesBelow(path: string): Promise<string[]> {
  if (!existsSync(path)) return [];
  if ((await stat(path)).isFile()) return [path];
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && !/\.(test|spec)\.[a-z]+$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => !/[\\/](node_modules|\.[^\\/]+)[\\/]/.test(relative(path, file)));
}

/** Also marks the build as used just now. */
async function isPresent(folder: string): Promise<boolean> {
  if (!existsSync(join(folder, "server", "index.mjs"))) return false;
  const now = new Date();
  // In an image the folder may be for reading only.
  await utimes(folder, now, now).catch(() => undefined);
  return true;
}

interface RunOptions {
  readonly say: (line: string) => void;
  readonly signal: AbortSignal | undefined;
  /** Where the log goes when the build fails. */
  readonly failed: string;
}

const progressMs = 5000;

async function runBuild(staging: string, between: string, { say, signal, failed }: RunOptions): Promise<void> {
  // Nuxt empties the folder for the result.
  const logPath = `${between}.log`;
  await using log = await open(logPath, "w");
  const script = join(root, "web", "process", "build.ts");
  const child = spawn(process.execPath, ["--max-old-space-size=2048", script, staging, between], {
    cwd: join(root, "web"),
    env: { ...process.env, NODE_ENV: "production", NUXT_TELEMETRY_DISABLED: "1", NO_COLOR: "1" },
    stdio: ["ignore", log.fd, log.fd, "ipc"],
    ...(signal && { signal }),
  });
  const started = performance.now();
  let stage = "";
  const tell = () => say(`  ${Math.round((performance.now() - started) / 1000)} s: ${stage}`);
  const timer = setInterval(tell, progressMs);
  child.on("message", (message: { readonly stage?: unknown }) => {
    if (typeof message.stage !== "string") return;
    stage = message.stage;
    tell();
  });
  try {
    if (child.pid !== undefined) yieldToOthers(child.pid);
    const [code, ended] = await once(child, "exit");
    if (code === 0 && existsSync(join(staging, "server", "index.mjs"))) {
      await copyFile(logPath, join(staging, "build.log"));
      say(`  ${Math.round((performance.now() - started) / 1000)} s: built`);
      return;
    }
    const text = await readFile(logPath, "utf8");
    await writeFile(failed, text);
    const why = ended === "SIGKILL" ? "was killed, perhaps for want of memory (it takes 2 GB)" : `failed (${code})`;
    throw new StartError(`The portal's build ${why}; all that it said is in ${failed}:\n${lastLines(text)}`);
  } finally {
    clearInterval(timer);
    await rm(logPath, { force: true });
  }
}

/** Whatever else the machine does goes first. */
function yieldToOthers(pid: number): void {
  try {
    setPriority(pid, 5);
  } catch {
    // It is only a courtesy.
  }
}

function lastLines(text: string): string {
  return stripVTControlCharacters(text).trimEnd().split("\n").slice(-25).join("\n");
}

/** What builds left behind that were killed: whoever holds the lock is the only one. */
async function removeLeftovers(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (/^\.staging-[0-9a-f]{8}(\.log)?$/.test(name)) await rm(join(folder, name), { recursive: true, force: true });
  }
}

async function writeAtomically(path: string, text: string): Promise<void> {
  const draft = `${path}.${randomUUID().slice(0, 8)}`;
  await writeFile(draft, text);
  await rename(draft, path);
}

async function forgetOld(output: string, newest: string): Promise<void> {
  const names = (await readdir(output)).filter((name) => /^[0-9a-f]{16}$/.test(name) && name !== newest);
  const used = await Promise.all(names.map(async (name) => ({ name, at: (await stat(join(output, name))).mtimeMs })));
  used.sort((a, b) => b.at - a.at);
  for (const { name } of used.slice(kept - 1)) {
    await rm(join(output, name), { recursive: true, force: true }).catch(() => undefined);
  }
}
