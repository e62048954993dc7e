import { notFound } from "@docket/runtime/errors";
import { type Account, holderKinds, type Member, type Workspace } from "../domain/model.ts";
import { foldName } from "../domain/names.ts";
import { builtInRoleIds } from "../domain/roles.ts";
import { toAccount } from "./account_store.ts";
import { type Db, dateOf, optionalDate, type Row } from "./database.ts";

function toWorkspace(row: Row<"workspace">): Workspace {
  return {
    id: row.id,
    name: row.name,
    timeZone: row.time_zone,
    quotaBytes: row.quota_bytes,
    maxFileBytes: row.max_file_bytes,
    createdBy: row.created_by,
    createdAt: dateOf(row.created_at),
    deletedAt: optionalDate(row.deleted_at),
    epoch: row.epoch,
    version: row.version,
  };
}

export async function insertWorkspace(db: Db, workspace: Workspace): Promise<void> {
  await db
    .insertInto("workspace")
    .values({
      id: workspace.id,
      name: workspace.name,
      time_zone: workspace.timeZone,
      quota_bytes: workspace.quotaBytes,
      max_file_bytes: workspace.maxFileBytes,
      created_by: workspace.createdBy,
      created_at: workspace.createdAt.getTime(),
      deleted_at: null,
      epoch: workspace.epoch,
      version: workspace.version,
    })
    .execute();
}

/** Deleted ones too. */
export async function findWorkspace(db: Db, id: string): Promise<Workspace | undefined> {
  const row = await db.selectFrom("workspace").selectAll().where("id", "=", id).executeTakeFirst();
  return row && toWorkspace(row);
}

/**
 * Takes the workspace's lock and gives its new epoch. The first statement of every transaction that bears on access,
 * so that two of them cannot both see the last owner but one. Throws NOT_FOUND for a deleted workspace.
 */
export async function lockWorkspace(db: Db, id: string): Promise<number> {
  const { numUpdatedRows } = await db
    .updateTable("workspace")
    .set((eb) => ({ epoch: eb("epoch", "+", 1) }))
    .where("id", "=", id)
    .where("deleted_at", "is", null)
    .executeTakeFirst();
  if (Number(numUpdatedRows) === 0) throw notFound("workspace", id);
  const row = await db.selectFrom("workspace").select("epoch").where("id", "=", id).executeTakeFirstOrThrow();
  return row.epoch;
}

export async function updateWorkspace(db: Db, id: string, change: { name?: string; timeZone?: string }): Promise<void> {
  await db
    .updateTable("workspace")
    .set((eb) => ({
      version: eb("version", "+", 1),
      ...(change.name !== undefined && { name: change.name }),
      ...(change.timeZone !== undefined && { time_zone: change.timeZone }),
    }))
    .where("id", "=", id)
    .execute();
}

/** Marks a workspace as deleted and removes who and what had access to it. Its row stays, so that others can ask. */
export async function deleteWorkspace(db: Db, id: string, now: Date): Promise<void> {
  await db.updateTable("workspace").set({ deleted_at: now.getTime() }).where("id", "=", id).execute();
  await db
    .deleteFrom("api_key_secret")
    .where("key_id", "in", (eb) => eb.selectFrom("api_key").select("id").where("workspace_id", "=", id))
    .execute();
  for (const table of [
    "api_key",
    "application",
    "invitation",
    "group_member",
    "user_group",
    "role_binding",
    "role",
    "member",
    "former_principal",
  ] as const) {
    await db.deleteFrom(table).where("workspace_id", "=", id).execute();
  }
}

/** The workspaces of a person by name, with the role that it holds directly. */
export async function listWorkspacesOf(
  db: Db,
  userId: string,
  after: readonly [name: string, id: string] | undefined,
  limit: number,
): Promise<{ workspace: Workspace; roleId: string }[]> {
  let query = db
    .selectFrom("member")
    .innerJoin("workspace", "workspace.id", "member.workspace_id")
    .leftJoin("role_binding", (join) =>
      join
        .onRef("role_binding.workspace_id", "=", "member.workspace_id")
        .on("role_binding.kind", "=", holderKinds.person)
        .onRef("role_binding.principal_id", "=", "member.user_id"),
    )
    .selectAll("workspace")
    .select("role_binding.role_id")
    .where("member.user_id", "=", userId);
  if (after !== undefined) {
    const [name, id] = after;
    query = query.where((eb) =>
      eb.or([eb("workspace.name", ">", name), eb.and([eb("workspace.name", "=", name), eb("workspace.id", ">", id)])]),
    );
  }
  const rows = await query.orderBy("workspace.name").orderBy("workspace.id").limit(limit).execute();
  return rows.map((row) => ({ workspace: toWorkspace(row), roleId: row.role_id ?? "" }));
}

export async function countMemberships(db: Db, userId: string): Promise<number> {
  const row = await db
    .selectFrom("member")
    .select((eb) => eb.fn.countAll<number>().as("n"))
    .where("user_id", "=", userId)
    .executeTakeFirstOrThrow();
  return Number(row.n);
}

