// `npm run migrate` on given settings, as a deployment runs it before the code.

import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

/** Applies all migrations of all services, and answers what the command said. */
export async function migrate(
  settings: Readonly<Record<string, string>>,
  ...words: readonly string[]
): Promise<string> {
  const command = fileURLToPath(new URL("../migrate.ts", import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [command, ...words], {
    env: { ...process.env, ...settings },
  });
  return stdout;
}
