// What an environment runs, as Git has it: one file for each image with its digest, and a tag for what has passed there.

import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Image, images } from "./images.ts";

/** In the order in which a version goes through them. */
export const environments = ["dev", "stage", "prod"] as const;
export type Environment = (typeof environments)[number];

/** Something that must not be done. The message is one sentence. */
export class RefusedError extends Error {
  override name = "RefusedError";
}

/** What stands in a file that no pipeline has written yet. */
const never = `sha256:${"0".repeat(64)}`;
const digestLine = /^( {2}digest: )(sha256:[0-9a-f]{64})$/m;

/** What a deployment is made of beside digests: who changes this has it tried by every environment in turn. */
const surroundings = [
  "argocd/workloads/base",
  "argocd/workloads/foundation",
  "argocd/workloads/strategies",
  "mesh/base",
];

/** Throws RefusedError for a word that names no environment. */
export function environmentNamed(word: string | undefined): Environment {
  const found = environments.find((name) => name === word);
  if (found === undefined)
    throw new RefusedError(`There is no environment ${JSON.stringify(word)}: ${environments.join(", ")}.`);
  return found;
}

/** The folder with the digests of an environment, from the repository's root. */
export function folderOf(environment: Environment): string {
  return `argocd/workloads/overlays/${environment}/images`;
}

/** The digest that an environment is to run; undefined before the first. */
export function digestOf(root: string, environment: Environment, image: Image): string | undefined {
  const found = readFileSync(fileOf(root, environment, image), "utf8").match(digestLine)?.[2];
  if (found === undefined) throw new RefusedError(`${folderOf(environment)}/${image}.yaml has no line with a digest.`);
  return found === never ? undefined : found;
}

/** Writes a digest, and nothing else of the file. Answers whether it is another one than before. */
export function deploy(root: string, environment: Environment, image: Image, digest: string): boolean {
  if (!/^sha256:[0-9a-f]{64}$/.test(digest) || digest === never) {
    throw new RefusedError(`${JSON.stringify(digest)} is no digest of ${image}.`);
  }
  if (digestOf(root, environment, image) === digest) return false;
  const file = fileOf(root, environment, image);
  writeFileSync(file, readFileSync(file, "utf8").replace(digestLine, `$1${digest}`));
  return true;
}

/**
 * Copies the digests of one environment to the next. Answers the images that are others now; none when it was done before.
 * Throws RefusedError, with nothing copied, when one of them has not passed there, or was tried in other surroundings.
 */
export function promote(root: string, from: Environment, to: Environment): Image[] {
  if (environments.indexOf(to) !== environments.indexOf(from) + 1) {
    throw new RefusedError(`Versions go from ${environments.join(" to ")}, so not from ${from} to ${to}.`);
  }
  const digests = images.map((image) => [image, digestOf(root, from, image)] as const);
  const passes = passedDigests(root, from);
  for (const [image, digest] of digests) {
    if (digest === undefined) throw new RefusedError(`${image} was never deployed to ${from}.`);
    const passed = passes.get(tagName(image, from));
    if (passed !== digest) {
      throw new RefusedError(
        `${image} ${digest} has not passed ${from}: ${tagName(image, from)} ${passed ?? "is not there"}.`,
      );
    }
  }
  // Policies of the mesh are made for each environment from one contract: where those of the one are as they were, so are others'.
  const tried = [...surroundings, `mesh/gen/${from}`];
  const changed = git(root, "diff", "--name-only", `env-${from.toUpperCase()}`, "HEAD", "--", ...tried);
  if (changed !== "") {
    const [first] = changed.split("\n");
    throw new RefusedError(`${first} has changed since ${from} passed; ${from} must pass with it first.`);
  }
  return digests.filter(([image, digest]) => deploy(root, to, image, digest as string)).map(([image]) => image);
}

/**
 * Takes an environment back to the digests from before its last deployment. Answers the images that are others now. Twice is
 * forth again: it is a deployment like others, and Git has it.
 */
export function goBack(root: string, environment: Environment): Image[] {
  const folder = folderOf(environment);
  if (git(root, "status", "--porcelain", "--", folder) !== "") throw new RefusedError(`${folder} is not committed.`);
  const last = git(root, "log", "-1", "--format=%H", "--", folder);
  return images.filter((image) => {
    const text = git(root, "show", `${last}^:${folder}/${image}.yaml`);
    const digest = text.match(digestLine)?.[2];
    if (digest === undefined || digest === never) {
      throw new RefusedError(`Before its last deployment ${environment} did not run ${image}.`);
    }
    return deploy(root, environment, image, digest);
  });
}

/** Notes that an environment has passed with what it runs: a tag for each image, with its digest, and one for the whole. */
export function pass(root: string, environment: Environment, run: string): string[] {
  const folder = folderOf(environment);
  if (git(root, "status", "--porcelain", "--", folder) !== "") throw new RefusedError(`${folder} is not committed.`);
  const passes = passedDigests(root, environment);
  const names = images.flatMap((image) => {
    const digest = digestOf(root, environment, image);
    if (digest === undefined) return [];
    // One that was there already stays where it is: it says since when.
    const name = tagName(image, environment);
    if (passes.get(name) !== digest) tag(root, name, `${digest}\n\n${run}`);
    return [name];
  });
  const whole = `env-${environment.toUpperCase()}`;
  tag(root, whole, `${names.join(" ")}\n\n${run}`);
  return [...names, whole];
}

/** document/env-DEV */
export function tagName(image: Image, environment: Environment): string {
  return `${image}/env-${environment.toUpperCase()}`;
}

/** The digests with which images have passed an environment last, by the names of their tags. */
function passedDigests(root: string, environment: Environment): Map<string, string> {
  const ref = `refs/tags/*/env-${environment.toUpperCase()}`;
  const lines = git(root, "for-each-ref", "--format=%(refname:strip=2) %(contents:subject)", ref).split("\n");
  return new Map(lines.map((line) => line.split(" ") as [string, string]));
}

function tag(root: string, name: string, message: string): void {
  git(root, "tag", "--annotate", "--force", "--message", message, name, "HEAD");
}

function fileOf(root: string, environment: Environment, image: Image): string {
  return join(root, folderOf(environment), `${image}.yaml`);
}

function git(root: string, ...words: string[]): string {
  try {
    return execFileSync("git", words, { cwd: root, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] }).trim();
  } catch (error) {
    throw new RefusedError(`git ${words[0]} failed: ${String((error as { stderr?: string }).stderr ?? error).trim()}`);
  }
}