export async function workspaceIdsOf(db: Db, userId: string): Promise<string[]> {
  const rows = await db.selectFrom("member").select("workspace_id").where("user_id", "=", userId).execute();
  return rows.map((row) => row.workspace_id).sort();
}

/** The person becomes a member; its role is bound by the caller of this. */
export async function insertMember(db: Db, workspaceId: string, account: Account, now: Date): Promise<void> {
  await db
    .insertInto("member")
    .values({
      workspace_id: workspaceId,
      user_id: account.id,
      name_key: foldName(account.displayName),
      joined_at: now.getTime(),
      version: 1,
    })
    .execute();
}

export async function isMember(db: Db, workspaceId: string, userId: string): Promise<boolean> {
  const row = await db
    .selectFrom("member")
    .select("user_id")
    .where("workspace_id", "=", workspaceId)
    .where("user_id", "=", userId)
    .executeTakeFirst();
  return row !== undefined;
}

export async function touchMember(db: Db, workspaceId: string, userId: string): Promise<void> {
  await db
    .updateTable("member")
    .set((eb) => ({ version: eb("version", "+", 1) }))
    .where("workspace_id", "=", workspaceId)
    .where("user_id", "=", userId)
    .execute();
}

/** Takes a person out of a workspace, its groups and its role. */
export async function deleteMember(db: Db, workspaceId: string, userId: string): Promise<void> {
  await db
    .deleteFrom("group_member")
    .where("workspace_id", "=", workspaceId)
    .where("kind", "=", holderKinds.person)
    .where("principal_id", "=", userId)
    .execute();
  await db
    .deleteFrom("role_binding")
    .where("workspace_id", "=", workspaceId)
    .where("kind", "=", holderKinds.person)
    .where("principal_id", "=", userId)
    .execute();
  await db.deleteFrom("member").where("workspace_id", "=", workspaceId).where("user_id", "=", userId).execute();
}

/** Members in the order of names; one only when `userId` is given. */
export async function listMembers(
  db: Db,
  workspaceId: string,
  options: { userId?: string; after?: readonly [nameKey: string, id: string] | undefined; limit: number },
): Promise<{ member: Member; nameKey: string }[]> {
  const { userId, after, limit } = options;
  let query = db
    .selectFrom("member")
    .innerJoin("account", "account.id", "member.user_id")
    .leftJoin("role_binding", (join) =>
      join
        .onRef("role_binding.workspace_id", "=", "member.workspace_id")
        .on("role_binding.kind", "=", holderKinds.person)
        .onRef("role_binding.principal_id", "=", "member.user_id"),
    )
    .selectAll("account")
    .select([
      "member.name_key as member_name_key",
      "member.joined_at",
      "member.version as member_version",
      "role_binding.role_id",
    ])
    .where("member.workspace_id", "=", workspaceId);
  if (userId !== undefined) query = query.where("member.user_id", "=", userId);
  if (after !== undefined) {
    const [nameKey, id] = after;
    query = query.where((eb) =>
      eb.or([
        eb("member.name_key", ">", nameKey),
        eb.and([eb("member.name_key", "=", nameKey), eb("member.user_id", ">", id)]),
      ]),
    );
  }
  const rows = await query.orderBy("member.name_key").orderBy("member.user_id").limit(limit).execute();
  return rows.map((row) => ({
    nameKey: row.member_name_key,
    member: {
      account: toAccount(row),
      roleId: row.role_id ?? "",
      joinedAt: dateOf(row.joined_at),
      version: row.member_version,
    },
  }));
}

/** Owners of a workspace who can sign in, other than this person. */
export async function otherOwners(db: Db, workspaceId: string, userId: string): Promise<string[]> {
  const rows = await db
    .selectFrom("role_binding")
    .innerJoin("account", "account.id", "role_binding.principal_id")
    .select("account.id")
    .where("role_binding.workspace_id", "=", workspaceId)
    .where("role_binding.kind", "=", holderKinds.person)
    .where("role_binding.role_id", "=", builtInRoleIds.owner)
    .where("role_binding.principal_id", "!=", userId)
    .where("account.disabled_at", "is", null)
    .orderBy("role_binding.created_at")
    .orderBy("account.id")
    .execute();
  return rows.map((row) => row.id);
}

/** The workspaces that a person owns. */
export async function ownedWorkspaceIds(db: Db, userId: string): Promise<string[]> {
  const rows = await db
    .selectFrom("member")
    .innerJoin("role_binding", (join) =>
      join
        .onRef("role_binding.workspace_id", "=", "member.workspace_id")
        .on("role_binding.kind", "=", holderKinds.person)
        .onRef("role_binding.principal_id", "=", "member.user_id"),
    )
    .select("member.workspace_id")
    .where("member.user_id", "=", userId)
    .where("role_binding.role_id", "=", builtInRoleIds.owner)
    .execute();
  return rows.map((row) => row.workspace_id);
}
