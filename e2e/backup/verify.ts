// Reads a backup again: every file has the digest that was noted, every database is sound, every version has its content.

import { join } from "node:path";
import { StartError } from "@docket/runtime/errors";
import type { Findings } from "../verify.ts";
import { checkFolder } from "./check.ts";
import { digestOf, forEachOf } from "./files.ts";
import { type Backup, dataFolder } from "./manifest.ts";

/**
 * What is wrong with a backup. Contents that were damaged in the store already, as the manifest tells, are among the
 * findings and make it unsound only where there are more. Throws StartError where files are missing or others.
 */
export async function verifyBackup(
  { folder, manifest, files }: Backup,
  say?: (line: string) => void,
): Promise<Findings> {
  const wrong: string[] = [];
  await forEachOf(files, async ([path, sha256]) => {
    const found = await digestOf(join(folder, path)).catch(() => undefined);
    if (found !== sha256) wrong.push(`${path} is ${found === undefined ? "missing" : "not what was written"}`);
  });
  if (wrong.length > 0) {
    const more = wrong.length > 5 ? `, and ${wrong.length - 5} more` : "";
    throw new StartError(`The backup ${folder} is damaged: ${wrong.sort().slice(0, 5).join("; ")}${more}.`);
  }
  const findings = await checkFolder(join(folder, dataFolder), databasesOf(files), say);
  return excused(findings, manifest.damagedPieces);
}

/** The databases that a backup holds. */
export function databasesOf(files: ReadonlyMap<string, string>): string[] {
  return [...files.keys()].flatMap((path) => /^data\/([a-z]+)\.db$/.exec(path)?.[1] ?? []);
}

/** Findings, in which damage of pieces that were lost before is told and not counted against the backup. */
export function excused(findings: Findings, damagedPieces: readonly string[]): Findings {
  const known = ({ what }: { readonly what: string }) => damagedPieces.some((id) => what.includes(id));
  const sound = findings.dangling.length === 0 && findings.damaged.every(known);
  return { ...findings, sound };
}
