// Projects of strangers: a folder of its own outside this workspace, with `proto/`, the packages and templates of
// examples/consumer/<language>, and the two programs. Nothing in it knows Docket but by what `buf generate` made there.

import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { cp, mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from "node:fs/promises";
import { tmpdir, userInfo } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { eventually } from "@docket/runtime/testing/eventually";

/** In which languages there are clients. */
export const languages = ["typescript", "go", "python"] as const;
export type Language = (typeof languages)[number];

/** A project that is ready to run. */
export interface ClientProject {
  readonly language: Language;
  readonly folder: string;
  /** The main job: a command and its arguments. It takes DOCKET_URL. */
  readonly journey: readonly string[];
  /** The consumer of examples/consumer. It takes DOCKET_URL, DOCKET_KEY, DOCKET_WORKSPACE and the path of its output. */
  readonly consumer: readonly string[];
}

interface Recipe {
  /** Where the journey's file goes. */
  readonly place: string;
  /** What the machine must have, in words, and a command that succeeds where it is. */
  readonly needs: readonly [string, ...string[]];
  /** From the sources to what runs, in order. */
  readonly steps: readonly (readonly string[])[];
  readonly journey: readonly string[];
  readonly consumer: readonly string[];
}

const root = fileURLToPath(new URL("../../", import.meta.url));
const bin = join(root, "node_modules", ".bin");
const types = [
  "--ignoreConfig",
  "--noEmit",
  "--strict",
  "--skipLibCheck",
  "--target",
  "esnext",
  "--module",
  "nodenext",
];
const nodeTypes = ["--allowImportingTsExtensions", "--types", "node", "--typeRoots", join(root, "node_modules/@types")];

const recipes: Record<Language, Recipe> = {
  typescript: {
    place: ".",
    needs: ["npm", "npm", "--version"],
    steps: [
      ["npm", "ci", "--no-audit", "--no-fund", "--prefer-offline", "--loglevel=error"],
      ["npx", "buf", "generate"],
      ["tsc", ...types, ...nodeTypes, "journey.ts", "consumer.ts"],
    ],
    journey: [process.execPath, "journey.ts"],
    consumer: [process.execPath, "consumer.ts"],
  },
  go: {
    place: "journey",
    needs: ["Go 1.26 or newer", "go", "list", "-m"],
    steps: [
      ["buf", "generate"],
      ["go", "build", "-o", "bin/", ".", "./journey"],
    ],
    journey: ["bin/journey"],
    consumer: ["bin/client"],
  },
  python: {
    place: ".",
    needs: [
      "Python 3.10 or newer with pip",
      "python3",
      "-c",
      "import pip, sys, venv; sys.exit(sys.version_info < (3, 10))",
    ],
    steps: [
      ["python3", "-m", "venv", "--without-pip", ".venv"],
      ["pip3", "--python", ".venv/bin/python", "install", "--quiet", "--requirement", "requirements.txt"],
      ["buf", "generate"],
    ],
    journey: [".venv/bin/python", "journey.py"],
    consumer: [".venv/bin/python", "consumer.py"],
  },
};

/** What is missing here for a language, as a sentence; undefined: nothing. In CI nothing may be missing. */
export function missingFor(language: Language): string | undefined {
  const [words, command = "", ...rest] = recipes[language].needs;
  const cwd = join(root, "examples/consumer", language);
  const { status } = spawnSync(command, rest, { cwd, env: environmentOf(cwd), stdio: "ignore" });
  if (status === 0) return undefined;
  const sentence = `The clients in ${language} need ${words}, which is not on this machine.`;
  if (process.env.CI) throw new Error(sentence);
  return `${sentence} SKIPPED: nothing was shown for ${language}.`;
}

/**
 * Makes the project, or finds the one that was made of the same sources. Packages come from the caches of npm, Go and pip.
 * Throws with the output of the step that failed.
 */
export async function prepare(language: Language): Promise<ClientProject> {
  const recipe = recipes[language];
  const sources = [
    { from: join(root, "proto"), to: "proto" },
    { from: join(root, "examples/consumer", language), to: "." },
    { from: join(root, "e2e/clients", language), to: recipe.place },
  ];
  const home = join(tmpdir(), `docket-clients-${userInfo().uid}`);
  await mkdir(home, { recursive: true, mode: 0o700 });
  const folder = join(
    home,
    `${language}-${await digestOf(
      recipe,
      sources.map(({ from }) => from),
    )}`,
  );
  await onceAmongProcesses(folder, async () => {
    await forgetOld(home, language);
    const draft = `${folder}.draft`;
    await rm(draft, { recursive: true, force: true });
    for (const { from, to } of sources) await cp(from, join(draft, to), { recursive: true });
    for (const step of recipe.steps) await run(step, draft);
    await rename(draft, folder);
  });
  return { language, folder, journey: recipe.journey, consumer: recipe.consumer };
}

/** Starts a program of a project, in its folder. */
export function launch(
  project: ClientProject,
  command: readonly string[],
  settings: Record<string, string>,
): ChildProcess {
  const [program = "", ...rest] = command;
  const env = { ...environmentOf(project.folder), ...settings };
  return spawn(program, rest, { cwd: project.folder, env, stdio: ["ignore", "pipe", "pipe"] });
}

/** Runs the main job of a project against an edge, and says what the program says. Throws when it fails. */
export async function runClient(project: ClientProject, url: string, log: (line: string) => void): Promise<void> {
  const child = launch(project, project.journey, { DOCKET_URL: url });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding("utf8").on("data", (text: string) => {
      said += text;
      for (const line of text.split("\n")) if (line !== "") log(`${project.language}: ${line}`);
    });
  }
  const [code] = await once(child, "close");
  if (code !== 0) throw new Error(`The client in ${project.language} ended with ${code}:\n${said}`);
}

