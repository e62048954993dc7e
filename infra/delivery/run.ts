// What pipelines do to this repository, by command: no workflow knows more of it than these words.

import { parseArgs } from "node:util";
import { runCommand } from "./commands.ts";
import { RefusedError } from "./environment.ts";
import { here } from "./images.ts";

const usage = `node infra/delivery/run.ts <command> [--root <folder>]
  digests <environment>                       image=digest, a line for each
  deploy <environment> <image>=<digest> …     writes these digests; prints the images that are others now
  promote <from> <to>                         copies the digests of an environment that has passed to the next
  back <environment>                          writes the digests from before its last deployment
  pass <environment> <url of the run>         tags what an environment runs as passed; prints the tags, to be pushed by force
Exit codes: 0 done; 1 refused, with nothing changed; 2 not understood.`;

try {
  const { values, positionals } = parseArgs({
    options: { root: { type: "string", default: here } },
    allowPositionals: true,
  });
  for (const line of runCommand(values.root, positionals)) process.stdout.write(`${line}\n`);
} catch (error) {
  const refused = error instanceof RefusedError;
  process.stderr.write(`${refused ? (error as Error).message : usage}\n`);
  process.exitCode = refused ? 1 : 2;
}
