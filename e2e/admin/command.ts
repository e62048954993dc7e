// What a command of `npm run admin` is, and how its words are read.

import { type ParseArgsOptionsConfig, parseArgs } from "node:util";
import type { Environment } from "../mesh.ts";

/** The command was not understood. The message is one sentence. */
export class UsageError extends Error {
  override name = "UsageError";
}

/** What a command has to do with the outside. */
export interface Surroundings {
  readonly environment: Environment;
  /** A line that somebody types or pipes in, without its end. */
  readSecret(prompt: string): Promise<string>;
  /** Says how far a long command is; not part of its answer. */
  say(line: string): void;
}

/** What a command answers: for machines, and for people. */
export interface Answer {
  /** What `--json` prints. */
  readonly data: unknown;
  readonly lines: readonly string[];
  /** Whether what was asked is in order. Default: true; with false the exit code is 1. */
  readonly sound?: boolean;
}

/** The words behind a command's name. */
export interface Words {
  readonly positionals: readonly string[];
  readonly options: Readonly<Record<string, string | boolean | undefined>>;
}

/** One command. */
export interface Command {
  /** As it is typed: `users disable`. */
  readonly name: string;
  /** What follows the name: `<address>`. */
  readonly parameters: string;
  /** What it does, in a line. */
  readonly summary: string;
  /** How many positional words it takes. */
  readonly count: { readonly min: number; readonly max: number };
  readonly options?: ParseArgsOptionsConfig;
  run(words: Words, surroundings: Surroundings): Promise<Answer>;
}

/** Options that every command takes. */
export const commonOptions = { json: { type: "boolean" }, help: { type: "boolean", short: "h" } } as const;

/** Reads the words behind a command's name. Throws UsageError. */
export function readWords(command: Command, words: readonly string[]): Words & { readonly json: boolean } {
  const { options, positionals } = understood(command, words);
  const { min, max } = command.count;
  if (positionals.length < min || positionals.length > max) {
    throw new UsageError(`Write: ${usageOf(command)}.`);
  }
  return { positionals, options, json: options.json === true };
}

function understood(command: Command, words: readonly string[]) {
  try {
    const { values, positionals } = parseArgs({
      args: [...words],
      options: { ...commonOptions, ...command.options },
      allowPositionals: true,
    });
    return { options: values as Words["options"], positionals };
  } catch (error) {
    // Node's sentence goes on about how to write a word that begins with a dash.
    const [sentence = ""] = (error as Error).message.split(". ");
    throw new UsageError(`${sentence}. Write: ${usageOf(command)}.`);
  }
}

/** How a command is written. */
export function usageOf({ name, parameters }: Command): string {
  return parameters === "" ? name : `${name} ${parameters}`;
}

/** Columns, as wide as they must be; the last one is not filled up. */
export function columns(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const all = [head, ...rows];
  const widths = head.map((_, at) => Math.max(...all.map((row) => (row[at] ?? "").length)));
  return all.map((row) =>
    row
      .map((cell, at) => (at === row.length - 1 ? cell : cell.padEnd(widths[at] ?? 0)))
      .join("  ")
      .trimEnd(),
  );
}

/** A span of time in its two largest units: `3d 4h`, `12m 5s`. */
export function spanOf(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  const parts: [number, string][] = [
    [Math.floor(seconds / 86_400), "d"],
    [Math.floor(seconds / 3_600) % 24, "h"],
    [Math.floor(seconds / 60) % 60, "m"],
    [seconds % 60, "s"],
  ];
  const first = parts.findIndex(([count]) => count > 0);
  if (first < 0) return "0s";
  return parts
    .slice(first, first + 2)
    .filter(([count]) => count > 0)
    .map(([count, unit]) => `${count}${unit}`)
    .join(" ");
}