function environmentOf(folder: string): NodeJS.ProcessEnv {
  return {
    ...process.env,
    PATH: [join(folder, ".venv/bin"), bin, process.env.PATH ?? ""].join(delimiter),
    // Jest's flags for modules are not for the programs that it starts.
    NODE_OPTIONS: "",
    PYTHONUNBUFFERED: "1",
    // One way of building for plugins, checks and programs alike, whatever the folder: Go's cache then serves them all.
    GOFLAGS: `${process.env.GOFLAGS ?? ""} -trimpath`.trim(),
    GOWORK: "off",
    CGO_ENABLED: "0",
  };
}

async function run(step: readonly string[], cwd: string): Promise<void> {
  const [program = "", ...rest] = step;
  const child = spawn(program, rest, { cwd, env: environmentOf(cwd), stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      said += text;
    });
  }
  const [code] = await once(child, "close");
  if (code !== 0) throw new Error(`\`${step.join(" ")}\` in ${cwd} ended with ${code}:\n${said}`);
}

async function digestOf(recipe: Recipe, folders: readonly string[]): Promise<string> {
  const hash = createHash("sha256").update(JSON.stringify(recipe));
  for (const folder of folders) {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
    for (const path of paths.sort()) hash.update(path.slice(root.length)).update(await readFile(path));
  }
  return hash.digest("hex").slice(0, 16);
}

/** Lets one process make a folder while others that want the same wait for it. */
async function onceAmongProcesses(folder: string, make: () => Promise<void>): Promise<void> {
  const lock = `${folder}.lock`;
  const take = () => succeeds(writeFile(lock, String(process.pid), { flag: "wx" }));
  const made = await eventually(
    async () => {
      if (await succeeds(stat(folder))) return "made";
      if (await take()) return "mine";
      const holder = Number(await readFile(lock, "utf8").catch(() => ""));
      if (holder > 0 && !isRunning(holder)) await rm(lock, { force: true });
      return false;
    },
    { timeoutMs: 600_000, intervalMs: 200 },
  );
  if (made === "made") return await utimes(folder, new Date(), new Date());
  try {
    if (!(await succeeds(stat(folder)))) await make();
  } finally {
    await rm(lock, { force: true });
  }
}

async function succeeds(work: Promise<unknown>): Promise<boolean> {
  return await work.then(
    () => true,
    () => false,
  );
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Projects of sources that are no more: those that nobody made or used for an hour. */
async function forgetOld(home: string, language: Language): Promise<void> {
  for (const name of await readdir(home)) {
    const path = join(home, name);
    const age =
      Date.now() -
      (await stat(path).then(
        ({ mtimeMs }) => mtimeMs,
        () => Date.now(),
      ));
    if (name.startsWith(language) && age > 3600_000) await rm(path, { recursive: true, force: true });
  }
}
