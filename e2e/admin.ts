// `npm run admin`: what operators do from the command line.

import { createInterface } from "node:readline/promises";
import { Writable } from "node:stream";
import { text } from "node:stream/consumers";
import { runAdmin } from "./admin/run.ts";

const err = (line: string) => void process.stderr.write(`${line}\n`);
process.exitCode = await runAdmin({
  words: process.argv.slice(2),
  environment: process.env,
  out: (line) => void process.stdout.write(`${line}\n`),
  err,
  say: err,
  readSecret,
});

/** From a pipe its first line; from somebody who types, without showing it. */
async function readSecret(prompt: string): Promise<string> {
  if (!process.stdin.isTTY) return (await text(process.stdin)).split(/\r?\n/)[0] ?? "";
  process.stderr.write(prompt);
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: process.stdin, output: nowhere, terminal: true });
  try {
    return await lines.question("");
  } finally {
    lines.close();
    process.stderr.write("\n");
  }
}
