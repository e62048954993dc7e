import type { GroupEdge } from "../domain/groups.ts";
import { type Group, type GroupMember, type Holder, type HolderKind, holderKinds } from "../domain/model.ts";
import { foldName } from "../domain/names.ts";
import { type Db, dateOf, type Row } from "./database.ts";

function toGroup(row: Row<"user_group">): Group {
  return {
    id: row.id,
    workspaceId: row.workspace_id,
    name: row.name,
    description: row.description,
    createdAt: dateOf(row.created_at),
    version: row.version,
  };
}

export async function findGroup(db: Db, workspaceId: string, id: string): Promise<Group | undefined> {
  const row = await db
    .selectFrom("user_group")
    .selectAll()
    .where("workspace_id", "=", workspaceId)
    .where("id", "=", id)
    .executeTakeFirst();
  return row && toGroup(row);
}

export async function findGroups(db: Db, workspaceId: string, ids: readonly string[]): Promise<Group[]> {
  if (ids.length === 0) return [];
  const rows = await db
    .selectFrom("user_group")
    .selectAll()
    .where("workspace_id", "=", workspaceId)
    .where("id", "in", ids)
    .execute();
  return rows.map(toGroup);
}

export async function listGroups(
  db: Db,
  workspaceId: string,
  after: string | undefined,
  limit: number,
): Promise<{ group: Group; nameKey: string }[]> {
  let query = db.selectFrom("user_group").selectAll().where("workspace_id", "=", workspaceId);
  if (after !== undefined) query = query.where("name_key", ">", after);
  const rows = await query.orderBy("name_key").limit(limit).execute();
  return rows.map((row) => ({ group: toGroup(row), nameKey: row.name_key }));
}

export async function countGroups(db: Db, workspaceId: string): Promise<number> {
  const row = await db
    .selectFrom("user_group")
    .select((eb) => eb.fn.countAll<number>().as("n"))
    .where("workspace_id", "=", workspaceId)
    .executeTakeFirstOrThrow();
  return Number(row.n);
}

/** Throws a unique violation when the name is taken. */
export async function insertGroup(db: Db, group: Group): Promise<void> {
  await db
    .insertInto("user_group")
    .values({
      workspace_id: group.workspaceId,
      id: group.id,
      name: group.name,
      name_key: foldName(group.name),
      description: group.description,
      created_at: group.createdAt.getTime(),
      version: group.version,
    })
    .execute();
}

/** Throws a unique violation when the name is taken. */
export async function updateGroup(
  db: Db,
  workspaceId: string,
  id: string,
  change: { name?: string; description?: string },
): Promise<void> {
  await db
    .updateTable("user_group")
    .set((eb) => ({
      version: eb("version", "+", 1),
      ...(change.name !== undefined && { name: change.name, name_key: foldName(change.name) }),
      ...(change.description !== undefined && { description: change.description }),
    }))
    .where("workspace_id", "=", workspaceId)
    .where("id", "=", id)
    .execute();
}

/** Removes a group with who is in it, its place in other groups and its role. */
export async function deleteGroup(db: Db, workspaceId: string, id: string): Promise<void> {
  await db.deleteFrom("group_member").where("workspace_id", "=", workspaceId).where("group_id", "=", id).execute();
  for (const table of ["group_member", "role_binding"] as const) {
    await db
      .deleteFrom(table)
      .where("workspace_id", "=", workspaceId)
      .where("kind", "=", holderKinds.group)
      .where("principal_id", "=", id)
      .execute();
  }
  await db.deleteFrom("user_group").where("workspace_id", "=", workspaceId).where("id", "=", id).execute();
}

/** Which groups hold which groups. */
export async function groupEdges(db: Db, workspaceId: string): Promise<GroupEdge[]> {
  return await db
    .selectFrom("group_member")
    .select(["group_id as parent", "principal_id as child"])
    .where("workspace_id", "=", workspaceId)
    .where("kind", "=", holderKinds.group)
    .execute();
}

/** The groups that somebody is in directly. */
export async function directGroups(db: Db, workspaceId: string, holder: Holder): Promise<string[]> {
  const rows = await db
    .selectFrom("group_member")
    .select("group_id")
    .where("workspace_id", "=", workspaceId)
    .where("kind", "=", holder.kind)
    .where("principal_id", "=", holder.id)
    .execute();
  return rows.map((row) => row.group_id);
}

