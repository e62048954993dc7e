// `node e2e/check_preview.ts <url> --account <path>`: one person's way through an installation, as the Job of a rollout does it.

import { strict as assert } from "node:assert";
import { readFile } from "node:fs/promises";
import { runTool } from "./backup/command_line.ts";
import type { Person } from "./person.ts";
import { runPreview } from "./preview.ts";

const usage = `node e2e/check_preview.ts <url> --account <path> [--preview]
Signs in at <url> with the account of a JSON file ({"email": "…", "password": "…"}), adds a document, reads it back, hears of
it, and removes it. With --preview, versions on trial answer where there are any.
Exit codes: 0 all is as promised; 1 something is not; 2 not understood.`;

await runTool(
  usage,
  { account: { type: "string" }, preview: { type: "boolean" } },
  async ([url, ...more], options, say) => {
    if (url === undefined || more.length > 0 || !/^https?:/.test(url)) return undefined;
    if (typeof options.account !== "string") return undefined;
    const account = JSON.parse(await readFile(options.account, "utf8")) as Pick<Person, "email" | "password">;
    try {
      assert.ok(account.email && account.password, `${options.account} names no email and password`);
      await runPreview({ url, account, preview: options.preview === true, log: say });
      return { lines: [`A person's way through ${url} is as it should be`], sound: true };
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      return { lines: [`FAULT   ${error.stack}`], sound: false };
    }
  },
);
