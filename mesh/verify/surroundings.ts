// What a run takes from the rest of the repository: the portal's build, and the public name of an environment.

import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Rendered } from "./render.ts";

const run = promisify(execFile);
const root = join(import.meta.dirname, "..", "..");

/** Builds the portal's pages where they are not built yet, and returns their folder. */
export async function buildPortal(): Promise<string> {
  const { stdout } = await run(process.execPath, [join(root, "e2e/build.ts")], { cwd: root });
  const [, folder] = /is in (\S+)/.exec(stdout) ?? [];
  if (folder === undefined) throw new Error(`The portal's build is nowhere: ${stdout}`);
  return folder;
}

/** The public name of the edge. */
export function findDomain({ mesh }: Rendered): string {
  const gateway = mesh.find(({ kind }) => kind === "Gateway");
  const name = gateway?.spec?.listeners?.[0]?.hostname;
  if (typeof name !== "string") throw new Error("No Gateway says the public name.");
  return name;
}
