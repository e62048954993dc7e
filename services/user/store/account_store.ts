import type { Account } from "../domain/model.ts";
import { foldName } from "../domain/names.ts";
import { type Db, dateOf, optionalDate, type Row } from "./database.ts";

export function toAccount(row: Row<"account">): Account {
  return {
    id: row.id,
    email: row.email,
    displayName: row.display_name,
    locale: row.locale,
    timeZone: row.time_zone,
    passwordHash: row.password_hash,
    administrator: row.administrator === 1,
    createdAt: dateOf(row.created_at),
    disabledAt: optionalDate(row.disabled_at),
    resetRequestedAt: optionalDate(row.reset_requested_at),
    version: row.version,
  };
}

/** Takes the lock of the instance, for what concerns all of it: the first account, the last administrator. */
export async function lockInstance(db: Db): Promise<void> {
  await db
    .updateTable("instance")
    .set((eb) => ({ writes: eb("writes", "+", 1) }))
    .where("id", "=", 1)
    .execute();
}

export async function findAccount(db: Db, id: string): Promise<Account | undefined> {
  const row = await db.selectFrom("account").selectAll().where("id", "=", id).executeTakeFirst();
  return row && toAccount(row);
}

/** By the folded address. */
export async function findAccountByEmail(db: Db, email: string): Promise<Account | undefined> {
  const row = await db.selectFrom("account").selectAll().where("email", "=", email).executeTakeFirst();
  return row && toAccount(row);
}

export async function hasAccounts(db: Db): Promise<boolean> {
  return (await db.selectFrom("account").select("id").limit(1).executeTakeFirst()) !== undefined;
}

/** Throws a unique violation when the address is taken. */
export async function insertAccount(db: Db, account: Account): Promise<void> {
  await db
    .insertInto("account")
    .values({
      id: account.id,
      email: account.email,
      display_name: account.displayName,
      name_key: foldName(account.displayName),
      locale: account.locale,
      time_zone: account.timeZone,
      password_hash: account.passwordHash,
      administrator: account.administrator ? 1 : 0,
      created_at: account.createdAt.getTime(),
      disabled_at: null,
      reset_requested_at: null,
      version: account.version,
    })
    .execute();
}

export interface AccountChange {
  readonly displayName?: string;
  readonly locale?: string;
  readonly timeZone?: string;
  readonly passwordHash?: string;
  readonly administrator?: boolean;
  /** Null: enabled. */
  readonly disabledAt?: Date | null;
  /** Null: none is open. */
  readonly resetRequestedAt?: Date | null;
}

/** Changes an account and its version. A new name is also written where members are listed by it. */
export async function updateAccount(db: Db, id: string, change: AccountChange): Promise<void> {
  const { displayName } = change;
  await db
    .updateTable("account")
    .set((eb) => ({
      version: eb("version", "+", 1),
      ...(displayName !== undefined && { display_name: displayName, name_key: foldName(displayName) }),
      ...(change.locale !== undefined && { locale: change.locale }),
      ...(change.timeZone !== undefined && { time_zone: change.timeZone }),
      ...(change.passwordHash !== undefined && { password_hash: change.passwordHash }),
      ...(change.administrator !== undefined && { administrator: change.administrator ? 1 : 0 }),
      ...(change.disabledAt !== undefined && { disabled_at: change.disabledAt?.getTime() ?? null }),
      ...(change.resetRequestedAt !== undefined && { reset_requested_at: change.resetRequestedAt?.getTime() ?? null }),
    }))
    .where("id", "=", id)
    .execute();
  if (displayName === undefined) return;
  await db
    .updateTable("member")
    .set({ name_key: foldName(displayName) })
    .where("user_id", "=", id)
    .execute();
}

/** Notes the wish for a new password, of whoever has this address. */
export async function noteResetRequest(db: Db, email: string, now: Date): Promise<void> {
  await db.updateTable("account").set({ reset_requested_at: now.getTime() }).where("email", "=", email).execute();
}

/** How many administrators can sign in. */
export async function countAdministrators(db: Db): Promise<number> {
  const row = await db
    .selectFrom("account")
    .select((eb) => eb.fn.countAll<number>().as("n"))
    .where("administrator", "=", 1)
    .where("disabled_at", "is", null)
    .executeTakeFirstOrThrow();
  return Number(row.n);
}

export interface AccountFilter {
  /** Only those that share a workspace with this person, and the person. Undefined: all. */
  readonly visibleTo: string | undefined;
  readonly workspaceId: string | undefined;
  readonly disabled: boolean | undefined;
}

/** Accounts in the order of names, from after the given one on. */
export async function listAccounts(
  db: Db,
  filter: AccountFilter,
  after: readonly [nameKey: string, id: string] | undefined,
  limit: number,
): Promise<{ account: Account; nameKey: string }[]> {
  const { visibleTo, workspaceId, disabled } = filter;
  let query = db.selectFrom("account").selectAll("account");
  if (workspaceId !== undefined) {
    query = query
      .innerJoin("member", "member.user_id", "account.id")
      .where("member.workspace_id", "=", workspaceId) as unknown as typeof query;
  }
  if (visibleTo !== undefined) {
    query = query.where((eb) =>
      eb.or([
        eb("account.id", "=", visibleTo),
        eb.exists(
          eb
            .selectFrom("member as theirs")
            .innerJoin("member as mine", "mine.workspace_id", "theirs.workspace_id")
            .select("theirs.user_id")
            .whereRef("theirs.user_id", "=", "account.id")
            .where("mine.user_id", "=", visibleTo),
        ),
      ]),
    );
  }
  if (disabled !== undefined) query = query.where("account.disabled_at", disabled ? "is not" : "is", null);
  if (after !== undefined) {
    const [nameKey, id] = after;
    query = query.where((eb) =>
      eb.or([
        eb("account.name_key", ">", nameKey),
        eb.and([eb("account.name_key", "=", nameKey), eb("account.id", ">", id)]),
      ]),
    );
  }
  const rows = await query.orderBy("account.name_key").orderBy("account.id").limit(limit).execute();
  return rows.map((row) => ({ account: toAccount(row), nameKey: row.name_key }));
}

/** Whether two persons are in one workspace. */
export async function shareWorkspace(db: Db, one: string, other: string): Promise<boolean> {
  const row = await db
    .selectFrom("member as mine")
    .innerJoin("member as theirs", "theirs.workspace_id", "mine.workspace_id")
    .select("mine.workspace_id")
    .where("mine.user_id", "=", one)
    .where("theirs.user_id", "=", other)
    .limit(1)
    .executeTakeFirst();
  return row !== undefined;
}
