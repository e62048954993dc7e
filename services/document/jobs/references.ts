// Keeps storage's references in step with the versions that exist here. A version's reference is confirmed right after
// its commit; what a crash left pending is settled by looking whether the version exists, never by time alone.
import { durationFromMs } from "@bufbuild/protobuf/wkt";
import type { Client } from "@connectrpc/connect";
import type { BlobService } from "@docket/contracts/gen/docket/storage/v1/blob_service_pb.ts";
import type { Logger } from "@docket/runtime/logger";
import type { Events } from "../events.ts";
import type { DocumentDatabase } from "../store/entities.ts";
import { chunks } from "../store/statements.ts";
import { existingVersions } from "../store/versions.ts";

/** How many versions one call names. */
const atOnce = 200;

/** What is needed to settle references. */
export interface ReferenceOptions {
  readonly db: DocumentDatabase;
  readonly blobs: Client<typeof BlobService>;
  readonly events: Events;
  readonly logger: Logger;
  /** How old a pending reference must be to be settled, in milliseconds; far above the longest call that commits one. */
  readonly ageMs: number;
}

/** Confirms versions that have just been committed. */
export interface Confirmations {
  add(versionId: string): void;
}

export interface References extends Confirmations, AsyncDisposable {
  /** Settles what is pending now; it comes back as a periodic job, once for all processes. */
  settle(): Promise<void>;
}

export function startReferences(options: ReferenceOptions): References {
  const { db, blobs, events, logger, ageMs } = options;
  const waiting = new Set<string>();
  let flushing: Promise<void> | undefined;

  const flush = async () => {
    while (waiting.size > 0) {
      const versionIds = [...waiting].slice(0, atOnce);
      for (const id of versionIds) waiting.delete(id);
      try {
        const { missingVersionIds } = await blobs.confirmReferences({ versionIds });
        if (missingVersionIds.length > 0) events.referenceMissing(missingVersionIds);
      } catch (error) {
        // Nothing is lost: the references stay pending, and the next round settles them.
        logger.warn({ err: error, count: versionIds.length }, "versions could not be confirmed yet");
      }
    }
    flushing = undefined;
  };

  const settle = async () => {
    let confirmed = 0;
    let released = 0;
    const seen = new Set<string>();
    // What one page settles is no longer pending, so the first page is read until it brings nothing new.
    for (;;) {
      const page = await blobs.listPendingReferences({ olderThan: durationFromMs(ageMs), pageSize: atOnce });
      const ids = page.references.map((reference) => reference.versionId);
      if (ids.every((id) => seen.has(id))) break;
      for (const id of ids) seen.add(id);
      const existing = await existingVersions(db.query, ids);
      const gone = ids.filter((id) => !existing.has(id));
      if (existing.size > 0) await blobs.confirmReferences({ versionIds: [...existing] });
      if (gone.length > 0) await blobs.releaseReferences({ versionIds: gone });
      confirmed += existing.size;
      released += gone.length;
    }
    if (confirmed + released > 0) events.referencesSettled(confirmed, released);
  };

  return {
    settle,
    add(versionId) {
      waiting.add(versionId);
      flushing ??= Promise.resolve().then(flush);
    },
    async [Symbol.asyncDispose]() {
      await flushing;
    },
  };
}

/** Gives up the references of versions that were purged. */
export async function releaseReferences(
  blobs: Client<typeof BlobService>,
  versionIds: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  for (const part of chunks(versionIds, atOnce)) await blobs.releaseReferences({ versionIds: part }, { signal });
}
