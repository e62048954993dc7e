// Files of a backup: written so that a power cut leaves them whole, and known by their digests.

import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { type FileHandle, mkdir, open, readdir } from "node:fs/promises";
import { dirname, join, relative, sep } from "node:path";
import { pipeline } from "node:stream/promises";

/** Files at once. */
const concurrency = 4;

/** The SHA-256 of a file, in hexadecimal. */
export async function digestOf(path: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), hash);
  return hash.digest("hex");
}

/** Writes a new file that only its owner may read, durably. */
export async function writeDurably(path: string, content: string | Uint8Array): Promise<void> {
  await using file = await open(path, "wx", 0o600);
  await file.writeFile(content);
  await file.sync();
}

/** Copies a file durably, readable by its owner only; answers the SHA-256 of what was written. */
export async function copyDurably(from: string, to: string): Promise<string> {
  await using source = await open(from, "r");
  await using target = await open(to, "wx", 0o600);
  const hash = createHash("sha256");
  const buffer = Buffer.allocUnsafeSlow(1 << 20);
  for (;;) {
    const { bytesRead } = await source.read(buffer, 0, buffer.byteLength);
    if (bytesRead === 0) break;
    const bytes = buffer.subarray(0, bytesRead);
    hash.update(bytes);
    await writeWhole(target, bytes);
  }
  await target.sync();
  return hash.digest("hex");
}

async function writeWhole(target: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.byteLength; ) at += (await target.write(bytes, at)).bytesWritten;
}

/** Every file below a folder, relative to it, with slashes, in order. */
export async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join("/"))
    .sort();
}

/** Makes a folder that only its owner may enter. */
export async function makeFolder(path: string): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o700 });
}

/** Flushes a folder and all folders in it, the innermost first: then the names of their files outlive a power cut. */
export async function syncFolders(folder: string): Promise<void> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const folders = entries.filter((entry) => entry.isDirectory()).map((entry) => join(entry.parentPath, entry.name));
  for (const path of [...folders.sort().reverse(), folder]) await syncFolder(path);
}

/** Flushes the folder that holds a path. */
export async function syncParent(path: string): Promise<void> {
  await syncFolder(dirname(path));
}

async function syncFolder(path: string): Promise<void> {
  // Windows cannot open folders, and its file system journals renames by itself.
  if (process.platform === "win32") return;
  await using handle = await open(path, "r");
  await handle.sync();
}

/** Does something with each, a few at once, in no order. The first error ends it. */
export async function forEachOf<Item>(
  items: Iterable<Item> | AsyncIterable<Item>,
  run: (item: Item) => Promise<void>,
): Promise<void> {
  const source = (async function* () {
    yield* items;
  })();
  const work = async () => {
    for (let next = await source.next(); !next.done; next = await source.next()) await run(next.value);
  };
  const all = await Promise.allSettled(Array.from({ length: concurrency }, work));
  for (const one of all) if (one.status === "rejected") throw one.reason;
}
