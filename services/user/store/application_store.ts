import { type Application, holderKinds } from "../domain/model.ts";
import { foldName } from "../domain/names.ts";
import { type Db, dateOf, type Row } from "./database.ts";

export function toApplication(row: Row<"application">): Application {
  return {
    id: row.id,
    workspaceId: row.workspace_id,
    name: row.name,
    description: row.description,
    createdBy: row.created_by,
    ownerId: row.owner_id,
    createdAt: dateOf(row.created_at),
    version: row.version,
  };
}

export async function findApplication(db: Db, workspaceId: string, id: string): Promise<Application | undefined> {
  const row = await db
    .selectFrom("application")
    .selectAll()
    .where("workspace_id", "=", workspaceId)
    .where("id", "=", id)
    .executeTakeFirst();
  return row && toApplication(row);
}

export async function findApplications(db: Db, workspaceId: string, ids: readonly string[]): Promise<Application[]> {
  if (ids.length === 0) return [];
  const rows = await db
    .selectFrom("application")
    .selectAll()
    .where("workspace_id", "=", workspaceId)
    .where("id", "in", ids)
    .execute();
  return rows.map(toApplication);
}

export async function listApplications(
  db: Db,
  workspaceId: string,
  after: string | undefined,
  limit: number,
): Promise<{ application: Application; nameKey: string }[]> {
  let query = db.selectFrom("application").selectAll().where("workspace_id", "=", workspaceId);
  if (after !== undefined) query = query.where("name_key", ">", after);
  const rows = await query.orderBy("name_key").limit(limit).execute();
  return rows.map((row) => ({ application: toApplication(row), nameKey: row.name_key }));
}

export async function countApplications(db: Db, workspaceId: string): Promise<number> {
  const row = await db
    .selectFrom("application")
    .select((eb) => eb.fn.countAll<number>().as("n"))
    .where("workspace_id", "=", workspaceId)
    .executeTakeFirstOrThrow();
  return Number(row.n);
}

/** Throws a unique violation when the name is taken. */
export async function insertApplication(db: Db, application: Application): Promise<void> {
  await db
    .insertInto("application")
    .values({
      workspace_id: application.workspaceId,
      id: application.id,
      name: application.name,
      name_key: foldName(application.name),
      description: application.description,
      created_by: application.createdBy,
      owner_id: application.ownerId,
      created_at: application.createdAt.getTime(),
      version: application.version,
    })
    .execute();
}

/** Throws a unique violation when the name is taken. */
export async function updateApplication(
  db: Db,
  workspaceId: string,
  id: string,
  change: { name?: string; description?: string; ownerId?: string },
): Promise<void> {
  await db
    .updateTable("application")
    .set((eb) => ({
      version: eb("version", "+", 1),
      ...(change.name !== undefined && { name: change.name, name_key: foldName(change.name) }),
      ...(change.description !== undefined && { description: change.description }),
      ...(change.ownerId !== undefined && { owner_id: change.ownerId }),
    }))
    .where("workspace_id", "=", workspaceId)
    .where("id", "=", id)
    .execute();
}

/** Removes an application with its keys and its role. */
export async function deleteApplication(db: Db, workspaceId: string, id: string): Promise<void> {
  await db
    .deleteFrom("api_key_secret")
    .where("key_id", "in", (eb) =>
      eb.selectFrom("api_key").select("id").where("workspace_id", "=", workspaceId).where("application_id", "=", id),
    )
    .execute();
  await db.deleteFrom("api_key").where("workspace_id", "=", workspaceId).where("application_id", "=", id).execute();
  await db
    .deleteFrom("role_binding")
    .where("workspace_id", "=", workspaceId)
    .where("kind", "=", holderKinds.application)
    .where("principal_id", "=", id)
    .execute();
  await db.deleteFrom("application").where("workspace_id", "=", workspaceId).where("id", "=", id).execute();
}

/** Somebody else answers from now on for a person's applications in a workspace. */
export async function handOverApplications(db: Db, workspaceId: string, from: string, to: string): Promise<void> {
  await db
    .updateTable("application")
    .set((eb) => ({ owner_id: to, version: eb("version", "+", 1) }))
    .where("workspace_id", "=", workspaceId)
    .where("owner_id", "=", from)
    .execute();
}

/** The workspaces of the applications that a person owns. */
export async function applicationWorkspacesOf(db: Db, ownerId: string): Promise<string[]> {
  const rows = await db
    .selectFrom("application")
    .select("workspace_id")
    .distinct()
    .where("owner_id", "=", ownerId)
    .execute();
  return rows.map((row) => row.workspace_id);
}
