import type { Permission } from "@docket/contracts/gen/docket/policy/v1/policy_pb.ts";
import type { Holder, HolderKind, Role, RoleBinding } from "../domain/model.ts";
import { foldName } from "../domain/names.ts";
import { type Db, dateOf, type Row } from "./database.ts";

function toRole(row: Row<"role">): Role {
  return {
    id: row.id,
    workspaceId: row.workspace_id,
    name: row.name,
    description: row.description,
    permissions: JSON.parse(row.permissions) as Permission[],
    builtIn: row.built_in,
    createdAt: dateOf(row.created_at),
    version: row.version,
  };
}

/** A role of this workspace or a built-in one. */
export async function findRole(db: Db, workspaceId: string, id: string): Promise<Role | undefined> {
  const row = await db
    .selectFrom("role")
    .selectAll()
    .where("workspace_id", "in", ["", workspaceId])
    .where("id", "=", id)
    .executeTakeFirst();
  return row && toRole(row);
}

/** The built-in roles in their order. */
export async function listBuiltInRoles(db: Db): Promise<Role[]> {
  return (await db.selectFrom("role").selectAll().where("workspace_id", "=", "").orderBy("built_in").execute()).map(
    toRole,
  );
}

/** Custom roles by name. */
export async function listCustomRoles(
  db: Db,
  workspaceId: string,
  after: string | undefined,
  limit: number,
): Promise<{ role: Role; nameKey: string }[]> {
  let query = db.selectFrom("role").selectAll().where("workspace_id", "=", workspaceId);
  if (after !== undefined) query = query.where("name_key", ">", after);
  const rows = await query.orderBy("name_key").limit(limit).execute();
  return rows.map((row) => ({ role: toRole(row), nameKey: row.name_key }));
}

export async function countCustomRoles(db: Db, workspaceId: string): Promise<number> {
  const row = await db
    .selectFrom("role")
    .select((eb) => eb.fn.countAll<number>().as("n"))
    .where("workspace_id", "=", workspaceId)
    .executeTakeFirstOrThrow();
  return Number(row.n);
}

/** Throws a unique violation when the name is taken. */
export async function insertRole(db: Db, role: Role): Promise<void> {
  await db
    .insertInto("role")
    .values({
      workspace_id: role.workspaceId,
      id: role.id,
      name: role.name,
      name_key: foldName(role.name),
      description: role.description,
      permissions: JSON.stringify(role.permissions),
      built_in: role.builtIn,
      created_at: role.createdAt.getTime(),
      version: role.version,
    })
    .execute();
}

/** Throws a unique violation when the name is taken. */
export async function updateRole(
  db: Db,
  workspaceId: string,
  id: string,
  change: { name?: string; description?: string; permissions?: readonly Permission[] },
): Promise<void> {
  await db
    .updateTable("role")
    .set((eb) => ({
      version: eb("version", "+", 1),
      ...(change.name !== undefined && { name: change.name, name_key: foldName(change.name) }),
      ...(change.description !== undefined && { description: change.description }),
      ...(change.permissions !== undefined && { permissions: JSON.stringify(change.permissions) }),
    }))
    .where("workspace_id", "=", workspaceId)
    .where("id", "=", id)
    .execute();
}

export async function deleteRole(db: Db, workspaceId: string, id: string): Promise<void> {
  await db.deleteFrom("role").where("workspace_id", "=", workspaceId).where("id", "=", id).execute();
}

/** Whether somebody holds the role, or an open invitation would give it. */
export async function isRoleInUse(db: Db, workspaceId: string, id: string, now: Date): Promise<boolean> {
  const bound = await db
    .selectFrom("role_binding")
    .select("principal_id")
    .where("workspace_id", "=", workspaceId)
    .where("role_id", "=", id)
    .limit(1)
    .executeTakeFirst();
  if (bound !== undefined) return true;
  const invited = await db
    .selectFrom("invitation")
    .select("id")
    .where("workspace_id", "=", workspaceId)
    .where("role_id", "=", id)
    .where("accepted_by", "is", null)
    .where("revoked_at", "is", null)
    .where("expires_at", ">", now.getTime())
    .limit(1)
    .executeTakeFirst();
  return invited !== undefined;
}

function toBinding(row: Row<"role_binding">): RoleBinding {
  return {
    kind: row.kind as HolderKind,
    id: row.principal_id,
    roleId: row.role_id,
    createdAt: dateOf(row.created_at),
  };
}

export async function findBinding(db: Db, workspaceId: string, holder: Holder): Promise<RoleBinding | undefined> {
  const row = await db
    .selectFrom("role_binding")
    .selectAll()
    .where("workspace_id", "=", workspaceId)
    .where("kind", "=", holder.kind)
    .where("principal_id", "=", holder.id)
    .executeTakeFirst();
  return row && toBinding(row);
}

/** Binds the holder to the role, in place of the one it held. */
export async function setBinding(
  db: Db,
  workspaceId: string,
  holder: Holder,
  roleId: string,
  now: Date,
): Promise<void> {
  await deleteBinding(db, workspaceId, holder);
  await db
    .insertInto("role_binding")
    .values({
      workspace_id: workspaceId,
      kind: holder.kind,
      principal_id: holder.id,
      role_id: roleId,
      created_at: now.getTime(),
    })
    .execute();
}

export async function deleteBinding(db: Db, workspaceId: string, holder: Holder): Promise<void> {
  await db
    .deleteFrom("role_binding")
    .where("workspace_id", "=", workspaceId)
    .where("kind", "=", holder.kind)
    .where("principal_id", "=", holder.id)
    .execute();
}

export async function listBindings(
  db: Db,
  workspaceId: string,
  kind: HolderKind | undefined,
  after: readonly [kind: number, id: string] | undefined,
  limit: number,
): Promise<RoleBinding[]> {
  let query = db.selectFrom("role_binding").selectAll().where("workspace_id", "=", workspaceId);
  if (kind !== undefined) query = query.where("kind", "=", kind);
  if (after !== undefined) {
    const [lastKind, id] = after;
    query = query.where((eb) =>
      eb.or([eb("kind", ">", lastKind), eb.and([eb("kind", "=", lastKind), eb("principal_id", ">", id)])]),
    );
  }
  return (await query.orderBy("kind").orderBy("principal_id").limit(limit).execute()).map(toBinding);
}

/** The roles that these holders hold directly, each with its holder. */
export async function rolesOf(
  db: Db,
  workspaceId: string,
  holders: readonly Holder[],
): Promise<{ holder: Holder; role: Role }[]> {
  if (holders.length === 0) return [];
  const rows = await db
    .selectFrom("role_binding")
    .innerJoin("role", (join) =>
      join.onRef("role.id", "=", "role_binding.role_id").on((eb) => eb("role.workspace_id", "in", ["", workspaceId])),
    )
    .selectAll("role")
    .select(["role_binding.kind as holder_kind", "role_binding.principal_id as holder_id"])
    .where("role_binding.workspace_id", "=", workspaceId)
    .where((eb) =>
      eb.or(
        [1, 2, 3].flatMap((kind) => {
          const ids = holders.filter((holder) => holder.kind === kind).map((holder) => holder.id);
          return ids.length === 0
            ? []
            : [eb.and([eb("role_binding.kind", "=", kind), eb("role_binding.principal_id", "in", ids)])];
        }),
      ),
    )
    .execute();
  return rows.map((row) => ({
    holder: { kind: row.holder_kind as HolderKind, id: row.holder_id },
    role: toRole(row),
  }));
}
