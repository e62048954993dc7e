// Makes a backup of an installation on one machine while it runs. All databases are copied as they were at one moment, so
// that what one says of another is true; then the pieces that they speak of, which never change. A piece that was
// collected meanwhile means that the moment is too long ago: then a later one is taken, for which little is left to copy.

import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { link, readdir, rename, rm, stat } from "node:fs/promises";
import { createRequire } from "node:module";
import { hostname } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import { copyAtOneMoment } from "@docket/runtime/db/sqlite/cut";
import { StartError } from "@docket/runtime/errors";
import {
  type BlobDriver,
  copyPiece,
  faultOfPiece,
  type NeededPiece,
  openContents,
  openContentsToFill,
} from "@docket/storage/admin";
import { readConfig } from "@docket/storage/config";
import { openers } from "../admin/databases.ts";
import type { Environment } from "../mesh.ts";
import type { Findings } from "../verify.ts";
import { countsOf, newestMigration, scratchOf } from "./check.ts";
import { type EmbeddedData, embeddedData, environmentOf, otherFiles } from "./embedded.ts";
import { copyDurably, digestOf, filesBelow, forEachOf, makeFolder, syncFolders, syncParent } from "./files.ts";
import { type Backup, dataFolder, type Manifest, openBackup, writeManifest } from "./manifest.ts";
import { verifyBackup } from "./verify.ts";

export interface BackupOptions {
  readonly environment: Environment;
  /** Where the backup shall be; nothing may be there. */
  readonly target: string;
  /** An earlier backup on the same file system: pieces that it has are linked and not copied. */
  readonly base?: string | undefined;
  /** Whether all of it is read again before it gets its name. Default: true. */
  readonly verify?: boolean;
  readonly say?: (line: string) => void;
}

export interface BackupResult {
  readonly manifest: Manifest;
  /** Pieces that were copied, and those that the earlier backup had. */
  readonly copied: number;
  readonly linked: number;
  /** Undefined where it was not asked for. */
  readonly findings: Findings | undefined;
}

/** How many moments are taken before it is said that pieces vanish faster than they are copied. */
const moments = 5;

/** Makes it, or throws StartError and leaves nothing under its name. */
export async function makeBackup({
  environment,
  target,
  base,
  verify = true,
  say,
}: BackupOptions): Promise<BackupResult> {
  const data = embeddedData(environment);
  const path = resolve(target);
  if (existsSync(path)) throw new StartError(`There is something at ${path} already; name a new folder.`);
  const earlier = base === undefined ? undefined : await openBackup(resolve(base));
  await makeFolder(dirname(path));
  await removeLeftovers(dirname(path));
  const own = `${hostname()}-${process.pid}-${randomBytes(4).toString("hex")}`;
  const staging = join(dirname(path), `.${basename(path)}.part-${own}`);
  try {
    await makeFolder(join(staging, dataFolder));
    const making = new Making(data, environment, staging, earlier, say);
    const manifest = await making.run();
    const findings = verify ? await verifyBackup(await openBackup(staging), say) : undefined;
    if (findings !== undefined && !findings.sound) {
      throw new StartError(`The backup was not whole and is gone again: ${findings.lines.join(" ")}`);
    }
    await syncFolders(staging);
    await rename(staging, path);
    await syncParent(path);
    return { manifest, copied: making.copied, linked: making.linked, findings };
  } finally {
    await rm(staging, { recursive: true, force: true, maxRetries: 5 });
  }
}

class Making {
  readonly #data: EmbeddedData;
  readonly #environment: Environment;
  readonly #staging: string;
  readonly #folder: string;
  readonly #earlier: Backup | undefined;
  /** Where the earlier backup has each piece, relative to it. */
  readonly #linkable: ReadonlyMap<string, string>;
  readonly #say: (line: string) => void;
  /** Digests of the pieces that are there, by id. */
  readonly #pieces = new Map<string, string>();
  copied = 0;
  linked = 0;

  constructor(
    data: EmbeddedData,
    environment: Environment,
    staging: string,
    earlier: Backup | undefined,
    say: ((line: string) => void) | undefined,
  ) {
    this.#data = data;
    this.#environment = environment;
    this.#staging = staging;
    this.#folder = join(staging, dataFolder);
    this.#earlier = earlier;
    const names = [...(earlier?.files.keys() ?? [])].filter((path) => path.startsWith(`${dataFolder}/blobs/`));
    this.#linkable = new Map(names.map((path) => [basename(path), path]));
    this.#say = say ?? (() => undefined);
  }

