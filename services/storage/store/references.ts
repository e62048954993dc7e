// Versions' holds on blobs: pending until the document service says that the version exists, gone when it says that it
// does not. Nothing here is decided by time.

import { Reason } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import type { Clock } from "@docket/runtime/clock";
import { type Page, type PageResult, selectPage } from "@docket/runtime/db/page";
import { AppError, notFound } from "@docket/runtime/errors";
import type { Selectable } from "kysely";
import type { BlobRow, BlobStore } from "./blobs.ts";
import type { StorageDatabase, Tables, Tx } from "./entities.ts";
import { stateConflict, uploadFailed } from "./refusals.ts";
import type { UploadStore } from "./uploads.ts";

export type ReferenceRow = Selectable<Tables["blob_reference"]>;

/** A reference and what it refers to. */
export interface Reference {
  readonly row: ReferenceRow;
  readonly blob: BlobRow;
}

export class ReferenceStore {
  readonly #db: StorageDatabase;
  readonly #uploads: UploadStore;
  readonly #blobs: BlobStore;
  readonly #clock: Clock;

  constructor(db: StorageDatabase, uploads: UploadStore, blobs: BlobStore, clock: Clock) {
    this.#db = db;
    this.#uploads = uploads;
    this.#blobs = blobs;
    this.#clock = clock;
  }

  async find(versionId: string): Promise<Reference | undefined> {
    const row = await this.#db.query
      .selectFrom("blob_reference")
      .selectAll()
      .where("version_id", "=", versionId)
      .executeTakeFirst();
    if (row === undefined) return undefined;
    const blob = await this.#blobs.find(row.blob_id);
    return blob && { row, blob };
  }

  async attach(uploadId: string, versionId: string, workspaceId: string): Promise<Reference> {
    return await this.#db.transaction(async (tx) => {
      const upload = await this.#uploads.lock(tx, uploadId);
      const known = await referenceOf(tx, versionId);
      if (known !== undefined) {
        if (known.upload_id !== uploadId) throw referenceConflict(versionId);
        return { row: known, blob: await blobOf(tx, known.blob_id) };
      }
      if (upload.state === "failed") throw uploadFailed(upload);
      if (upload.workspace_id !== null && upload.workspace_id !== workspaceId) {
        throw new AppError(Reason.UPLOAD_WORKSPACE_MISMATCH, { message: "The upload is for another workspace." });
      }
      if (upload.state === "attached") {
        throw new AppError(Reason.UPLOAD_ALREADY_ATTACHED, {
          metadata: { version_id: upload.version_id ?? "" },
          message: "The upload is attached to another version.",
        });
      }
      if (upload.state !== "stored" || upload.blob_id === null) throw stateConflict(upload);
      return await this.#insert(tx, {
        version_id: versionId,
        blob_id: upload.blob_id,
        workspace_id: workspaceId,
        upload_id: uploadId,
        name: upload.name,
        media_type: upload.media_type,
      });
    });
  }

  async copy(sourceVersionId: string, versionId: string): Promise<Reference> {
    return await this.#db.transaction(async (tx) => {
      const source = await referenceOf(tx, sourceVersionId);
      if (source === undefined) throw notFound("version", sourceVersionId);
      const known = await referenceOf(tx, versionId);
      if (known !== undefined) {
        if (known.blob_id !== source.blob_id) throw referenceConflict(versionId);
        return { row: known, blob: await blobOf(tx, known.blob_id) };
      }
      const { blob_id, workspace_id, name, media_type } = source;
      return await this.#insert(tx, {
        version_id: versionId,
        blob_id,
        workspace_id,
        upload_id: null,
        name,
        media_type,
      });
    });
  }

  /** Answers the versions that have no reference. */
  async confirm(versionIds: readonly string[]): Promise<string[]> {
    return await this.#db.transaction(async (tx) => {
      const missing: string[] = [];
      for (const versionId of versionIds) {
        const row = await referenceOf(tx, versionId);
        if (row === undefined) {
          missing.push(versionId);
          continue;
        }
        if (row.state === "confirmed") continue;
        await tx
          .updateTable("blob_reference")
          .set({ state: "confirmed" })
          .where("version_id", "=", versionId)
          .execute();
        if (row.upload_id === null) continue;
        const upload = await tx.selectFrom("upload").select("state").where("id", "=", row.upload_id).executeTakeFirst();
        // Two retries of one creation may both have won; the first one names the version.
        if (upload?.state !== "stored") continue;
        const full = await this.#uploads.lock(tx, row.upload_id);
        await this.#uploads.apply(tx, full, { kind: "attached" }, { version_id: versionId, blob_id: null });
      }
      return missing;
    });
  }

  async release(versionIds: readonly string[]): Promise<void> {
    await this.#db.transaction(async (tx) => {
      for (const versionId of versionIds) {
        const row = await referenceOf(tx, versionId);
        if (row === undefined) continue;
        await tx.deleteFrom("blob_reference").where("version_id", "=", versionId).execute();
        await this.#blobs.noteReferences(tx, row.blob_id);
      }
    });
  }

  /** A page of the references that have been pending since before `time`, oldest first. */
  async pending(time: number, page: Page): Promise<PageResult<Reference>> {
    const query = this.#db.query
      .selectFrom("blob_reference")
      .selectAll()
      .where("state", "=", "pending")
      .where("created_at", "<=", time);
    const { rows, nextPageToken } = await selectPage(query, page, ["created_at", "version_id"]);
    if (rows.length === 0) return { rows: [], nextPageToken };
    const ids = [...new Set(rows.map((row) => row.blob_id))];
    const blobs = await this.#db.query.selectFrom("blob").selectAll().where("id", "in", ids).execute();
    const byId = new Map(blobs.map((blob) => [blob.id, blob]));
    const references = rows.flatMap((row) => {
      const blob = byId.get(row.blob_id);
      return blob ? [{ row, blob }] : [];
    });
    return { rows: references, nextPageToken };
  }

  async #insert(tx: Tx, fields: Omit<ReferenceRow, "state" | "created_at">): Promise<Reference> {
    const row: ReferenceRow = { ...fields, state: "pending", created_at: this.#clock().getTime() };
    await tx.insertInto("blob_reference").values(row).execute();
    await this.#blobs.noteReferences(tx, row.blob_id);
    return { row, blob: await blobOf(tx, row.blob_id) };
  }
}

async function referenceOf(tx: Tx, versionId: string): Promise<ReferenceRow | undefined> {
  return await tx.selectFrom("blob_reference").selectAll().where("version_id", "=", versionId).executeTakeFirst();
}

async function blobOf(tx: Tx, id: string): Promise<BlobRow> {
  return await tx.selectFrom("blob").selectAll().where("id", "=", id).executeTakeFirstOrThrow();
}

function referenceConflict(versionId: string): AppError {
  return new AppError(Reason.REFERENCE_CONFLICT, {
    metadata: { version_id: versionId },
    message: "The version refers to other content already.",
  });
}
