// Documents, their versions, and the two tables by which documents are listed and found other than by their folder.
import { bytesColumn, countColumn, defineEntity, idColumn, jsonColumn, p, timeColumn } from "@docket/runtime/db/schema";

export const DocumentEntity = defineEntity({
  name: "Document",
  tableName: "document",
  properties: {
    workspaceId: idColumn().primary(),
    id: idColumn().primary(),
    /** Empty: the root. */
    folderId: idColumn(),
    title: p.string().length(255),
    /** The title as it is sorted. */
    titleKey: p.string().length(255),
    /** The tags as they were written, a list of strings. */
    tags: jsonColumn(),
    /** See domain/state.ts. */
    state: p.smallint(),
    /** The folder with which it went to the trash; itself, when it was put there by name. */
    trashedWith: idColumn().nullable(),
    trashedAt: timeColumn().nullable(),
    revision: countColumn(),
    /** The number of the newest version. */
    lastNumber: p.integer(),
    /** The size of the newest version in bytes, and its kind (domain/kind.ts), so that lists are sorted and filtered by them. */
    size: countColumn().default(0),
    kind: p.smallint().default(0),
    createdBy: p.string().length(50),
    createdAt: timeColumn(),
    updatedAt: timeColumn(),
  },
  uniques: [{ name: "document_id", properties: ["id"] }],
  indexes: [
    { name: "document_folder_title", properties: ["workspaceId", "folderId", "state", "titleKey", "id"] },
    { name: "document_folder_newest", properties: ["workspaceId", "folderId", "state", "updatedAt", "id"] },
    { name: "document_title", properties: ["workspaceId", "state", "titleKey", "id"] },
    { name: "document_newest", properties: ["workspaceId", "state", "updatedAt", "id"] },
    { name: "document_folder_size", properties: ["workspaceId", "folderId", "state", "size", "id"] },
    { name: "document_size", properties: ["workspaceId", "state", "size", "id"] },
    { name: "document_folder_kind_title", properties: ["workspaceId", "folderId", "state", "kind", "titleKey", "id"] },
    {
      name: "document_folder_kind_newest",
      properties: ["workspaceId", "folderId", "state", "kind", "updatedAt", "id"],
    },
    { name: "document_folder_kind_size", properties: ["workspaceId", "folderId", "state", "kind", "size", "id"] },
    { name: "document_kind_title", properties: ["workspaceId", "state", "kind", "titleKey", "id"] },
    { name: "document_kind_newest", properties: ["workspaceId", "state", "kind", "updatedAt", "id"] },
    { name: "document_kind_size", properties: ["workspaceId", "state", "kind", "size", "id"] },
    { name: "document_trashed_with", properties: ["workspaceId", "trashedWith"] },
    { name: "document_trashed_at", properties: ["state", "trashedAt", "id"] },
  ],
});

export const VersionEntity = defineEntity({
  name: "Version",
  tableName: "version",
  properties: {
    workspaceId: idColumn().primary(),
    documentId: idColumn().primary(),
    number: p.integer().primary(),
    id: idColumn(),
    label: p.string().length(64),
    note: p.text(),
    blobId: p.string().length(128),
    digest: bytesColumn(),
    size: countColumn(),
    mediaType: p.string().length(255),
    fileName: p.string().length(255),
    /** The upload that it came from; null when it was restored. One upload makes one version. */
    uploadId: idColumn().nullable(),
    restoredFrom: p.integer().nullable(),
    revision: countColumn(),
    createdBy: p.string().length(50),
    createdAt: timeColumn(),
  },
  uniques: [
    { name: "version_id", properties: ["id"] },
    { name: "version_upload", properties: ["uploadId"] },
  ],
});

/**
 * The lists of documents other than their folder's: one for each tag (`tag:<key>`) and for each principal with a grant
 * on the document itself (`person:<id>`). Each row repeats what lists are sorted by, so that a page reads only its rows.
 */
export const ListingEntity = defineEntity({
  name: "Listing",
  tableName: "listing",
  properties: {
    workspaceId: idColumn().primary(),
    listKey: p.string().length(300).primary(),
    documentId: idColumn().primary(),
    state: p.smallint(),
    titleKey: p.string().length(255),
    updatedAt: timeColumn(),
    size: countColumn().default(0),
    kind: p.smallint().default(0),
  },
  indexes: [
    { name: "listing_title", properties: ["workspaceId", "listKey", "state", "titleKey", "documentId"] },
    { name: "listing_newest", properties: ["workspaceId", "listKey", "state", "updatedAt", "documentId"] },
    { name: "listing_size", properties: ["workspaceId", "listKey", "state", "size", "documentId"] },
    { name: "listing_kind_title", properties: ["workspaceId", "listKey", "state", "kind", "titleKey", "documentId"] },
    { name: "listing_kind_newest", properties: ["workspaceId", "listKey", "state", "kind", "updatedAt", "documentId"] },
    { name: "listing_kind_size", properties: ["workspaceId", "listKey", "state", "kind", "size", "documentId"] },
    { name: "listing_document", properties: ["workspaceId", "documentId", "state", "listKey"] },
  ],
});

/** The tags of the documents that are not in the trash, counted, so that a list of tags reads only its rows. */
export const TagEntity = defineEntity({
  name: "Tag",
  tableName: "tag",
  properties: {
    workspaceId: idColumn().primary(),
    /** As tags are compared. */
    tagKey: p.string().length(255).primary(),
    /** As the first document that had it wrote it. */
    name: p.string().length(50),
    documentCount: countColumn(),
  },
});

/** Under which beginnings of words a document is found; see domain/terms.ts. */
export const TermEntity = defineEntity({
  name: "Term",
  tableName: "term",
  properties: {
    workspaceId: idColumn().primary(),
    term: p.string().length(40).primary(),
    documentId: idColumn().primary(),
  },
  indexes: [{ name: "term_document", properties: ["workspaceId", "documentId"] }],
});
