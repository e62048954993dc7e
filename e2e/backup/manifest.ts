// What a backup says of itself: manifest.json, and files.sha256, which `sha256sum -c` understands.

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { StartError } from "@docket/runtime/errors";
import { digestOf, writeDurably } from "./files.ts";

/** The form of backups; a later one may not be understood here. */
const format = 1;

/** The folder of a backup that holds what a data folder holds. */
export const dataFolder = "data";

const manifestName = "manifest.json";
const listName = "files.sha256";

/** What manifest.json holds. */
export interface Manifest {
  readonly format: number;
  /** The version of Docket that made it. */
  readonly docket: string;
  /** The moment at which all databases are shown. */
  readonly moment: string;
  /** SHA-256 of files.sha256, and how many files it lists. */
  readonly files: { readonly sha256: string; readonly count: number; readonly bytes: number };
  /** The newest migration of each database. */
  readonly migrations: Readonly<Record<string, string>>;
  /** What was counted, to be compared at a glance. */
  readonly counts: {
    readonly users: number;
    readonly documents: number;
    readonly versions: number;
    readonly pieces: number;
  };
  /** Pieces that were lost or damaged in the store already. */
  readonly damagedPieces: readonly string[];
}

/** SHA-256 in hexadecimal, by path relative to the backup. */
export type FileList = ReadonlyMap<string, string>;

/** A backup as it lies there. */
export interface Backup {
  readonly folder: string;
  readonly manifest: Manifest;
  readonly files: FileList;
}

/** Writes both; the manifest goes last, so that what has one is complete. */
export async function writeManifest(
  folder: string,
  files: FileList,
  bytes: number,
  facts: Pick<Manifest, "docket" | "moment" | "migrations" | "counts" | "damagedPieces">,
): Promise<Manifest> {
  const sorted = [...files].sort(([a], [b]) => (a < b ? -1 : 1));
  await writeDurably(join(folder, listName), sorted.map(([path, sha256]) => `${sha256}  ${path}\n`).join(""));
  const sha256 = await digestOf(join(folder, listName));
  const manifest: Manifest = { format, ...facts, files: { sha256, count: files.size, bytes } };
  await writeDurably(join(folder, manifestName), `${JSON.stringify(manifest, null, 2)}\n`);
  return manifest;
}

/** Reads what a backup says of itself. Throws StartError where it is none, or its list is not the one that was written. */
export async function openBackup(folder: string): Promise<Backup> {
  const manifest = await readManifest(folder);
  const list = join(folder, listName);
  const text = await readFile(list, "utf8").catch(() => undefined);
  if (text === undefined || (await digestOf(list)) !== manifest.files.sha256) {
    throw new StartError(`The backup ${folder} is damaged: ${listName} is not the one that was written.`);
  }
  const files = new Map<string, string>();
  for (const line of text.split("\n")) {
    const [, sha256, path] = /^([0-9a-f]{64}) {2}(.+)$/.exec(line) ?? [];
    if (sha256 !== undefined && path !== undefined && !path.split("/").includes("..")) files.set(path, sha256);
  }
  const lacking = Object.keys(manifest.migrations).filter((name) => !files.has(`${dataFolder}/${name}.db`));
  if (lacking.length > 0) {
    throw new StartError(`The backup ${folder} is damaged: ${listName} lacks ${lacking.map((name) => `${name}.db`)}.`);
  }
  return { folder, manifest, files };
}

async function readManifest(folder: string): Promise<Manifest> {
  const path = join(folder, manifestName);
  const text = await readFile(path, "utf8").catch(() => undefined);
  if (text === undefined) throw new StartError(`There is no backup in ${folder}: it has no ${manifestName}.`);
  let manifest: Manifest;
  try {
    manifest = Object(JSON.parse(text)) as Manifest;
  } catch (cause) {
    throw new StartError(`The backup ${folder} is damaged: its ${manifestName} is no JSON.`, { cause });
  }
  if (manifest.format !== format) {
    throw new StartError(
      `The backup ${folder} was made by another version of Docket (${manifest.docket}); use that one.`,
    );
  }
  const { files, migrations, damagedPieces } = manifest as Partial<Manifest>;
  if (typeof files?.sha256 !== "string" || typeof migrations !== "object" || !Array.isArray(damagedPieces)) {
    throw new StartError(`The backup ${folder} is damaged: its ${manifestName} lacks a part.`);
  }
  return manifest;
}
