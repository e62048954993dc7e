// A document service that holds versions in memory and whose streams a test can feed.

import { createHash } from "node:crypto";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { ArchiveService } from "@docket/contracts/gen/docket/document/v1/archive_service_pb.ts";
import { ChangeService } from "@docket/contracts/gen/docket/document/v1/change_service_pb.ts";
import { DocumentService } from "@docket/contracts/gen/docket/document/v1/document_service_pb.ts";
import { VersionService } from "@docket/contracts/gen/docket/document/v1/version_service_pb.ts";
import { callOf, subjectOf } from "@docket/runtime/call";
import { invalidArgument, notFound } from "@docket/runtime/errors";
import { newId } from "@docket/runtime/ids";
import { partly } from "./partial_service.ts";

export interface FakeVersion {
  readonly documentId: string;
  readonly number: number;
  readonly bytes: Buffer;
  readonly name: string;
  readonly mediaType: string;
}

/** What an archive is said to hold. */
export type FakeEntry =
  | { readonly path: string; readonly version?: undefined }
  | { readonly path: string; readonly version: FakeVersion };

export class FakeDocuments {
  /** By id. */
  readonly archives = new Map<string, { readonly name: string; readonly entries: readonly FakeEntry[] }>();
  readonly versions: FakeVersion[] = [];
  readonly effects: string[] = [];
  openWatches = 0;
  tickets = 0;
  /** Made longer by tests of large answers. */
  title = "Plan";

  add(bytes: Buffer, { name = "plan.txt", mediaType = "text/plain", documentId = newId() } = {}): FakeVersion {
    const number = this.versions.filter((version) => version.documentId === documentId).length + 1;
    const version = { documentId, number, bytes, name, mediaType };
    this.versions.push(version);
    return version;
  }

  find(documentId: string, number: number): FakeVersion | undefined {
    const all = this.versions.filter((version) => version.documentId === documentId);
    return number === 0 ? all.at(-1) : all.find((version) => version.number === number);
  }

  services() {
    return [
      partly(DocumentService, {
        getDocument: async ({ documentId }, context) => {
          subjectOf(context);
          if (documentId.startsWith("00000000")) throw notFound("document", documentId);
          return { document: { id: documentId, title: this.title } };
        },
        deleteDocument: async ({ documentId }) => {
          this.effects.push(`delete ${documentId}`);
          return {};
        },
        searchDocuments: async () => {
          throw invalidArgument([{ field: "query", rule: "made.up", description: "is odd" }]);
        },
      }),
      partly(VersionService, {
        createDownloadTicket: async ({ documentId, number }) => {
          const found = this.find(documentId, number);
          if (found === undefined) throw notFound("document", documentId);
          this.tickets += 1;
          return { ticket: `${documentId}/${found.number}`, version: describeVersion(found) };
        },
      }),
      partly(ArchiveService, { listArchiveEntries: ({ archiveId }) => this.#entries(archiveId) }),
      partly(ChangeService, { watchChanges: (_request, context) => this.#watch(callOf(context).signal) }),
    ];
  }

  async *#entries(archiveId: string) {
    const archive = this.archives.get(archiveId);
    if (archive === undefined) throw notFound("archive", archiveId);
    for (const [at, { path, version }] of archive.entries.entries()) {
      const time = timestampFromMs(Date.UTC(2026, 10, 21));
      const known = version && describeVersion(version);
      const entry = known && {
        documentId: known.documentId,
        number: known.number,
        digest: known.digest,
        size: known.size,
      };
      yield { name: at === 0 ? archive.name : "", entries: [{ path, time, ...entry }] } as never;
    }
  }

  async *#watch(signal: AbortSignal) {
    this.openWatches += 1;
    try {
      yield { cursor: "first" } as never;
      await new Promise<void>((resolve) => {
        if (signal.aborted) resolve();
        else signal.addEventListener("abort", () => resolve(), { once: true });
      });
    } finally {
      this.openWatches -= 1;
    }
  }
}

function describeVersion({ documentId, number, bytes, name, mediaType }: FakeVersion) {
  const digest = createHash("sha256").update(bytes).digest();
  return { id: newId(), documentId, number, digest, size: BigInt(bytes.length), mediaType, fileName: name };
}
