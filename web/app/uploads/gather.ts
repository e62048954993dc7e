// What was dropped, pasted or chosen, as files with their folders. Folders are walked in pieces, so that thousands of
// files neither stop the page nor wait for the last one.

import { isLitter } from "./names.ts";
import type { UploadSource } from "./types.ts";

/** Some of what was found. */
export interface Gathered {
  readonly files: UploadSource[];
  /** Folders without anything in them, as paths. */
  readonly emptyFolders: (readonly string[])[];
}

const batchSize = 200;

type Handle = FileSystemFileHandle | FileSystemDirectoryHandle;
type Found = UploadSource | { readonly emptyFolder: readonly string[] };

/** Must be called within the event: what was dropped is gone after it. */
export function dropped(transfer: DataTransfer): AsyncGenerator<Gathered> {
  const roots = [...transfer.items]
    .filter(({ kind }) => kind === "file")
    .map((item) => ({
      handle: item.getAsFileSystemHandle?.().catch(() => null) ?? Promise.resolve(null),
      entry: item.webkitGetAsEntry?.() ?? null,
      file: item.getAsFile(),
    }));
  return batches(walkRoots(roots));
}

interface Root {
  readonly handle: Promise<Handle | null>;
  readonly entry: FileSystemEntry | null;
  readonly file: File | null;
}

async function* walkRoots(roots: readonly Root[]): AsyncGenerator<Found> {
  for (const root of roots) {
    const handle = await root.handle;
    if (handle !== null) yield* walkHandle(handle, [], undefined);
    else if (root.entry !== null) yield* walkEntry(root.entry, []);
    else if (root.file !== null) yield { file: root.file, path: [] };
  }
}

/** Files from an input; those of a folder say where they lay. */
export function chosenFiles(files: Iterable<File>): Gathered {
  const found = [...files].map((file) => ({ file, path: file.webkitRelativePath.split("/").slice(0, -1) }));
  return { files: found.filter(({ file, path }) => path.length === 0 || !isLitter(file.name)), emptyFolders: [] };
}

/** Files or folders from the browser's own pickers, which remember where they are. */
export function pickedHandles(handles: readonly Handle[]): AsyncGenerator<Gathered> {
  return batches(
    (async function* () {
      for (const handle of handles) yield* walkHandle(handle, [], undefined);
    })(),
  );
}

async function* walkHandle(
  handle: Handle,
  path: readonly string[],
  root: FileSystemDirectoryHandle | undefined,
): AsyncGenerator<Found> {
  if (handle.kind === "file") {
    const file = await handle.getFile().catch(() => undefined);
    if (file !== undefined) yield { file, path, handle, ...(root === undefined ? {} : { root }) };
    return;
  }
  const inside = [...path, handle.name];
  let empty = true;
  for await (const child of handle.values()) {
    if (isLitter(child.name)) continue;
    empty = false;
    yield* walkHandle(child, inside, root ?? handle);
  }
  if (empty) yield { emptyFolder: inside };
}

async function* walkEntry(entry: FileSystemEntry, path: readonly string[]): AsyncGenerator<Found> {
  if (isFile(entry)) {
    const file = await new Promise<File | undefined>((resolve) => entry.file(resolve, () => resolve(undefined)));
    if (file !== undefined) yield { file, path };
    return;
  }
  if (!isFolder(entry)) return;
  const inside = [...path, entry.name];
  const reader = entry.createReader();
  let empty = true;
  for (;;) {
    // A hundred at a time, until there are none.
    const children = await new Promise<FileSystemEntry[]>((resolve) => reader.readEntries(resolve, () => resolve([])));
    if (children.length === 0) break;
    for (const child of children) {
      if (isLitter(child.name)) continue;
      empty = false;
      yield* walkEntry(child, inside);
    }
  }
  if (empty) yield { emptyFolder: inside };
}

async function* batches(found: AsyncGenerator<Found>): AsyncGenerator<Gathered> {
  let batch: Gathered = { files: [], emptyFolders: [] };
  for await (const one of found) {
    if ("emptyFolder" in one) batch.emptyFolders.push(one.emptyFolder);
    else batch.files.push(one);
    if (batch.files.length + batch.emptyFolders.length < batchSize) continue;
    yield batch;
    batch = { files: [], emptyFolders: [] };
  }
  if (batch.files.length + batch.emptyFolders.length > 0) yield batch;
}

function isFile(entry: FileSystemEntry): entry is FileSystemFileEntry {
  return entry.isFile;
}

function isFolder(entry: FileSystemEntry): entry is FileSystemDirectoryEntry {
  return entry.isDirectory;
}
