import type { Account, Session } from "../domain/model.ts";
import { toAccount } from "./account_store.ts";
import { type Db, dateOf, type Row } from "./database.ts";

function toSession(row: Row<"session">): Session {
  return {
    id: row.id,
    userId: row.user_id,
    clientName: row.client_name,
    clientAddress: row.client_address,
    createdAt: dateOf(row.created_at),
    lastUsedAt: dateOf(row.last_used_at),
    expiresAt: dateOf(row.expires_at),
  };
}

export async function insertSession(db: Db, session: Session, secretHash: string): Promise<void> {
  await db
    .insertInto("session")
    .values({
      id: session.id,
      user_id: session.userId,
      secret_hash: secretHash,
      client_name: session.clientName,
      client_address: session.clientAddress,
      created_at: session.createdAt.getTime(),
      last_used_at: session.lastUsedAt.getTime(),
      expires_at: session.expiresAt.getTime(),
    })
    .execute();
}

/** What makes a session live: not over, and used since. */
export interface Liveness {
  readonly now: Date;
  /** Sessions last used before this have ended. */
  readonly usedAfter: Date;
}

/** A live session of an account that is not disabled, by the hash of its secret. */
export async function findLiveSession(
  db: Db,
  secretHash: string,
  { now, usedAfter }: Liveness,
): Promise<{ session: Session; account: Account } | undefined> {
  const row = await db
    .selectFrom("session")
    .selectAll()
    .where("secret_hash", "=", secretHash)
    .where("expires_at", ">", now.getTime())
    .where("last_used_at", ">", usedAfter.getTime())
    .executeTakeFirst();
  if (row === undefined) return undefined;
  const account = await db
    .selectFrom("account")
    .selectAll()
    .where("id", "=", row.user_id)
    .where("disabled_at", "is", null)
    .executeTakeFirst();
  return account && { session: toSession(row), account: toAccount(account) };
}

export async function findSession(db: Db, id: string): Promise<Session | undefined> {
  const row = await db.selectFrom("session").selectAll().where("id", "=", id).executeTakeFirst();
  return row && toSession(row);
}

export async function touchSession(db: Db, id: string, now: Date): Promise<void> {
  await db.updateTable("session").set({ last_used_at: now.getTime() }).where("id", "=", id).execute();
}

/** Live sessions of a person, newest first. */
export async function listSessions(
  db: Db,
  userId: string,
  { now, usedAfter }: Liveness,
  before: string | undefined,
  limit: number,
): Promise<Session[]> {
  let query = db
    .selectFrom("session")
    .selectAll()
    .where("user_id", "=", userId)
    .where("expires_at", ">", now.getTime())
    .where("last_used_at", ">", usedAfter.getTime());
  if (before !== undefined) query = query.where("id", "<", before);
  return (await query.orderBy("id", "desc").limit(limit).execute()).map(toSession);
}

/** Whether there was one. */
export async function deleteSession(db: Db, id: string): Promise<boolean> {
  const { numDeletedRows } = await db.deleteFrom("session").where("id", "=", id).executeTakeFirst();
  return Number(numDeletedRows) > 0;
}

/** Ends all sessions of a person but one, and gives their ids. */
export async function deleteSessionsOf(db: Db, userId: string, except?: string): Promise<string[]> {
  let query = db.selectFrom("session").select("id").where("user_id", "=", userId);
  if (except !== undefined) query = query.where("id", "!=", except);
  const ids = (await query.execute()).map(({ id }) => id);
  for (const id of ids) await db.deleteFrom("session").where("id", "=", id).execute();
  return ids;
}

/** Removes what has ended by itself. */
export async function deleteEndedSessions(db: Db, { now, usedAfter }: Liveness): Promise<void> {
  await db
    .deleteFrom("session")
    .where((eb) => eb.or([eb("expires_at", "<=", now.getTime()), eb("last_used_at", "<=", usedAfter.getTime())]))
    .execute();
}
