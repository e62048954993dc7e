// Whether everything that is acknowledged is there: all contents have their digest, and every version has its content.
// It may look while Docket runs: what seems to be missing is looked at once more, since it may have gone meanwhile.

import type { DocumentAdmin } from "@docket/document/admin";
import type { BlobDriver, Damage, StorageAdmin } from "@docket/storage/admin";

export interface VerifyOptions {
  readonly document: DocumentAdmin;
  readonly storage: StorageAdmin;
  /** Where the bytes are. */
  readonly contents: BlobDriver;
  /** Says how far it is. */
  readonly say?: (line: string) => void;
}

/** A version whose content is not what it says. */
export interface Dangling {
  readonly versionId: string;
  readonly documentId: string;
  readonly number: number;
  readonly what: string;
}

/** What was found. */
export interface Findings {
  readonly blobs: number;
  readonly bytes: number;
  readonly versions: number;
  readonly damaged: readonly Damage[];
  readonly dangling: readonly Dangling[];
  /** Whether all is well. */
  readonly sound: boolean;
  /** The same for people. */
  readonly lines: readonly string[];
}

const progressMs = 5000;

/** Reads everything there is. */
export async function verifyAll({ document, storage, contents, say }: VerifyOptions): Promise<Findings> {
  const { versions, dangling } = await verifyVersions(document, storage);
  let told = performance.now();
  const { blobs, bytes, damaged } = await storage.verify(contents, {
    progress(count, size) {
      if (performance.now() - told < progressMs) return;
      told = performance.now();
      say?.(`${count} contents, ${megabytes(size)} so far`);
    },
  });
  const sound = damaged.length === 0 && dangling.length === 0;
  const lines = [
    ...dangling.map((one) => `Version ${one.number} of document ${one.documentId}: ${one.what}.`),
    ...damaged.map((one) => `Content ${one.blobId} of workspace ${one.workspaceId}: ${one.what}.`),
    sound
      ? `All ${versions} versions and ${blobs} contents (${megabytes(bytes)}) are whole.`
      : `Of ${versions} versions ${dangling.length} lack their content; of ${blobs} contents (${megabytes(bytes)}) ${damaged.length} are damaged.`,
  ];
  return { blobs, bytes, versions, damaged, dangling, sound, lines };
}

async function verifyVersions(document: DocumentAdmin, storage: StorageAdmin) {
  const dangling: Dangling[] = [];
  let count = 0;
  for await (const versions of document.versions()) {
    count += versions.length;
    const contents = await storage.contentsOf(versions.map(({ id }) => id));
    const faults = versions.flatMap((version): Dangling[] => {
      const content = contents.get(version.id);
      const what =
        content === undefined
          ? "storage keeps no content for it"
          : content.sha256 !== version.sha256 || content.size !== version.size
            ? "its content in storage is another one"
            : undefined;
      const { id: versionId, documentId, number } = version;
      return what === undefined ? [] : [{ versionId, documentId, number, what }];
    });
    // A version that was purged meanwhile needs no content.
    const there = await document.existing(faults.map(({ versionId }) => versionId));
    dangling.push(...faults.filter(({ versionId }) => there.has(versionId)));
  }
  return { versions: count, dangling };
}

/** A size for people. */
export function megabytes(bytes: number): string {
  return bytes < 10_000 ? `${bytes} bytes` : `${(bytes / 1e6).toFixed(bytes < 1e7 ? 2 : 0)} MB`;
}
