// Stored content: one blob for equal bytes of a workspace, held by references of versions and by uploads that may still
// be attached. It goes in two steps, and what refers to it is looked at again in the transaction that removes it.

import type { Clock } from "@docket/runtime/clock";
import { newId } from "@docket/runtime/ids";
import type { Selectable } from "kysely";
import type { StorageDatabase, Tables, Tx } from "./entities.ts";
import { doomPieces, movePieces } from "./pieces.ts";
import type { UploadRow } from "./upload_row.ts";
import { holderOf, type UploadStore } from "./uploads.ts";
import { adjust } from "./usage.ts";

export type BlobRow = Selectable<Tables["blob"]>;

export class BlobStore {
  readonly #db: StorageDatabase;
  readonly #uploads: UploadStore;
  readonly #clock: Clock;

  constructor(db: StorageDatabase, uploads: UploadStore, clock: Clock) {
    this.#db = db;
    this.#uploads = uploads;
    this.#clock = clock;
  }

  async find(id: string): Promise<BlobRow | undefined> {
    return await this.#db.query.selectFrom("blob").selectAll().where("id", "=", id).executeTakeFirst();
  }

  /** Whether an upload waits for its verification. */
  async isVerifying(uploadId: string): Promise<boolean> {
    return (await this.#uploads.find(uploadId))?.state === "verifying";
  }

  /** The verified upload becomes a blob, or joins the one that has the same bytes; or it fails, when its digest is not the declared one. */
  async store(uploadId: string, sha256: string): Promise<UploadRow> {
    return await this.#db.transaction(async (tx) => {
      const row = await this.#uploads.lock(tx, uploadId);
      // Another process, or an earlier life of this one, has done it; or it was given up meanwhile.
      if (row.state !== "verifying" || row.workspace_id === null || row.size === null) return row;
      if (row.declared_sha256 !== null && row.declared_sha256 !== sha256) {
        return await this.#uploads.fail(tx, row, "digest_mismatch");
      }
      const now = this.#clock().getTime();
      const known = await tx
        .selectFrom("blob")
        .selectAll()
        .where("workspace_id", "=", row.workspace_id)
        .where("sha256", "=", sha256)
        .where("size", "=", row.size)
        .executeTakeFirst();
      const blobId = known?.id ?? newId();
      if (known === undefined) {
        await tx
          .insertInto("blob")
          .values({
            id: blobId,
            workspace_id: row.workspace_id,
            sha256,
            size: row.size,
            created_at: now,
            unreferenced_at: null,
            corrupt_at: null,
            checked_at: null,
          })
          .execute();
        await movePieces(tx, row.id, blobId, 0);
        await adjust(tx, holderOf(row), { reserved: -row.reserved_bytes, stored: row.size, blobs: 1 });
      } else {
        await adjust(tx, holderOf(row), { reserved: -row.reserved_bytes });
        if (known.corrupt_at !== null) {
          // The same bytes have come again: they take the place of the damaged ones.
          await doomPieces(tx, blobId, now);
          await movePieces(tx, row.id, blobId, 0);
        } else {
          await doomPieces(tx, row.id, now);
        }
        await tx
          .updateTable("blob")
          .set({ unreferenced_at: null, corrupt_at: null })
          .where("id", "=", blobId)
          .execute();
      }
      return await this.#uploads.apply(tx, row, { kind: "verified" }, { blob_id: blobId, sha256, reserved_bytes: 0 });
    });
  }

  /** Gives an upload up. Harmless where it failed before; refused where it is attached. */
  async fail(uploadId: string, failure: Parameters<UploadStore["fail"]>[2], onlyIf?: (row: UploadRow) => boolean) {
    return await this.#db.transaction(async (tx) => {
      const row = await this.#uploads.lock(tx, uploadId);
      if (onlyIf !== undefined && !onlyIf(row)) return row;
      if (failure === "expired" && (await hasPendingReference(tx, uploadId))) return row;
      const failed = await this.#uploads.fail(tx, row, failure);
      if (row.blob_id !== null) await this.noteReferences(tx, row.blob_id);
      return failed;
    });
  }

  /** Notes whether anything refers to a blob. To be called wherever a reference or an upload lets go of it. */
  async noteReferences(tx: Tx, blobId: string): Promise<void> {
    const referenced = await isReferenced(tx, blobId);
    if (referenced) {
      await tx.updateTable("blob").set({ unreferenced_at: null }).where("id", "=", blobId).execute();
      return;
    }
    const now = this.#clock().getTime();
    await tx
      .updateTable("blob")
      .set({ unreferenced_at: now })
      .where("id", "=", blobId)
      .where("unreferenced_at", "is", null)
      .execute();
  }

  async markCorrupt(blobId: string): Promise<void> {
    const now = this.#clock().getTime();
    await this.#db.query
      .updateTable("blob")
      .set({ corrupt_at: now })
      .where("id", "=", blobId)
      .where("corrupt_at", "is", null)
      .execute();
  }

  /** Blobs whose bytes were not looked at since `time`, the longest unseen first. */
  async unchecked(time: number, limit: number): Promise<BlobRow[]> {
    const rows = (column: "checked_at" | "created_at") => {
      const query = this.#db.query.selectFrom("blob").selectAll().where("corrupt_at", "is", null);
      const due = column === "checked_at" ? query : query.where("checked_at", "is", null);
      return due.where(column, "<", time).orderBy(column).limit(limit).execute();
    };
    return [...(await rows("created_at")), ...(await rows("checked_at"))].slice(0, limit);
  }

  async markChecked(blobId: string): Promise<void> {
    const now = this.#clock().getTime();
    await this.#db.query.updateTable("blob").set({ checked_at: now }).where("id", "=", blobId).execute();
  }

  /** Blobs that nothing has referred to since before `time`. */
  async unreferenced(time: number, limit: number): Promise<string[]> {
    const rows = await this.#db.query
      .selectFrom("blob")
      .select("id")
      .where("unreferenced_at", "<", time)
      .orderBy("unreferenced_at")
      .limit(limit)
      .execute();
    return rows.map(({ id }) => id);
  }

  /** Removes a blob if nothing refers to it and nothing has since before `time`. Answers whether it did. */
  async remove(blobId: string, time: number): Promise<boolean> {
    return await this.#db.transaction(async (tx) => {
      const blob = await tx.selectFrom("blob").selectAll().where("id", "=", blobId).executeTakeFirst();
      if (blob === undefined || blob.unreferenced_at === null || blob.unreferenced_at >= time) return false;
      if (await isReferenced(tx, blobId)) {
        await tx.updateTable("blob").set({ unreferenced_at: null }).where("id", "=", blobId).execute();
        return false;
      }
      await doomPieces(tx, blobId, this.#clock().getTime());
      await tx.deleteFrom("blob").where("id", "=", blobId).execute();
      await adjust(tx, blob.workspace_id, { stored: -blob.size, blobs: -1 });
      return true;
    });
  }
}

async function isReferenced(tx: Tx, blobId: string): Promise<boolean> {
  const reference = await tx
    .selectFrom("blob_reference")
    .select("version_id")
    .where("blob_id", "=", blobId)
    .limit(1)
    .executeTakeFirst();
  if (reference !== undefined) return true;
  const upload = await tx
    .selectFrom("upload")
    .select("id")
    .where("blob_id", "=", blobId)
    .where("state", "=", "stored")
    .limit(1)
    .executeTakeFirst();
  return upload !== undefined;
}

async function hasPendingReference(tx: Tx, uploadId: string): Promise<boolean> {
  const row = await tx
    .selectFrom("blob_reference")
    .select("version_id")
    .where("upload_id", "=", uploadId)
    .limit(1)
    .executeTakeFirst();
  return row !== undefined;
}
