// What an operator may see and mend in storage, beside a service that runs or without one: jobs and migrations, whether
// all contents are whole, and the pieces that a backup needs.

import { type AdminOptions, adminOf, type DatabaseAdmin, openForAdmin } from "@docket/runtime/admin";
import { blobPlaceOf, databaseOf, type StorageConfig } from "./config.ts";
import type { BlobDriver } from "./drivers/driver.ts";
import { openDriver } from "./drivers/open.ts";
import { entities } from "./store/entities.ts";
import { migrations } from "./store/migrations/index.ts";
import { type Verification, type VerificationOptions, verifyContents } from "./verification.ts";

export { type CopiedPiece, copyPiece, faultOfPiece } from "./transfer/copy_piece.ts";
export type { Damage, Verification, VerificationOptions } from "./verification.ts";
export type { BlobDriver } from "./drivers/driver.ts";

/** A piece that somebody needs: a blob, or an upload on its way in. */
export interface NeededPiece {
  readonly id: string;
  /** How many bytes its file has. */
  readonly fileBytes: number;
  /** Checksums of its blocks. */
  readonly sums: Uint8Array;
}

/** What a version refers to. */
export interface ReferredContent {
  readonly blobId: string;
  /** SHA-256 in hexadecimal. */
  readonly sha256: string;
  readonly size: number;
}

/** The operator's hand on storage. */
export interface StorageAdmin extends DatabaseAdmin {
  /** Reads every blob and compares it with its digest. */
  verify(driver: BlobDriver, options?: VerificationOptions): Promise<Verification>;
  /** The contents that versions refer to, by version; a version without any is not in it. */
  contentsOf(versionIds: readonly string[]): Promise<ReadonlyMap<string, ReferredContent>>;
  /** Every piece that somebody needs, in batches. */
  neededPieces(): AsyncGenerator<readonly NeededPiece[]>;
}

const batch = 200;

/** Opens the storage service's database for an operator. Throws StartError. */
export async function openStorageAdmin(config: StorageConfig, options?: AdminOptions): Promise<StorageAdmin> {
  const db = await openForAdmin({ ...databaseOf(config), name: "storage", entities, migrations }, options);
  return {
    ...adminOf(db),
    verify: (driver, verification) => verifyContents(db, driver, verification),
    async contentsOf(versionIds) {
      if (versionIds.length === 0) return new Map();
      const rows = await db.query
        .selectFrom("blob_reference")
        .innerJoin("blob", "blob.id", "blob_reference.blob_id")
        .select(["blob_reference.version_id", "blob.id", "blob.sha256", "blob.size"])
        .where("blob_reference.version_id", "in", versionIds)
        .execute();
      return new Map(rows.map((row) => [row.version_id, { blobId: row.id, sha256: row.sha256, size: row.size }]));
    },
    async *neededPieces() {
      let after = "";
      for (;;) {
        const rows = await db.query
          .selectFrom("piece")
          .select(["id", "file_bytes", "sums"])
          .where("id", ">", after)
          .where("holder_id", "is not", null)
          .orderBy("id")
          .limit(batch)
          .execute();
        const last = rows.at(-1);
        if (last === undefined) return;
        yield rows.map((row) => ({ id: row.id, fileBytes: row.file_bytes, sums: row.sums }));
        after = last.id;
      }
    },
  };
}

/** The place of the contents, to read beside the service that owns it. Throws StartError. */
export function openContents(config: Pick<StorageConfig, "blobUrl" | "dataDir" | "s3">): Promise<BlobDriver> {
  return openDriver(blobPlaceOf(config), { shared: true });
}

/** A place for contents that no service uses, to be written by this process. Throws StartError. */
export function openContentsToFill(config: Pick<StorageConfig, "blobUrl" | "dataDir" | "s3">): Promise<BlobDriver> {
  return openDriver(blobPlaceOf(config));
}
