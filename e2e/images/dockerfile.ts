// Reads a Dockerfile and does in plain folders what it says, for machines without a container engine: each stage is a
// folder, COPY copies, RUN runs in a shell. Enough for ours, and it refuses what it does not know.

import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { cp, mkdir, readFile, stat } from "node:fs/promises";
import { basename, join, matchesGlob, relative, sep } from "node:path";
import { promisify } from "node:util";

/** One instruction, its continued lines put together. */
export interface Instruction {
  readonly name: string;
  readonly text: string;
}

/** A stage: where it begins, what it is called, what it does. */
export interface Stage {
  readonly from: string;
  readonly name: string;
  readonly instructions: readonly Instruction[];
}

/** A Dockerfile in parts. */
export interface Dockerfile {
  /** ARGs before the first stage, with their defaults. */
  readonly globals: ReadonlyMap<string, string>;
  readonly stages: readonly Stage[];
}

/** Reads the text of a Dockerfile. Throws for what is no instruction. */
export function parseDockerfile(text: string): Dockerfile {
  const lines = text
    .split("\n")
    .filter((line) => !/^\s*#/.test(line))
    .join("\n")
    .replaceAll(/\\\n/g, " ")
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
  const globals = new Map<string, string>();
  const stages: { from: string; name: string; instructions: Instruction[] }[] = [];
  for (const line of lines) {
    const [, name = "", rest = ""] = /^([A-Z]+)\s+(.*)$/.exec(line) ?? [];
    if (name === "") throw new Error(`This is no instruction: ${line}`);
    const last = stages.at(-1);
    if (name === "FROM") {
      const [, from = "", alias = ""] = /^(\S+)(?:\s+AS\s+(\S+))?$/.exec(rest) ?? [];
      stages.push({ from, name: alias, instructions: [] });
    } else if (last === undefined) {
      const [key = "", value = ""] = rest.split("=", 2);
      globals.set(key, value);
    } else {
      last.instructions.push({ name, text: rest });
    }
  }
  return { globals, stages };
}

/** What a stage leaves behind. */
export interface Built {
  /** The folder that stands for `/`. */
  readonly root: string;
  /** Inside of it, with a slash at the front. */
  readonly workdir: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly user: string;
  readonly labels: string;
  readonly entrypoint: readonly string[];
  readonly healthcheck: readonly string[];
}

export interface BuildOptions {
  readonly dockerfile: Dockerfile;
  /** The build's context, and where stages go. */
  readonly context: string;
  readonly into: string;
  /** `--build-arg`. */
  readonly args: Readonly<Record<string, string>>;
  /** For what RUN runs. */
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** Builds the last stage, and those that it needs. Base images are empty folders: what runs in them comes from here. */
export async function buildImage(options: BuildOptions): Promise<Built> {
  const { dockerfile, args, into } = options;
  const globals = { ...Object.fromEntries(dockerfile.globals), ...args };
  const ignored = await readIgnored(options.context);
  const done = new Map<string, Promise<Built>>();
  const build = (name: string): Promise<Built> => {
    const stage = dockerfile.stages.find((one) => one.name === name);
    if (stage === undefined) throw new Error(`There is no stage ${name}.`);
    const known = done.get(name) ?? runStage(stage, globals, { ...options, ignored, build, root: join(into, name) });
    done.set(name, known);
    return known;
  };
  return await build(dockerfile.stages.at(-1)?.name ?? "");
}

interface Running extends BuildOptions {
  readonly root: string;
  readonly ignored: readonly string[];
  readonly build: (stage: string) => Promise<Built>;
}

async function runStage(stage: Stage, globals: Readonly<Record<string, string>>, running: Running): Promise<Built> {
  const from = filled(stage.from, globals);
  const inherited = running.dockerfile.stages.some(({ name }) => name === from) ? await running.build(from) : undefined;
  await mkdir(running.root, { recursive: true });
  if (inherited !== undefined) await cp(inherited.root, running.root, { recursive: true, verbatimSymlinks: true });
  let variables: Record<string, string> = { ...inherited?.environment };
  let built: Built = {
    root: running.root,
    workdir: inherited?.workdir ?? "/",
    environment: { ...inherited?.environment },
    user: inherited?.user ?? "0:0",
    labels: "",
    entrypoint: [],
    healthcheck: [],
  };
  for (const { name, text } of stage.instructions) {
    const value = filled(text, variables);
    const here = join(running.root, built.workdir);
    if (name === "ARG") {
      const [key = "", fallback = ""] = text.split("=", 2);
      variables = { ...variables, [key]: globals[key] ?? fallback };
    } else if (name === "ENV") {
      const pairs = Object.fromEntries([...value.matchAll(/(\w+)=(\S+)/g)].map(([, key, word]) => [key, word]));
      built = { ...built, environment: { ...built.environment, ...pairs } };
      variables = { ...variables, ...pairs };
    } else if (name === "WORKDIR") {
      built = { ...built, workdir: value };
      await mkdir(join(running.root, value), { recursive: true });
    } else if (name === "COPY") {
      await copy(value, here, running);
    } else if (name === "RUN") {
      await run(text.replace(/^(--mount=\S+\s+)+/, ""), here, { ...running.environment, ...variables });
    } else if (name === "USER") {
      built = { ...built, user: value };
    } else if (name === "LABEL") {
      built = { ...built, labels: value };
    } else if (name === "ENTRYPOINT") {
      built = { ...built, entrypoint: JSON.parse(value) as string[] };
    } else if (name === "HEALTHCHECK") {
      built = { ...built, healthcheck: JSON.parse(value.slice(value.indexOf("["))) as string[] };
    } else if (name !== "STOPSIGNAL") {
      throw new Error(`Nobody knows here what ${name} does.`);
    }
  }
  return built;
}

async function copy(text: string, here: string, running: Running): Promise<void> {
  const words = text.split(/\s+/);
  const stage = words[0]?.match(/^--from=(.+)$/)?.[1];
  if (stage !== undefined) words.shift();
  const target = words.pop() ?? "";
  const base = stage === undefined ? running.context : (await running.build(stage)).root;
  for (const word of words) {
    const source = join(base, word);
    const facts = await stat(source);
    const to = !facts.isDirectory() && target.endsWith("/") ? join(here, target, basename(source)) : join(here, target);
    await cp(source, to, {
      recursive: true,
      verbatimSymlinks: true,
      filter: (path) =>
        stage !== undefined || !isIgnored(relative(running.context, path).split(sep).join("/"), running.ignored),
    });
  }
}

async function run(command: string, here: string, environment: Readonly<Record<string, string | undefined>>) {
  // Who may not give files away keeps them: it is the same account that runs the result then.
  const mine = process.getuid?.() === 0 ? "" : "chown() { :; }; ";
  await promisify(execFile)("sh", ["-euc", mine + command], { cwd: here, env: { ...environment }, maxBuffer: 1 << 26 });
}

function filled(text: string, variables: Readonly<Record<string, string>>): string {
  return text.replaceAll(/\$\{?(\w+)\}?/g, (_, key: string) => variables[key] ?? "");
}

async function readIgnored(context: string): Promise<string[]> {
  const path = join(context, ".dockerignore");
  if (!existsSync(path)) return [];
  const lines = (await readFile(path, "utf8")).split("\n").map((line) => line.trim());
  return lines.filter((line) => line !== "" && !line.startsWith("#"));
}

/** As Docker does it: the last pattern that fits a path or a folder above it decides. */
export function isIgnored(path: string, patterns: readonly string[]): boolean {
  if (path === "") return false;
  const parts = path.split("/");
  const paths = parts.map((_, at) => parts.slice(0, at + 1).join("/"));
  let ignored = false;
  for (const pattern of patterns) {
    const bare = pattern.replace(/^!/, "");
    if (paths.some((one) => matchesGlob(one, bare))) ignored = !pattern.startsWith("!");
  }
  return ignored;
}
