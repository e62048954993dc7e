// What lists show of a folder or a document: small and plain, so that ten thousand of them are no burden and the first
// ones cross from the server's page to the browser as they are. A row is never changed; a new one takes its place.

import type { Timestamp } from "@bufbuild/protobuf/wkt";
import type { Actor } from "@docket/contracts/gen/docket/document/v1/actor_pb.ts";
import { type Document, DocumentKind } from "@docket/contracts/gen/docket/document/v1/document_pb.ts";
import type { Folder } from "@docket/contracts/gen/docket/document/v1/folder_pb.ts";

export interface ListingRow {
  readonly type: "folder" | "document";
  readonly id: string;
  /** A document's title or a folder's name. */
  readonly title: string;
  readonly etag: string;
  /** The folder it lies in; empty for the root, and for a folder above that one may not see. */
  readonly folderId: string;
  /** When it changed last, in milliseconds since 1970. */
  readonly changedAt: number;
  /** Who changed it last: the id of a person or application, or empty. */
  readonly changedBy: string;
  /** When it went to the trash; 0 when it is not there. */
  readonly trashedAt: number;
  /** Of folders: none. */
  readonly tags: readonly string[];
  readonly kind: DocumentKind;
  /** The number of the newest version; 0 for folders. */
  readonly version: number;
  /** The size of the newest version in bytes. */
  readonly size: number;
  readonly mediaType: string;
}

export function rowOfDocument(document: Document): ListingRow {
  const { version } = document;
  return {
    type: "document",
    id: document.id,
    title: document.title,
    etag: document.etag,
    folderId: document.folderId ?? "",
    changedAt: millisecondsOf(document.updateTime),
    changedBy: actorId(version?.createdBy ?? document.createdBy),
    trashedAt: millisecondsOf(document.trashTime),
    tags: document.tags,
    kind: document.kind,
    version: version?.number ?? 0,
    size: Number(version?.size ?? 0n),
    mediaType: version?.mediaType ?? "",
  };
}

export function rowOfFolder(folder: Folder): ListingRow {
  return {
    type: "folder",
    id: folder.id,
    title: folder.name,
    etag: folder.etag,
    folderId: folder.parentId ?? "",
    changedAt: millisecondsOf(folder.updateTime),
    changedBy: actorId(folder.createdBy),
    trashedAt: millisecondsOf(folder.trashTime),
    tags: [],
    kind: DocumentKind.UNSPECIFIED,
    version: 0,
    size: 0,
    mediaType: "",
  };
}

function actorId(actor: Actor | undefined): string {
  return actor?.actor.value ?? "";
}

function millisecondsOf(time: Timestamp | undefined): number {
  return time === undefined ? 0 : msOf(time);
}

/** The page of a folder or document. */
export function addressOf({ type, id }: Pick<ListingRow, "type" | "id">, workspaceId: string): string {
  return type === "folder" ? `/w/${workspaceId}/f/${id}` : `/d/${id}`;
}
