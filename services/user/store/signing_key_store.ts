import type { SigningKeyTimes } from "../domain/signing_keys.ts";
import type { Db } from "./database.ts";

/** A signing key as it is kept: its private half encrypted. */
export interface StoredSigningKey extends SigningKeyTimes {
  /** The Ed25519 public key, base64url. */
  readonly publicX: string;
  readonly privateEncrypted: Uint8Array;
}

/** The newest first. */
export async function listSigningKeys(db: Db): Promise<StoredSigningKey[]> {
  const rows = await db.selectFrom("signing_key").selectAll().orderBy("signs_from", "desc").execute();
  return rows.map((row) => ({
    id: row.id,
    publicX: row.public_x,
    privateEncrypted: row.private_encrypted,
    signsFrom: row.signs_from,
    verifiesUntil: row.verifies_until ?? undefined,
  }));
}

export async function insertSigningKey(db: Db, key: StoredSigningKey, now: Date): Promise<void> {
  await db
    .insertInto("signing_key")
    .values({
      id: key.id,
      public_x: key.publicX,
      private_encrypted: key.privateEncrypted,
      created_at: now.getTime(),
      signs_from: key.signsFrom,
      verifies_until: null,
    })
    .execute();
}

export async function retireSigningKey(db: Db, id: string, verifiesUntil: number): Promise<void> {
  await db.updateTable("signing_key").set({ verifies_until: verifiesUntil }).where("id", "=", id).execute();
}

export async function deleteSigningKey(db: Db, id: string): Promise<void> {
  await db.deleteFrom("signing_key").where("id", "=", id).execute();
}
