// What `npm run backup` and `npm run restore` have in common: words, sentences, exit codes.

import { type ParseArgsOptionsConfig, parseArgs } from "node:util";
import { ConfigError } from "@docket/runtime/config";
import { StartError } from "@docket/runtime/errors";

type Options = Readonly<Record<string, unknown>>;

/** What a command says at its end. */
export interface Outcome {
  readonly lines: readonly string[];
  /** Whether all is well; else the exit code is 1. */
  readonly sound: boolean;
}

/** Runs a command; undefined means that its words make no sense. Exit codes: 0 done, 1 failed, 2 not understood. */
export async function runTool(
  usage: string,
  known: ParseArgsOptionsConfig,
  run: (words: readonly string[], options: Options, say: (line: string) => void) => Promise<Outcome | undefined>,
): Promise<void> {
  const err = (line: string) => void process.stderr.write(`${line}\n`);
  try {
    const parsed = parse(known);
    if (parsed?.values.help === true) return void process.stdout.write(`${usage}\n`);
    const outcome = parsed === undefined ? undefined : await run(parsed.positionals, parsed.values, err);
    if (outcome === undefined) {
      err(usage);
      process.exitCode = 2;
      return;
    }
    for (const line of outcome.lines) process.stdout.write(`${line}\n`);
    process.exitCode = outcome.sound ? 0 : 1;
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (error instanceof StartError || error instanceof ConfigError) err(error.message);
    else if (code === "ENOSPC" || code === "STORE_FULL") err("The disk is full; nothing was kept.");
    else if (code === "EACCES" || code === "EROFS" || code === "EPERM") err(`${(error as Error).message}.`);
    else throw error;
    process.exitCode = 1;
  }
}

function parse(known: ParseArgsOptionsConfig) {
  try {
    const options = { ...known, help: { type: "boolean", short: "h" } } as const;
    const { values, positionals } = parseArgs({ args: process.argv.slice(2), options, allowPositionals: true });
    return { values: values as Options, positionals };
  } catch {
    return undefined;
  }
}
