// New jobs: of files, of folders without any, and of rows that were kept.

import { shallowReactive } from "vue";
import type { Job } from "./job.ts";
import { cleanName } from "./names.ts";
import { partsOf } from "./plan.ts";
import type { UploadRecord } from "./records.ts";
import type { UploadSource, UploadTarget } from "./types.ts";

/** Whose they are, in which tab and where they go. */
export interface Making {
  readonly userId: string;
  readonly tab: string;
  readonly target: UploadTarget;
  readonly newId: () => string;
  /** Rises with each. */
  readonly nextOrder: () => number;
}

export function jobOfFile({ file, path, handle, root }: UploadSource, making: Making): Job {
  const about = { modified: file.lastModified, mediaType: file.type, handle, root };
  return jobOf({ ...recordOf(making, "file", file.name, path, file.size), ...about }, file);
}

export function jobOfFolder(path: readonly string[], making: Making): Job {
  return jobOf(recordOf(making, "folder", cleanName(path.at(-1) ?? ""), path.slice(0, -1), 0), undefined);
}

/** A job that waits for its turn. */
export function jobOf(record: UploadRecord, file: File | undefined): Job {
  const { id, kind, name, path, size, sent, target, handle } = record;
  return {
    item: shallowReactive({
      id,
      kind,
      name,
      path,
      size,
      target,
      state: "waiting" as const,
      sent,
      trouble: undefined,
      retryAt: 0,
      documentId: undefined,
      versionNumber: undefined,
      reachable: handle !== undefined,
    }),
    record,
    file,
    kept: false,
    control: undefined,
    partSent: [],
    counted: 0,
    found: 0,
    interruptions: 0,
    steps: 0,
    waiting: 0,
    restarts: 0,
  };
}

function recordOf(
  { userId, tab, target, newId, nextOrder }: Making,
  kind: UploadRecord["kind"],
  name: string,
  path: readonly string[],
  size: number,
): UploadRecord {
  return {
    id: newId(),
    userId,
    tab,
    order: nextOrder(),
    kind,
    name,
    path: path.map(cleanName),
    size,
    modified: 0,
    mediaType: "",
    target,
    sent: 0,
    parts: partsOf(size),
  };
}
