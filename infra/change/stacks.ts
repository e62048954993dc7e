// Which stacks there are, in the order in which each needs those before it, and what each is told.

import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { hostOf, type Platform } from "../platform.ts";

/** Where stacks stand: once for the account, once for each platform (network and cluster), once for each environment. */
export const places = {
  account: ["registry", "budget", "delivery"],
  platform: [
    "keys",
    "network",
    "endpoints",
    "cluster",
    "node-addons",
    "nodes",
    "cluster-addons",
    "controller-roles",
    "access",
  ],
  environment: [
    "keys",
    "contents",
    "secrets",
    "certificate",
    "database",
    "accounts",
    "cache",
    "workload-roles",
    "alarms",
  ],
} as const;

/** Which platform an environment runs on. */
export const platformOf: Readonly<Record<string, string>> = { dev: "nonprod", stage: "nonprod", prod: "prod" };

/** Every place, and those in which a template must be as it is here before it may change there. */
export const before: Readonly<Record<string, readonly string[]>> = {
  account: [],
  "platform-nonprod": [],
  "platform-prod": ["platform-nonprod"],
  "environment-dev": [],
  "environment-stage": ["environment-dev"],
  "environment-prod": ["environment-dev", "environment-stage"],
};

/** One stack at one place. */
export interface Stack {
  /** Its name at CloudFormation: docket-environment-dev-database. */
  readonly name: string;
  readonly place: string;
  readonly template: string;
  /** The template's path. */
  readonly file: string;
  /** SHA-256 of the template, which the stack carries as a tag. */
  readonly digest: string;
  readonly parameters: Readonly<Record<string, string>>;
}

/** What was asked for is not there. The message is one sentence. */
export class UnknownStackError extends Error {
  override name = "UnknownStackError";
}

const folder = fileURLToPath(new URL("..", import.meta.url));

/** The stacks of a place, in order. Throws UnknownStackError. */
export function stacksOf(place: string, platform: Platform): Stack[] {
  const templates = places[place.split("-")[0] as keyof typeof places];
  if (!(place in before) || templates === undefined) {
    throw new UnknownStackError(
      `There is no place ${JSON.stringify(place)}; there are ${Object.keys(before).join(", ")}.`,
    );
  }
  return templates.map((template) => stackOf(place, template, platform));
}

/** One stack. Throws UnknownStackError. */
export function stackNamed(place: string, template: string, platform: Platform): Stack {
  const stacks = stacksOf(place, platform);
  const found = stacks.find((stack) => stack.template === template);
  if (found !== undefined) return found;
  const known = stacks.map((stack) => stack.template).join(", ");
  throw new UnknownStackError(`There is no stack ${JSON.stringify(template)} at ${place}; there are ${known}.`);
}

function stackOf(place: string, template: string, platform: Platform): Stack {
  const file = `${folder}templates/${template}.yaml`;
  const text = readFileSync(file, "utf8");
  const given = parametersOf(place)[template] ?? {};
  const derived = derivedOf(place, template, platform);
  const declared = parameterNames(text);
  return {
    name: `docket-${place}-${template}`,
    place,
    template,
    file,
    digest: createHash("sha256").update(text).digest("hex"),
    parameters: Object.fromEntries(
      Object.entries({ ...derived, ...given }).filter(([name]) => declared.includes(name) || name in given),
    ),
  };
}

/** The names that a template declares under Parameters. */
export function parameterNames(text: string): string[] {
  const section = text.split(/^Parameters:\n/m)[1]?.split(/^\S/m)[0] ?? "";
  return [...section.matchAll(/^ {2}(\w+):/gm)].map(([, name]) => name ?? "");
}

/** What parameters/<place>.json says, by template. */
export function parametersOf(place: string): Record<string, Record<string, string>> {
  const file = `${folder}parameters/${place}.json`;
  return existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : {};
}

/** What follows from the place and from platform.yaml, and stands in no parameter file. */
function derivedOf(place: string, template: string, platform: Platform): Record<string, string> {
  const [kind, name = ""] = place.split("-");
  if (kind === "account") return { Repository: platform.repository };
  if (template === "keys") return { Owner: place };
  if (kind === "platform") return { Platform: name };
  return { Environment: name, Platform: platformOf[name] ?? "", Name: hostOf(platform, name) };
}
