// What an operator may see and mend in the document service's database, beside a service that runs or without one.

import { type AdminOptions, adminOf, type DatabaseAdmin, openForAdmin } from "@docket/runtime/admin";
import { databaseOf } from "@docket/runtime/service_settings";
import type { DocumentConfig } from "./config.ts";
import { entities } from "./store/entities.ts";
import { migrations } from "./store/migrations/index.ts";

/** What a version says of its content. */
export interface VersionRecord {
  readonly id: string;
  readonly documentId: string;
  readonly number: number;
  /** What it is called in storage. */
  readonly blobId: string;
  /** SHA-256 in hexadecimal. */
  readonly sha256: string;
  readonly size: number;
}

/** The operator's hand on the document service's database. */
export interface DocumentAdmin extends DatabaseAdmin {
  /** Every version of every document, in batches. */
  versions(): AsyncGenerator<readonly VersionRecord[]>;
  /** Which of these versions there still are. */
  existing(versionIds: readonly string[]): Promise<ReadonlySet<string>>;
  /** How many documents there are, those in the trash among them. */
  countDocuments(): Promise<number>;
}

const batch = 500;

/** Opens the document service's database for an operator. Throws StartError. */
export async function openDocumentAdmin(config: DocumentConfig, options?: AdminOptions): Promise<DocumentAdmin> {
  const db = await openForAdmin({ ...databaseOf(config), name: "document", entities, migrations }, options);
  return {
    ...adminOf(db),
    async *versions() {
      let after = "";
      for (;;) {
        const rows = await db.query
          .selectFrom("version")
          .select(["id", "document_id", "number", "blob_id", "digest", "size"])
          .where("id", ">", after)
          .orderBy("id")
          .limit(batch)
          .execute();
        const last = rows.at(-1);
        if (last === undefined) return;
        yield rows.map((row) => ({
          id: row.id,
          documentId: row.document_id,
          number: row.number,
          blobId: row.blob_id,
          sha256: Buffer.from(row.digest).toString("hex"),
          size: row.size,
        }));
        after = last.id;
      }
    },
    async existing(versionIds) {
      if (versionIds.length === 0) return new Set();
      const rows = await db.query.selectFrom("version").select("id").where("id", "in", versionIds).execute();
      return new Set(rows.map(({ id }) => id));
    },
    async countDocuments() {
      const row = await db.query
        .selectFrom("document")
        .select((eb) => eb.fn.countAll<number>().as("n"))
        .executeTakeFirstOrThrow();
      return Number(row.n);
    },
  };
}
