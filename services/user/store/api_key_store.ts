import type { Permission } from "@docket/contracts/gen/docket/policy/v1/policy_pb.ts";
import type { ApiKey, ApiKeySecret } from "../domain/model.ts";
import { type Db, dateOf, optionalDate, type Row } from "./database.ts";

function toApiKey(row: Row<"api_key">): ApiKey {
  return {
    id: row.id,
    applicationId: row.application_id,
    workspaceId: row.workspace_id,
    name: row.name,
    scopes: JSON.parse(row.scopes) as Permission[],
    createdAt: dateOf(row.created_at),
    expiresAt: optionalDate(row.expires_at),
    lastUsedAt: optionalDate(row.last_used_at),
    revokedAt: optionalDate(row.revoked_at),
  };
}

export async function insertApiKey(db: Db, key: ApiKey): Promise<void> {
  await db
    .insertInto("api_key")
    .values({
      id: key.id,
      workspace_id: key.workspaceId,
      application_id: key.applicationId,
      name: key.name,
      scopes: JSON.stringify(key.scopes),
      created_at: key.createdAt.getTime(),
      expires_at: key.expiresAt?.getTime() ?? null,
      last_used_at: null,
      revoked_at: null,
    })
    .execute();
}

export async function findApiKey(db: Db, workspaceId: string, id: string): Promise<ApiKey | undefined> {
  const row = await db
    .selectFrom("api_key")
    .selectAll()
    .where("id", "=", id)
    .where("workspace_id", "=", workspaceId)
    .executeTakeFirst();
  return row && toApiKey(row);
}

/** A key that works now and whose application's owner is not disabled. The hashes are those of its live secrets. */
export async function findLiveApiKey(
  db: Db,
  id: string,
  now: Date,
): Promise<{ key: ApiKey; secretHashes: string[] } | undefined> {
  const row = await db
    .selectFrom("api_key")
    .innerJoin("application", (join) =>
      join
        .onRef("application.id", "=", "api_key.application_id")
        .onRef("application.workspace_id", "=", "api_key.workspace_id"),
    )
    .innerJoin("account", "account.id", "application.owner_id")
    .selectAll("api_key")
    .where("api_key.id", "=", id)
    .where("api_key.revoked_at", "is", null)
    .where((eb) => eb.or([eb("api_key.expires_at", "is", null), eb("api_key.expires_at", ">", now.getTime())]))
    .where("account.disabled_at", "is", null)
    .executeTakeFirst();
  if (row === undefined) return undefined;
  const secrets = await db.selectFrom("api_key_secret").select("secret_hash").where("key_id", "=", id).execute();
  return { key: toApiKey(row), secretHashes: secrets.map((secret) => secret.secret_hash) };
}

export async function listApiKeys(
  db: Db,
  workspaceId: string,
  applicationId: string,
  before: string | undefined,
  limit: number,
): Promise<ApiKey[]> {
  let query = db
    .selectFrom("api_key")
    .selectAll()
    .where("workspace_id", "=", workspaceId)
    .where("application_id", "=", applicationId);
  if (before !== undefined) query = query.where("id", "<", before);
  return (await query.orderBy("id", "desc").limit(limit).execute()).map(toApiKey);
}

export async function countLiveApiKeys(db: Db, workspaceId: string, applicationId: string): Promise<number> {
  const row = await db
    .selectFrom("api_key")
    .select((eb) => eb.fn.countAll<number>().as("n"))
    .where("workspace_id", "=", workspaceId)
    .where("application_id", "=", applicationId)
    .where("revoked_at", "is", null)
    .executeTakeFirstOrThrow();
  return Number(row.n);
}

/** Live keys of an application. */
export async function liveApiKeyIds(db: Db, workspaceId: string, applicationId: string): Promise<string[]> {
  const rows = await db
    .selectFrom("api_key")
    .select("id")
    .where("workspace_id", "=", workspaceId)
    .where("application_id", "=", applicationId)
    .where("revoked_at", "is", null)
    .execute();
  return rows.map((row) => row.id);
}

/** Live keys of all applications that a person owns. */
export async function liveApiKeysOwnedBy(db: Db, userId: string): Promise<ApiKey[]> {
  const rows = await db
    .selectFrom("api_key")
    .innerJoin("application", (join) =>
      join
        .onRef("application.id", "=", "api_key.application_id")
        .onRef("application.workspace_id", "=", "api_key.workspace_id"),
    )
    .selectAll("api_key")
    .where("application.owner_id", "=", userId)
    .where("api_key.revoked_at", "is", null)
    .execute();
  return rows.map(toApiKey);
}

export async function touchApiKey(db: Db, id: string, now: Date): Promise<void> {
  await db.updateTable("api_key").set({ last_used_at: now.getTime() }).where("id", "=", id).execute();
}

/** Whether it worked until now. Its secrets are removed. */
export async function revokeApiKey(db: Db, id: string, now: Date): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable("api_key")
    .set({ revoked_at: now.getTime() })
    .where("id", "=", id)
    .where("revoked_at", "is", null)
    .executeTakeFirst();
  await db.deleteFrom("api_key_secret").where("key_id", "=", id).execute();
  return Number(numUpdatedRows) > 0;
}

export async function insertApiKeySecret(db: Db, keyId: string, secret: ApiKeySecret, hash: string): Promise<void> {
  await db
    .insertInto("api_key_secret")
    .values({
      key_id: keyId,
      id: secret.id,
      secret_hash: hash,
      ending: secret.ending,
      created_at: secret.createdAt.getTime(),
    })
    .execute();
}

/** Whether there was one. */
export async function deleteApiKeySecret(db: Db, keyId: string, id: string): Promise<boolean> {
  const { numDeletedRows } = await db
    .deleteFrom("api_key_secret")
    .where("key_id", "=", keyId)
    .where("id", "=", id)
    .executeTakeFirst();
  return Number(numDeletedRows) > 0;
}

/** The live secrets of several keys, the older first. */
export async function secretsOf(db: Db, keyIds: readonly string[]): Promise<Map<string, ApiKeySecret[]>> {
  const found = new Map<string, ApiKeySecret[]>(keyIds.map((id) => [id, []]));
  if (keyIds.length === 0) return found;
  const rows = await db.selectFrom("api_key_secret").selectAll().where("key_id", "in", keyIds).orderBy("id").execute();
  for (const row of rows) {
    found.get(row.key_id)?.push({ id: row.id, ending: row.ending, createdAt: dateOf(row.created_at) });
  }
  return found;
}
