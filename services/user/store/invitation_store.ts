import type { Invitation } from "../domain/model.ts";
import { type Db, dateOf, optionalDate, type Row } from "./database.ts";

function toInvitation(row: Row<"invitation">): Invitation {
  return {
    id: row.id,
    workspaceId: row.workspace_id,
    email: row.email,
    roleId: row.role_id,
    createdBy: row.created_by,
    createdAt: dateOf(row.created_at),
    expiresAt: dateOf(row.expires_at),
    acceptedBy: row.accepted_by ?? undefined,
    revokedAt: optionalDate(row.revoked_at),
  };
}

export async function insertInvitation(db: Db, invitation: Invitation, secretHash: string): Promise<void> {
  await db
    .insertInto("invitation")
    .values({
      workspace_id: invitation.workspaceId,
      id: invitation.id,
      email: invitation.email,
      role_id: invitation.roleId,
      secret_hash: secretHash,
      created_by: invitation.createdBy,
      created_at: invitation.createdAt.getTime(),
      expires_at: invitation.expiresAt.getTime(),
      accepted_by: null,
      accepted_at: null,
      revoked_at: null,
    })
    .execute();
}

export async function findInvitation(db: Db, workspaceId: string, id: string): Promise<Invitation | undefined> {
  const row = await db
    .selectFrom("invitation")
    .selectAll()
    .where("workspace_id", "=", workspaceId)
    .where("id", "=", id)
    .executeTakeFirst();
  return row && toInvitation(row);
}

export async function findInvitationBySecret(db: Db, secretHash: string): Promise<Invitation | undefined> {
  const row = await db.selectFrom("invitation").selectAll().where("secret_hash", "=", secretHash).executeTakeFirst();
  return row && toInvitation(row);
}

/** Whether it was still open: of two that accept at once, one is told false. */
export async function markAccepted(db: Db, invitation: Invitation, userId: string, now: Date): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable("invitation")
    .set({ accepted_by: userId, accepted_at: now.getTime() })
    .where("workspace_id", "=", invitation.workspaceId)
    .where("id", "=", invitation.id)
    .where("accepted_by", "is", null)
    .where("revoked_at", "is", null)
    .where("expires_at", ">", now.getTime())
    .executeTakeFirst();
  return Number(numUpdatedRows) > 0;
}

/** Leaves an accepted or revoked one as it is. */
export async function markRevoked(db: Db, workspaceId: string, id: string, now: Date): Promise<void> {
  await db
    .updateTable("invitation")
    .set({ revoked_at: now.getTime() })
    .where("workspace_id", "=", workspaceId)
    .where("id", "=", id)
    .where("accepted_by", "is", null)
    .where("revoked_at", "is", null)
    .execute();
}

export async function listInvitations(
  db: Db,
  workspaceId: string,
  before: string | undefined,
  limit: number,
): Promise<Invitation[]> {
  let query = db.selectFrom("invitation").selectAll().where("workspace_id", "=", workspaceId);
  if (before !== undefined) query = query.where("id", "<", before);
  return (await query.orderBy("id", "desc").limit(limit).execute()).map(toInvitation);
}

export async function countOpenInvitations(db: Db, workspaceId: string, now: Date): Promise<number> {
  const row = await db
    .selectFrom("invitation")
    .select((eb) => eb.fn.countAll<number>().as("n"))
    .where("workspace_id", "=", workspaceId)
    .where("accepted_by", "is", null)
    .where("revoked_at", "is", null)
    .where("expires_at", ">", now.getTime())
    .executeTakeFirstOrThrow();
  return Number(row.n);
}
