// `npm run smoke -- <url>`: asks an installation what runSmoke asks.

import { readFile } from "node:fs/promises";
import { runTool } from "./backup/command_line.ts";
import { type Checked, runSmoke } from "./smoke.ts";

const usage = `npm run smoke -- <url> [--no-portal] [--secret-file <path>]
Asks the installation at <url> whether it answers as it must; nothing is left there. The file holds a session or an API key,
with which one list is read as well. Exit codes: 0 all is well; 1 something is not; 2 not understood.`;

await runTool(
  usage,
  { "no-portal": { type: "boolean" }, "secret-file": { type: "string" } },
  async ([url, ...more], options) => {
    if (url === undefined || more.length > 0 || !/^https?:/.test(url)) return undefined;
    const file = options["secret-file"];
    const secret = typeof file === "string" ? (await readFile(file, "utf8")).trim() : undefined;
    const found = await runSmoke({ url, portal: options["no-portal"] !== true, ...(secret ? { secret } : {}) });
    const faults = found.filter(({ fault }) => fault !== undefined);
    const asked = found.filter(({ leftOut }) => leftOut === undefined);
    return {
      lines: [...found.map(lineOf), `${asked.length - faults.length} of ${asked.length} are well at ${url}`],
      sound: faults.length === 0,
    };
  },
);

function lineOf({ name, fault, leftOut }: Checked): string {
  if (leftOut !== undefined) return `-       ${name}: not asked, ${leftOut}`;
  return fault === undefined ? `ok      ${name}` : `FAULT   ${name}: ${fault}`;
}
