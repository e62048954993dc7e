// Where files come from: drops, the clipboard, the browser's pickers. Small on purpose: it is on every page.

import { chosenFiles, dropped, type Gathered, pickedHandles } from "~/uploads/gather.ts";

/** Some files and folders, as they are found. */
export type UploadBatch = Gathered;

/** What was dropped. Must be called within the event. */
export const droppedFiles = dropped;

/** Files of an input or the clipboard. */
export async function* filesAsSources(files: readonly File[]): AsyncGenerator<UploadBatch> {
  const batchSize = 500;
  for (let at = 0; at < files.length; at += batchSize) yield chosenFiles(files.slice(at, at + batchSize));
}

interface Pickers {
  showOpenFilePicker?: (options: { multiple?: boolean }) => Promise<FileSystemFileHandle[]>;
  showDirectoryPicker?: (options: { mode: "read" }) => Promise<FileSystemDirectoryHandle>;
}

/**
 * Opens the browser's picker that finds the files again after a reload. Undefined where there is none: then an input
 * does it. Nothing when nobody chose.
 */
export async function pickHandles(
  kind: "files" | "folder",
  { multiple = false }: { multiple?: boolean },
): Promise<AsyncGenerator<UploadBatch> | undefined> {
  const { showOpenFilePicker, showDirectoryPicker } = window as Pickers;
  try {
    if (kind === "files" && showOpenFilePicker) return pickedHandles(await showOpenFilePicker({ multiple }));
    if (kind === "folder" && showDirectoryPicker) return pickedHandles([await showDirectoryPicker({ mode: "read" })]);
    return undefined;
  } catch (error) {
    // Closed without a choice; a picker that is forbidden here leaves it to the input.
    return error instanceof DOMException && error.name === "AbortError" ? pickedHandles([]) : undefined;
  }
}
