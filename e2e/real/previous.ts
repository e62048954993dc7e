// The code of before the newest migration, checked out beside this one.

import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { lstat, mkdir, readdir, readlink, symlink } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const execute = promisify(execFile);
const root = fileURLToPath(new URL("../..", import.meta.url));

/** A checkout. */
export interface PreviousCode {
  readonly folder: string;
  /** The commit, in short. */
  readonly commit: string;
  /** The files that the newest migrations are in. */
  readonly added: readonly string[];
}

/** Checks out the parent of the last commit that added a migration. Throws where there is no such commit in this clone. */
export async function checkOutPrevious(folder: string): Promise<PreviousCode> {
  const git = async (...words: string[]) =>
    (await execute("git", ["-C", root, ...words], { maxBuffer: 1 << 28 })).stdout;
  const migrations = "services/*/store/migrations/*/Migration*.ts";
  const newest = (await git("log", "-1", "--diff-filter=A", "--format=%H", "--", `:(glob)${migrations}`)).trim();
  if (newest === "") throw new Error("this clone has no commit that added a migration; fetch its history");
  const added = (
    await git("diff", "--name-only", "--diff-filter=A", `${newest}~1`, newest, "--", `:(glob)${migrations}`)
  )
    .trim()
    .split("\n");
  const archive = join(folder, "previous.tar");
  await git("archive", "--output", archive, `${newest}~1`);
  const checkout = join(folder, "previous");
  await mkdir(checkout);
  await execute("tar", ["-x", "-f", archive, "-C", checkout]);
  await linkModules(checkout);
  return { folder: checkout, commit: (await git("rev-parse", "--short", `${newest}~1`)).trim(), added };
}

/** The packages of this checkout; the workspaces among them are the other checkout's own. */
async function linkModules(checkout: string): Promise<void> {
  const installed = join(root, "node_modules");
  const modules = join(checkout, "node_modules");
  await mkdir(join(modules, "@docket"), { recursive: true });
  for (const name of await readdir(installed)) {
    if (name !== "@docket") await symlink(join(installed, name), join(modules, name));
  }
  for (const name of await readdir(join(installed, "@docket"))) {
    const link = join(installed, "@docket", name);
    if (!(await lstat(link)).isSymbolicLink()) throw new Error(`${link} is no link to a workspace`);
    const target = await readlink(link);
    const workspace = join(modules, "@docket", target);
    if (!existsSync(workspace)) continue;
    await symlink(target, join(modules, "@docket", name));
    // Packages of which it has a version of its own.
    const own = join(installed, "@docket", target, "node_modules");
    if (existsSync(own)) await symlink(own, join(workspace, "node_modules"));
  }
}