/** The groups that somebody is in, directly or through others. */
export async function allGroups(db: Db, workspaceId: string, holder: Holder): Promise<string[]> {
  const rows = await db
    .withRecursive("up(group_id)", (cte) =>
      cte
        .selectFrom("group_member")
        .select("group_member.group_id as group_id")
        .where("group_member.workspace_id", "=", workspaceId)
        .where("group_member.kind", "=", holder.kind)
        .where("group_member.principal_id", "=", holder.id)
        .union(
          cte
            .selectFrom("group_member")
            .innerJoin("up", "up.group_id", "group_member.principal_id")
            .select("group_member.group_id as group_id")
            .where("group_member.workspace_id", "=", workspaceId)
            .where("group_member.kind", "=", holderKinds.group),
        ),
    )
    .selectFrom("up")
    .select("up.group_id")
    .execute();
  return rows.map((row) => row.group_id).sort();
}

/** The persons in a group, directly or through the groups in it. */
export async function personsIn(db: Db, workspaceId: string, groupId: string): Promise<string[]> {
  const rows = await db
    .withRecursive("down(group_id)", (cte) =>
      cte
        .selectFrom("user_group")
        .select("user_group.id as group_id")
        .where("user_group.workspace_id", "=", workspaceId)
        .where("user_group.id", "=", groupId)
        .union(
          cte
            .selectFrom("group_member")
            .innerJoin("down", "down.group_id", "group_member.group_id")
            .select("group_member.principal_id as group_id")
            .where("group_member.workspace_id", "=", workspaceId)
            .where("group_member.kind", "=", holderKinds.group),
        ),
    )
    .selectFrom("group_member")
    .innerJoin("down", "down.group_id", "group_member.group_id")
    .select("group_member.principal_id as user_id")
    .distinct()
    .where("group_member.workspace_id", "=", workspaceId)
    .where("group_member.kind", "=", holderKinds.person)
    .execute();
  return rows.map((row) => row.user_id).sort();
}

function toGroupMember(row: Row<"group_member">): GroupMember {
  return { kind: row.kind as HolderKind, id: row.principal_id, addedAt: dateOf(row.added_at) };
}

export async function findGroupMember(
  db: Db,
  workspaceId: string,
  groupId: string,
  holder: Holder,
): Promise<GroupMember | undefined> {
  const row = await db
    .selectFrom("group_member")
    .selectAll()
    .where("workspace_id", "=", workspaceId)
    .where("group_id", "=", groupId)
    .where("kind", "=", holder.kind)
    .where("principal_id", "=", holder.id)
    .executeTakeFirst();
  return row && toGroupMember(row);
}

export async function insertGroupMember(
  db: Db,
  workspaceId: string,
  groupId: string,
  holder: Holder,
  now: Date,
): Promise<void> {
  await db
    .insertInto("group_member")
    .values({
      workspace_id: workspaceId,
      group_id: groupId,
      kind: holder.kind,
      principal_id: holder.id,
      added_at: now.getTime(),
    })
    .execute();
}

export async function deleteGroupMember(db: Db, workspaceId: string, groupId: string, holder: Holder): Promise<void> {
  await db
    .deleteFrom("group_member")
    .where("workspace_id", "=", workspaceId)
    .where("group_id", "=", groupId)
    .where("kind", "=", holder.kind)
    .where("principal_id", "=", holder.id)
    .execute();
}

export async function countGroupMembers(db: Db, workspaceId: string, groupId: string): Promise<number> {
  const row = await db
    .selectFrom("group_member")
    .select((eb) => eb.fn.countAll<number>().as("n"))
    .where("workspace_id", "=", workspaceId)
    .where("group_id", "=", groupId)
    .executeTakeFirstOrThrow();
  return Number(row.n);
}

export async function listGroupMembers(
  db: Db,
  workspaceId: string,
  groupId: string,
  after: readonly [kind: number, id: string] | undefined,
  limit: number,
): Promise<GroupMember[]> {
  let query = db
    .selectFrom("group_member")
    .selectAll()
    .where("workspace_id", "=", workspaceId)
    .where("group_id", "=", groupId);
  if (after !== undefined) {
    const [kind, id] = after;
    query = query.where((eb) =>
      eb.or([eb("kind", ">", kind), eb.and([eb("kind", "=", kind), eb("principal_id", ">", id)])]),
    );
  }
  return (await query.orderBy("kind").orderBy("principal_id").limit(limit).execute()).map(toGroupMember);
}