  async run(): Promise<Manifest> {
    const { copied: needed, moment, damaged } = await this.#collect();
    await this.#keepOnly(needed);
    for (const name of await otherFiles(this.#data.dataDir)) {
      await copyDurably(join(this.#data.dataDir, name), join(this.#folder, name));
    }
    return await this.#describe(moment, needed.size, damaged);
  }

  /** Databases and all that they speak of. */
  async #collect() {
    for (let attempt = 1; ; attempt += 1) {
      const moment = await this.#copyDatabases();
      const needed = new Set<string>();
      const faults = { missing: [] as string[], damaged: [] as string[] };
      await this.#copyPieces(needed, faults);
      const last = attempt === moments;
      // What is missing at every moment was lost before; what is damaged stays so.
      if (faults.missing.length === 0 || (last && !(await this.#vanish(faults.missing)))) {
        return { copied: needed, moment, damaged: [...faults.missing, ...faults.damaged] };
      }
      if (last) throw new StartError("Contents are collected faster than they can be copied; set BLOB_GRACE higher.");
      this.#say(`${faults.missing.length} contents were collected meanwhile; taking a later moment.`);
    }
  }

  async #copyDatabases(): Promise<Date> {
    const { databases } = this.#data;
    for (const { name } of databases) await rm(join(this.#folder, `${name}.db`), { force: true });
    return await copyAtOneMoment(
      databases.map(({ name, file }) => ({ from: file, to: join(this.#folder, `${name}.db`) })),
    );
  }

  async #copyPieces(needed: Set<string>, faults: { missing: string[]; damaged: string[] }): Promise<void> {
    await using scratch = await scratchOf(this.#folder, this.#names());
    await using storage = await openers.storage(scratch.environment, { migrate: true });
    await using source = await openContents(readConfig(this.#environment));
    await using target = await openContentsToFill(readConfig(environmentOf(this.#folder, join(this.#folder, "blobs"))));
    await this.#refuseWithoutRoom(target, storage.neededPieces());
    await forEachOf(flattened(storage.neededPieces()), async (piece) => {
      needed.add(piece.id);
      if (this.#pieces.has(piece.id) || (await this.#linkPiece(piece.id))) return;
      try {
        const { sha256 } = await copyPiece(source, target, piece);
        this.#pieces.set(piece.id, sha256);
        this.copied += 1;
      } catch (error) {
        const fault = faultOfPiece(error);
        if (fault === undefined) throw error;
        faults[fault].push(piece.id);
      }
    });
  }

  /** Before hours are spent on it. */
  async #refuseWithoutRoom(target: BlobDriver, pieces: AsyncIterable<readonly NeededPiece[]>): Promise<void> {
    let bytes = 0;
    for await (const piece of flattened(pieces)) {
      if (!this.#pieces.has(piece.id) && !this.#linkable.has(piece.id)) bytes += piece.fileBytes;
    }
    const free = await target.free();
    if (bytes > free) {
      throw new StartError(`The backup needs ${bytes} bytes more and its disk has ${free}; nothing was kept.`);
    }
  }

  async #linkPiece(id: string): Promise<boolean> {
    const path = this.#linkable.get(id);
    const sha256 = path === undefined ? undefined : this.#earlier?.files.get(path);
    if (path === undefined || sha256 === undefined || this.#earlier === undefined) return false;
    try {
      await makeFolder(dirname(join(this.#staging, path)));
      await link(join(this.#earlier.folder, path), join(this.#staging, path));
    } catch {
      // On another file system, or gone: it is copied like the others.
      return false;
    }
    this.#pieces.set(id, sha256);
    this.linked += 1;
    return true;
  }

  /** Whether some of these are no longer needed at a later moment: then they were collected, and not lost. */
  async #vanish(ids: readonly string[]): Promise<boolean> {
    await using storage = await openers.storage(this.#environment);
    const needed = new Set<string>();
    for await (const piece of flattened(storage.neededPieces())) needed.add(piece.id);
    return ids.some((id) => !needed.has(id));
  }

  /** Takes away what belongs to the driver that wrote, and pieces that only an earlier moment needed. */
  async #keepOnly(needed: ReadonlySet<string>): Promise<void> {
    for (const name of ["lock.db", "incoming"]) {
      await rm(join(this.#folder, "blobs", name), { recursive: true, force: true });
    }
    for (const id of this.#pieces.keys()) if (!needed.has(id)) this.#pieces.delete(id);
    for (const path of await filesBelow(join(this.#folder, "blobs"))) {
      if (!this.#pieces.has(basename(path))) await rm(join(this.#folder, "blobs", path));
    }
  }

  async #describe(moment: Date, pieces: number, damagedPieces: readonly string[]): Promise<Manifest> {
    const files = new Map<string, string>();
    let bytes = 0;
    let versions = 0;
    for (const path of await filesBelow(this.#staging)) {
      const known = path.startsWith(`${dataFolder}/blobs/`) ? this.#pieces.get(basename(path)) : undefined;
      files.set(path, known ?? (await digestOf(join(this.#staging, path))));
      bytes += (await stat(join(this.#staging, path))).size;
    }
    await using scratch = await scratchOf(this.#folder, this.#names());
    const counts = await countsOf(scratch);
    await using document = await openers.document(scratch.environment);
    for await (const batch of document.versions()) versions += batch.length;
    const migrations = this.#names().map((name) => [name, newestMigration(join(this.#folder, `${name}.db`))]);
    return await writeManifest(this.#staging, files, bytes, {
      docket: packageVersion(),
      moment: moment.toISOString(),
      migrations: Object.fromEntries(migrations),
      counts: { ...counts, versions, pieces },
      damagedPieces,
    });
  }

  #names(): string[] {
    return this.#data.databases.map(({ name }) => name);
  }
}

async function* flattened<Item>(batches: AsyncIterable<readonly Item[]>): AsyncGenerator<Item> {
  for await (const batch of batches) yield* batch;
}

/** What backups of this machine left behind that were killed. */
async function removeLeftovers(parent: string): Promise<void> {
  for (const name of await readdir(parent)) {
    const [, host, pid] = /^\..+\.part-(.+)-(\d+)-[0-9a-f]{8}$/.exec(name) ?? [];
    if (host !== hostname() || isAlive(Number(pid))) continue;
    await rm(join(parent, name), { recursive: true, force: true, maxRetries: 5 });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

function packageVersion(): string {
  const { version } = createRequire(import.meta.url)("../../package.json") as { version: string };
  return version;
}
