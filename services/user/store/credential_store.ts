/** What waits for a link to be opened: sign-ups to be confirmed, and password resets. Only hashes of secrets are kept. */
import type { PendingSignUp } from "../domain/model.ts";
import { type Db, dateOf, type Row } from "./database.ts";

function toPending(row: Row<"pending_sign_up">): PendingSignUp {
  return {
    id: row.id,
    email: row.email,
    displayName: row.display_name,
    locale: row.locale,
    timeZone: row.time_zone,
    passwordHash: row.password_hash,
    invitationHash: row.invitation_hash ?? undefined,
    expiresAt: dateOf(row.expires_at),
  };
}

/** Replaces an earlier sign-up with the same address. */
export async function insertPendingSignUp(
  db: Db,
  pending: PendingSignUp,
  secretHash: string,
  now: Date,
): Promise<void> {
  await db.deleteFrom("pending_sign_up").where("email", "=", pending.email).execute();
  await db
    .insertInto("pending_sign_up")
    .values({
      id: pending.id,
      email: pending.email,
      secret_hash: secretHash,
      display_name: pending.displayName,
      locale: pending.locale,
      time_zone: pending.timeZone,
      password_hash: pending.passwordHash,
      invitation_hash: pending.invitationHash ?? null,
      created_at: now.getTime(),
      expires_at: pending.expiresAt.getTime(),
    })
    .execute();
}

export async function findPendingSignUp(db: Db, id: string): Promise<PendingSignUp | undefined> {
  const row = await db.selectFrom("pending_sign_up").selectAll().where("id", "=", id).executeTakeFirst();
  return row && toPending(row);
}

/** The newest wishes for the sign-up that waits under this address; its link stays the same. */
export async function updatePendingSignUp(db: Db, email: string, wishes: PendingSignUp): Promise<void> {
  await db
    .updateTable("pending_sign_up")
    .set({
      display_name: wishes.displayName,
      locale: wishes.locale,
      time_zone: wishes.timeZone,
      password_hash: wishes.passwordHash,
      invitation_hash: wishes.invitationHash ?? null,
    })
    .where("email", "=", email)
    .execute();
}

/** A sign-up that has not expired, by the hash of its link's secret. */
export async function findPendingBySecret(db: Db, secretHash: string, now: Date): Promise<PendingSignUp | undefined> {
  const row = await db
    .selectFrom("pending_sign_up")
    .selectAll()
    .where("secret_hash", "=", secretHash)
    .where("expires_at", ">", now.getTime())
    .executeTakeFirst();
  return row && toPending(row);
}

/** Replaces an earlier link of the same account. */
export async function insertPasswordReset(
  db: Db,
  reset: { id: string; userId: string; secretHash: string; createdAt: Date; expiresAt: Date },
): Promise<void> {
  await deletePasswordResets(db, reset.userId);
  await db
    .insertInto("password_reset")
    .values({
      id: reset.id,
      user_id: reset.userId,
      secret_hash: reset.secretHash,
      created_at: reset.createdAt.getTime(),
      expires_at: reset.expiresAt.getTime(),
    })
    .execute();
}

/** Whose link it is, while it works. */
export async function findPasswordReset(db: Db, secretHash: string, now: Date): Promise<string | undefined> {
  const row = await db
    .selectFrom("password_reset")
    .select("user_id")
    .where("secret_hash", "=", secretHash)
    .where("expires_at", ">", now.getTime())
    .executeTakeFirst();
  return row?.user_id;
}

export async function deletePasswordResets(db: Db, userId: string): Promise<void> {
  await db.deleteFrom("password_reset").where("user_id", "=", userId).execute();
}

/** Removes what has expired. */
export async function deleteExpiredCredentials(db: Db, now: Date): Promise<void> {
  await db.deleteFrom("pending_sign_up").where("expires_at", "<=", now.getTime()).execute();
  await db.deleteFrom("password_reset").where("expires_at", "<=", now.getTime()).execute();
}

/** Whether it was still there: its link works once. */
export async function deletePendingSignUp(db: Db, id: string): Promise<boolean> {
  const { numDeletedRows } = await db.deleteFrom("pending_sign_up").where("id", "=", id).executeTakeFirst();
  return Number(numDeletedRows) > 0;
}
