// What happens in storage, as lines for operators. Nothing depends on what is written here.

import type { Logger } from "@docket/runtime/logger";
import type { BlobRow } from "./store/blobs.ts";
import type { UploadRow } from "./store/upload_row.ts";

export type StorageEvents = ReturnType<typeof storageEvents>;

export function storageEvents(logger: Logger) {
  return {
    uploadSettled(row: UploadRow): void {
      const fields = { upload_id: row.id, workspace_id: row.workspace_id, size: row.size, state: row.state };
      if (row.state === "failed") logger.warn({ ...fields, failure: row.failure }, "upload failed");
      else logger.info(fields, "upload settled");
    },
    uploadsExpired(count: number): void {
      logger.info({ count }, "abandoned uploads expired");
    },
    /** Alert on this one: bytes that were acknowledged are damaged. */
    blobCorrupt(blob: BlobRow, fault: { readonly offset: number; readonly message: string }): void {
      logger.error(
        { blob_id: blob.id, workspace_id: blob.workspace_id, offset: fault.offset, cause: fault.message },
        "stored bytes are damaged",
      );
    },
    /** Alert on this one, too. */
    pieceCorrupt(uploadId: string, cause: string): void {
      logger.error({ upload_id: uploadId, cause }, "received bytes are damaged");
    },
    verificationBroke(uploadId: string, fault: unknown): void {
      logger.error({ upload_id: uploadId, err: fault }, "an upload could not be verified");
    },
    blobsCollected(blobs: number, pieces: number): void {
      logger.info({ blobs, pieces }, "unreferenced contents removed");
    },
    orphansRemoved(unsealed: number, pieces: number): void {
      logger.warn({ unsealed, pieces }, "files without an owner removed");
    },
    janitorBroke(fault: unknown): void {
      logger.error({ err: fault }, "housekeeping failed and is tried again");
    },
  };
}
