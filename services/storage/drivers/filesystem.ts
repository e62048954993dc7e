// Pieces as files: `pieces/<two letters>/<id>`, written in `incoming/` first. What is sealed was flushed, renamed and
// had its folder flushed, in this order, so that a power cut leaves a whole file or none.

import { mkdirSync } from "node:fs";
import { type FileHandle, mkdir, open, opendir, rename, rm, stat, statfs } from "node:fs/promises";
import { join } from "node:path";
import { type DataDir, openDataDir } from "@docket/runtime/data_dir";
import { StartError } from "@docket/runtime/errors";
import {
  type BlobDriver,
  type PieceInfo,
  PieceMissing,
  type PieceReader,
  type PieceWriter,
  StoreFull,
} from "./driver.ts";

/** How a folder is opened. */
export interface FilesystemOptions {
  /** For a thread of the process that has the folder already: only to read. */
  readonly shared?: boolean;
}

/**
 * Opens a folder as a place for bytes; it is made where it is missing, and held by one process at a time, since what that
 * process does not know has no owner. Throws StartError when it cannot be used.
 */
export async function openFilesystem(folder: string, { shared = false }: FilesystemOptions = {}): Promise<BlobDriver> {
  const lock = shared ? undefined : await openDataDir(folder);
  const driver = new FilesystemDriver(folder, lock);
  if (shared) return driver;
  try {
    await driver.prepare();
  } catch (cause) {
    lock?.[Symbol.dispose]();
    const why = (cause as NodeJS.ErrnoException).code ?? String(cause);
    throw new StartError(`The folder ${folder} for file contents cannot be used: ${why}.`, { cause });
  }
  return driver;
}

class FilesystemDriver implements BlobDriver {
  readonly exclusive = true;
  readonly gathers = false;
  readonly #pieces: string;
  readonly #incoming: string;
  /** Folders that are known to exist, durably. */
  readonly #made = new Set<string>();

  readonly #lock: DataDir | undefined;

  constructor(folder: string, lock: DataDir | undefined) {
    this.#lock = lock;
    this.#pieces = join(folder, "pieces");
    this.#incoming = join(folder, "incoming");
  }

  async prepare(): Promise<void> {
    mkdirSync(this.#pieces, { recursive: true });
    mkdirSync(this.#incoming, { recursive: true });
    const probe = join(this.#incoming, `probe-${process.pid}`);
    const handle = await open(probe, "w");
    await handle.close();
    await rm(probe);
    await syncFolder(join(this.#pieces, ".."));
  }

  async create(id: string): Promise<PieceWriter> {
    const shelf = this.#shelf(id);
    const path = join(this.#incoming, id);
    const handle = await translating(open(path, "wx"));
    return new FileWriter(handle, path, join(shelf, id), () => this.#prepareShelf(shelf));
  }

  async open(id: string): Promise<PieceReader> {
    try {
      return new FileReader(await open(join(this.#shelf(id), id), "r"));
    } catch (cause) {
      if (codeOf(cause) === "ENOENT") throw new PieceMissing(`piece ${id} is missing`, { cause });
      throw cause;
    }
  }

  async remove(id: string): Promise<void> {
    await rm(join(this.#shelf(id), id), { force: true });
  }

  async *list(): AsyncGenerator<PieceInfo> {
    for await (const shelf of await opendir(this.#pieces)) {
      if (!shelf.isDirectory()) continue;
      const folder = join(this.#pieces, shelf.name);
      for await (const entry of await opendir(folder)) {
        if (!entry.isFile()) continue;
        const facts = await stat(join(folder, entry.name)).catch(() => undefined);
        if (facts) yield { id: entry.name, size: facts.size, modifiedAt: facts.mtimeMs };
      }
    }
  }

  async discardUnsealed(): Promise<number> {
    let count = 0;
    for await (const entry of await opendir(this.#incoming)) {
      await rm(join(this.#incoming, entry.name), { force: true, recursive: true });
      count += 1;
    }
    return count;
  }

  async free(): Promise<number> {
    const { bavail, bsize } = await statfs(this.#pieces);
    return bavail * bsize;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#lock?.[Symbol.dispose]();
  }

  /** The last characters of a UUIDv7 are random, the first ones are not. */
  #shelf(id: string): string {
    if (!/^[0-9a-f-]{36}$/.test(id)) throw new TypeError("a piece's id must be a UUID in lower case");
    return join(this.#pieces, id.slice(-2));
  }

  async #prepareShelf(shelf: string): Promise<void> {
    if (this.#made.has(shelf)) return;
    await mkdir(shelf, { recursive: true });
    await syncFolder(this.#pieces);
    this.#made.add(shelf);
  }
}

class FileWriter implements PieceWriter {
  readonly #handle: FileHandle;
  readonly #path: string;
  readonly #target: string;
  readonly #prepareTarget: () => Promise<void>;
  #position = 0;
  #over = false;

  constructor(handle: FileHandle, path: string, target: string, prepareTarget: () => Promise<void>) {
    this.#handle = handle;
    this.#path = path;
    this.#target = target;
    this.#prepareTarget = prepareTarget;
  }

  async write(bytes: readonly Uint8Array[]): Promise<void> {
    let left: readonly Uint8Array[] = bytes;
    while (left.length > 0) {
      const { bytesWritten } = await translating(this.#handle.writev(left, this.#position));
      this.#position += bytesWritten;
      left = skip(left, bytesWritten);
    }
  }

  async seal(): Promise<void> {
    await translating(this.#handle.sync());
    await this.#close();
    await translating(this.#prepareTarget());
    await translating(rename(this.#path, this.#target));
    await syncFolder(join(this.#target, ".."));
  }

  async discard(): Promise<void> {
    await this.#close();
    await rm(this.#path, { force: true });
  }

  async #close(): Promise<void> {
    if (this.#over) return;
    this.#over = true;
    await this.#handle.close();
  }
}

class FileReader implements PieceReader {
  readonly #handle: FileHandle;

  constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  async read(target: Uint8Array, offset: number): Promise<number> {
    let filled = 0;
    while (filled < target.byteLength) {
      const { bytesRead } = await this.#handle.read(target, filled, target.byteLength - filled, offset + filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    return filled;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#handle.close();
  }
}

/** What is left of buffers when so many bytes of them are done; a short write is legal. */
function skip(buffers: readonly Uint8Array[], count: number): readonly Uint8Array[] {
  let done = count;
  const left: Uint8Array[] = [];
  for (const buffer of buffers) {
    if (done >= buffer.byteLength) done -= buffer.byteLength;
    else {
      left.push(done > 0 ? buffer.subarray(done) : buffer);
      done = 0;
    }
  }
  return left;
}

async function syncFolder(folder: string): Promise<void> {
  // Windows cannot open folders, and its file system journals renames by itself.
  if (process.platform === "win32") return;
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Says "full" in the driver's own words. */
async function translating<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (cause) {
    if (codeOf(cause) === "ENOSPC" || codeOf(cause) === "EDQUOT") throw new StoreFull("the disk is full", { cause });
    throw cause;
  }
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException | undefined)?.code;
}
