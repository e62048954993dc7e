// The versions of documents.

import type { CallOptions } from "@connectrpc/connect";
import type { Version } from "@docket/contracts/gen/docket/document/v1/version_pb.ts";
import { VersionService } from "@docket/contracts/gen/docket/document/v1/version_service_pb.ts";

/** Some versions, the newest first, and how to go on; an empty token when there are no more. */
export interface VersionPage {
  readonly versions: Version[];
  readonly nextPageToken: string;
}

/** An upload that becomes the newest version of a document. */
export interface NewVersion {
  readonly uploadId: string;
  readonly label: string;
  readonly note: string;
  readonly requestId: string;
}

export function useVersions() {
  const client = useClient(VersionService);
  return {
    async list(documentId: string, pageToken = "", pageSize = 50): Promise<VersionPage> {
      const { versions, nextPageToken } = await client.listVersions({ documentId, pageToken, pageSize });
      return { versions, nextPageToken };
    },
    /** One version by its number; 0 is the newest. */
    async get(documentId: string, number: number): Promise<Version> {
      return there((await client.getVersion({ documentId, number })).version);
    },
    /** Makes a version of an upload. */
    async create(documentId: string, fields: NewVersion, options?: CallOptions): Promise<Version> {
      return there((await client.createVersion({ documentId, ...fields }, options)).version);
    },
    /** Changes label and note, unless somebody else did since `version` was read. */
    async update(version: Version, texts: { label: string; note: string }): Promise<Version> {
      const { documentId, number, etag } = version;
      const paths = (["label", "note"] as const).filter((field) => texts[field] !== version[field]);
      if (paths.length === 0) return version;
      return there((await client.updateVersion({ documentId, number, ...texts, updateMask: { paths }, etag })).version);
    },
    /** Adds a version with the contents of an earlier one. */
    async restore(documentId: string, number: number, note: string, requestId = newId()): Promise<Version> {
      return there((await client.restoreVersion({ documentId, number, note, requestId })).version);
    },
  };
}

/** Where a version's contents are; `inline` for those types that a browser may show in place. */
export function contentsUrl(documentId: string, number: number, inline = false): string {
  return `/files/documents/${documentId}/versions/${number}${inline ? "?inline=1" : ""}`;
}
