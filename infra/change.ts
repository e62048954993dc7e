// `npm run infra -- <command>`: changes of infrastructure, each planned, shown, approved and applied.

import { createInterface } from "node:readline/promises";
import { apply, drift, plan, RefusedError, status, type Surroundings, takeDown } from "./change/change.ts";
import { AwsError, awsCommand } from "./change/cloudformation.ts";
import { UnknownStackError } from "./change/stacks.ts";
import { readPlatform } from "./platform.ts";

const usage = `npm run infra -- <command>
  plan <place> <stack>                  makes a change set and shows what it would do; changes nothing
  apply <place> <stack> <change set>    shows it again, asks for the stack's name, then does it
  status                                which stack is where, and whether its template is the one here
  drift <place>                         what was changed by hand
  take-down <place>                     deletes its stacks, from the last to the first, after asking
--approved says that somebody has approved elsewhere (the approval of a GitHub environment). Places and stacks: infra/README.md.
The keys of AWS are whatever its command line finds. Exit codes: 0 done; 1 failed or refused; 2 not understood.`;

const given = process.argv.slice(2);
const approved = given.includes("--approved");
const words = given.filter((word) => word !== "--approved");
const platform = readPlatform();
const surroundings: Surroundings = {
  aws: awsCommand(platform.region),
  platform,
  say: (line) => void process.stdout.write(`${line}\n`),
  ask: async (question) => (approved ? (question.match(/type (\S+): $/)?.[1] ?? "") : await typed(question)),
};

try {
  if (!(await run())) {
    process.stderr.write(`${usage}\n`);
    process.exitCode = 2;
  }
} catch (error) {
  if (!(error instanceof RefusedError || error instanceof AwsError || error instanceof UnknownStackError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}

/** Answers whether the words were understood. */
async function run(): Promise<boolean> {
  const [command = "", place = "", stack = "", changeSet = ""] = words;
  const has = (count: number) => words.length === count;
  if (command === "plan" && has(3)) await plan(place, stack, surroundings);
  else if (command === "apply" && has(4)) await apply(place, stack, changeSet, surroundings);
  else if (command === "status" && has(1)) await status(surroundings);
  else if (command === "drift" && has(2)) process.exitCode = (await drift(place, surroundings)) ? 0 : 1;
  else if (command === "take-down" && has(2)) await takeDown(place, surroundings);
  else return false;
  return true;
}

async function typed(question: string): Promise<string> {
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return await lines.question(question);
  } finally {
    lines.close();
  }
}
