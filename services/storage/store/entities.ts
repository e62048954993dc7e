// Tables of the storage service. Whatever may be looked up is led by its holder: a workspace, an owner, an upload, a blob.

import type { Database, TablesOf, Transaction } from "@docket/runtime/db/database";
import { runtimeEntities } from "@docket/runtime/db/entities";
import { bytesColumn, countColumn, defineEntity, flagColumn, idColumn, p, timeColumn } from "@docket/runtime/db/schema";

/** Files on their way in. */
export const UploadEntity = defineEntity({
  name: "Upload",
  tableName: "upload",
  properties: {
    id: idColumn().primary(),
    /** `person:<id>` or `application:<id>`. */
    owner: p.string().length(50),
    /** Null on partial uploads. */
    workspaceId: idColumn().nullable(),
    partial: flagColumn(),
    name: p.string().length(255),
    mediaType: p.string().length(255),
    /** Null until the client says it. */
    size: countColumn().nullable(),
    /** As in domain/upload.ts. */
    state: p.string().length(16),
    failure: p.string().length(20).nullable(),
    /** 1 while the state is not final. */
    open: flagColumn(),
    /** Hexadecimal, as are all digests. */
    declaredSha256: p.string().length(64).nullable(),
    sha256: p.string().length(64).nullable(),
    /** The durable ranges, as in domain/ranges.ts. */
    ranges: p.text(),
    partCount: p.integer(),
    /** What it holds of its holder's room; 0 once stored or failed. */
    reservedBytes: countColumn(),
    /** From stored on, while the upload may still be attached. */
    blobId: idColumn().nullable(),
    versionId: idColumn().nullable(),
    concatenatedInto: idColumn().nullable(),
    createdAt: timeColumn(),
    updatedAt: timeColumn(),
    /** Null in final states. */
    expiresAt: timeColumn().nullable(),
    /** How many writes began, where several processes may write; as in upload_writes.ts. */
    writeCount: p.integer().default(0),
  },
  indexes: [
    { name: "upload_owner_open", properties: ["owner", "open", "id"] },
    { name: "upload_expires_at", properties: ["expiresAt"] },
    { name: "upload_state", properties: ["state", "updatedAt"] },
    { name: "upload_workspace_open", properties: ["workspaceId", "open"] },
    { name: "upload_blob", properties: ["blobId"] },
  ],
});

/** Writes that are open, or were when their process died; as in upload_writes.ts. */
export const UploadWriteEntity = defineEntity({
  name: "UploadWrite",
  tableName: "upload_write",
  properties: {
    id: idColumn().primary(),
    uploadId: idColumn(),
    /** The bytes that it may write: from here on. */
    start: countColumn(),
    /** And before this one; null: to the end. */
    end: countColumn().nullable(),
    createdAt: timeColumn(),
    /** When a newer one took its place. */
    supersededAt: timeColumn().nullable(),
  },
  indexes: [
    { name: "upload_write_upload", properties: ["uploadId"] },
    { name: "upload_write_created_at", properties: ["createdAt"] },
  ],
});

/** Bytes that were written in one go and never change. A file is the pieces of its holder, in the order of position. */
export const PieceEntity = defineEntity({
  name: "Piece",
  tableName: "piece",
  properties: {
    id: idColumn().primary(),
    /** An upload or a blob; null once nobody needs it. */
    holderId: idColumn().nullable(),
    /** Where its first byte stands in the holder. */
    position: countColumn(),
    /** How many bytes from its start count; less than fileBytes after a newer writer took over. */
    length: countColumn(),
    fileBytes: countColumn(),
    /** As in domain/blocks.ts. */
    sums: bytesColumn(),
    createdAt: timeColumn(),
    /** When nobody needed it any more. */
    doomedAt: timeColumn().nullable(),
  },
  indexes: [
    { name: "piece_holder", properties: ["holderId", "position"] },
    { name: "piece_doomed_at", properties: ["doomedAt"] },
  ],
});

/** Stored content, once per workspace. */
export const BlobEntity = defineEntity({
  name: "Blob",
  tableName: "blob",
  properties: {
    id: idColumn().primary(),
    workspaceId: idColumn(),
    sha256: p.string().length(64),
    size: countColumn(),
    createdAt: timeColumn(),
    /** Since when nothing refers to it; null while something does. */
    unreferencedAt: timeColumn().nullable(),
    /** When a byte of it was found damaged. Equal content that comes again mends it. */
    corruptAt: timeColumn().nullable(),
    /** When all of its bytes were last compared with their checksums; null: not since it was stored. */
    checkedAt: timeColumn().nullable(),
  },
  uniques: [{ name: "blob_content", properties: ["workspaceId", "sha256", "size"] }],
  indexes: [
    { name: "blob_unreferenced_at", properties: ["unreferencedAt"] },
    { name: "blob_checked_at", properties: ["checkedAt", "createdAt"] },
  ],
});

/** Versions that hold on to blobs. */
export const BlobReferenceEntity = defineEntity({
  name: "BlobReference",
  tableName: "blob_reference",
  properties: {
    versionId: idColumn().primary(),
    blobId: idColumn(),
    workspaceId: idColumn(),
    uploadId: idColumn().nullable(),
    name: p.string().length(255),
    mediaType: p.string().length(255),
    /** `pending` or `confirmed`. */
    state: p.string().length(10),
    createdAt: timeColumn(),
  },
  indexes: [
    { name: "blob_reference_blob", properties: ["blobId"] },
    { name: "blob_reference_upload", properties: ["uploadId"] },
    { name: "blob_reference_state", properties: ["state", "createdAt", "versionId"] },
  ],
});

/** How much room a workspace, or an owner of partial uploads, uses. */
export const UsageEntity = defineEntity({
  name: "Usage",
  tableName: "storage_usage",
  properties: {
    /** A workspace's id, or an upload's owner. */
    holder: p.string().length(50).primary(),
    storedBytes: countColumn(),
    reservedBytes: countColumn(),
    blobCount: countColumn(),
    /** What the holder may use; refreshed whenever an upload begins. */
    quotaBytes: countColumn(),
    /** The largest file it takes; refreshed likewise. Null on rows older than this column. */
    maxFileBytes: countColumn().nullable(),
  },
});

/** Keys that sign tickets for reading. */
export const TicketKeyEntity = defineEntity({
  name: "TicketKey",
  tableName: "ticket_key",
  properties: {
    id: idColumn().primary(),
    secret: bytesColumn(),
    createdAt: timeColumn(),
  },
});

export const entities = [
  ...runtimeEntities,
  UploadEntity,
  UploadWriteEntity,
  PieceEntity,
  BlobEntity,
  BlobReferenceEntity,
  UsageEntity,
  TicketKeyEntity,
] as const;

export type Tables = TablesOf<typeof entities>;
export type StorageDatabase = Database<Tables>;
export type Tx = Transaction<Tables>;
