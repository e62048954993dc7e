// The command line of operators: finds the command, runs it, prints what it answers.

import { ConfigError } from "@docket/runtime/config";
import { AppError, StartError } from "@docket/runtime/errors";
import { accountCommands } from "./accounts.ts";
import { type Command, columns, readWords, type Surroundings, UsageError, usageOf } from "./command.ts";
import { contentCommands } from "./contents.ts";
import { jobCommands } from "./jobs.ts";
import { stateCommands } from "./state.ts";
import { userCommands } from "./users.ts";

const commands: readonly Command[] = [
  ...userCommands,
  ...jobCommands,
  ...stateCommands,
  ...contentCommands,
  ...accountCommands,
];

/** What the command line was called with, and where its words go. */
export interface CommandLine extends Surroundings {
  readonly words: readonly string[];
  readonly out: (line: string) => void;
  readonly err: (line: string) => void;
}

/** How a command ended: in order; failed, or something is not in order; not understood. */
export const exitCodes = { done: 0, failed: 1, usage: 2 } as const;

/** Runs what the words say and answers the exit code. */
export async function runAdmin(line: CommandLine): Promise<number> {
  const { words, out, err } = line;
  if (words.length === 0) {
    for (const text of help()) err(text);
    return exitCodes.usage;
  }
  try {
    if (["--help", "-h", "help"].includes(words[0] ?? "")) {
      for (const text of help()) out(text);
      return exitCodes.done;
    }
    const command = find(words);
    const rest = words.slice(command.name.split(" ").length);
    if (rest.includes("--help") || rest.includes("-h")) {
      out(`${usageOf(command)}\n\n${command.summary}`);
      return exitCodes.done;
    }
    const understood = readWords(command, rest);
    const { data, lines, sound = true } = await command.run(understood, line);
    if (understood.json) out(JSON.stringify(data, null, 2));
    else for (const text of lines) out(text);
    return sound ? exitCodes.done : exitCodes.failed;
  } catch (error) {
    if (error instanceof UsageError) {
      err(`${error.message} See: npm run admin -- --help`);
      return exitCodes.usage;
    }
    if (!(error instanceof StartError || error instanceof ConfigError || error instanceof AppError)) throw error;
    err(error.message);
    return exitCodes.failed;
  }
}

function find(words: readonly string[]): Command {
  const command = commands.find(({ name }) => {
    const own = name.split(" ");
    return own.every((word, at) => words[at] === word);
  });
  if (command !== undefined) return command;
  const group = commands.filter(({ name }) => name.split(" ")[0] === words[0]).map(({ name }) => name);
  const typed = JSON.stringify(words.slice(0, group.length > 0 ? 2 : 1).join(" "));
  const known = group.length > 0 ? `: ${group.join(", ")}` : "";
  throw new UsageError(`There is no command ${typed}${known}.`);
}

function help(): string[] {
  return [
    "npm run admin -- <command>: what operators do to Docket's databases, while it runs or while it does not.",
    "",
    ...columns(
      ["COMMAND", "WHAT IT DOES"],
      commands.map((command) => [usageOf(command), command.summary]),
    ),
    "",
    "--json prints the answer for machines. The settings are those of the services: DOCKET_DATA_DIR, DATABASE_URL (with",
    "{service} for the service's name), BLOB_URL, PUBLIC_URL for links. Exit codes: 0 done; 1 failed, or not in order; 2 not understood.",
  ];
}
