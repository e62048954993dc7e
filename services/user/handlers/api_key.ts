import { create } from "@bufbuild/protobuf";
import { timestampDate } from "@bufbuild/protobuf/wkt";
import type { ServiceImpl } from "@connectrpc/connect";
import { Reason } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import type { Permission } from "@docket/contracts/gen/docket/policy/v1/policy_pb.ts";
import {
  ApiKeyService,
  CreateApiKeyResponseSchema,
  CreateApiKeySecretResponseSchema,
} from "@docket/contracts/gen/docket/user/v1/api_key_service_pb.ts";
import { isKeyScope } from "@docket/contracts/policy";
import { subjectOf } from "@docket/runtime/call";
import { openPage } from "@docket/runtime/db/page";
import { idempotent } from "@docket/runtime/db/request_record";
import { AppError, invalidArgument, notFound } from "@docket/runtime/errors";
import { newId } from "@docket/runtime/ids";
import { hashSecret, newSecret } from "../credentials/vault.ts";
import type { ApiKey, ApiKeySecret } from "../domain/model.ts";
import { holderKinds } from "../domain/model.ts";
import { endingOf, formatKeySecret, maxLiveSecrets } from "../domain/secrets.ts";
import {
  countLiveApiKeys,
  deleteApiKeySecret,
  findApiKey,
  insertApiKey,
  insertApiKeySecret,
  listApiKeys,
  revokeApiKey,
  secretsOf,
} from "../store/api_key_store.ts";
import type { Db } from "../store/database.ts";
import { permissionsThrough } from "../store/standing_store.ts";
import { applicationHandlers, applicationOf } from "./application.ts";
import type { Deps } from "./deps.ts";
import { toApiKey } from "./messages.ts";
import { refuseBeyondOwn } from "./workspace_members.ts";
import { afterKeyOf, checkName, cutPage, refuseAtLimit, type Write, writeIn, writing } from "./writing.ts";

/** A secret is shown once: what is kept of the answer holds none, and a replay is told so. */
const shownOnce = {
  recheck({ key }: { key?: { id: string } | undefined }): never {
    throw new AppError(Reason.SECRET_ALREADY_SHOWN, { metadata: { id: key?.id ?? "" } });
  },
};

/** Client applications and their keys. */
export function apiKeyHandlers(deps: Deps): ServiceImpl<typeof ApiKeyService> {
  const { db, clock, rules, events } = deps;

  const addSecret = async ({ tx, now }: Write, keyId: string): Promise<string> => {
    const text = formatKeySecret(keyId, newSecret());
    const secret: ApiKeySecret = { id: newId(), ending: endingOf(text), createdAt: now };
    await insertApiKeySecret(tx, keyId, secret, hashSecret(text));
    return text;
  };

  /** Whoever shows a key may do with it what its application may: that must be within what the caller may do. */
  const refuseStrongerApplication = async (
    write: Write,
    subject: Parameters<typeof refuseBeyondOwn>[1],
    workspaceId: string,
    applicationId: string,
  ) => {
    const holder = { kind: holderKinds.application, id: applicationId };
    await refuseBeyondOwn(write, subject, workspaceId, await permissionsThrough(write.tx, workspaceId, holder));
  };

  return {
    ...applicationHandlers(deps),

    async createApiKey(request, context) {
      const subject = subjectOf(context);
      const { workspaceId, applicationId } = request;
      checkName("name", request.name);
      const scopes = keyScopes(request.scopes);
      const call = {
        ...shownOnce,
        subject,
        method: ApiKeyService.method.createApiKey,
        requestId: request.requestId,
        request,
        now: clock,
        keep: ({ key }: { key?: ReturnType<typeof toApiKey> | undefined }) =>
          create(CreateApiKeyResponseSchema, key === undefined ? {} : { key }),
      };
      const response = await idempotent(db, call, (tx) =>
        writeIn(deps, tx, async (write) => {
          await write.lock(workspaceId);
          await applicationOf(tx, workspaceId, applicationId);
          await refuseStrongerApplication(write, subject, workspaceId, applicationId);
          refuseAtLimit(await countLiveApiKeys(tx, workspaceId, applicationId), rules.limits.keysPerApplication);
          const key: ApiKey = {
            id: newId(),
            applicationId,
            workspaceId,
            name: request.name.trim(),
            scopes,
            createdAt: write.now,
            expiresAt: request.expireTime && timestampDate(request.expireTime),
            lastUsedAt: undefined,
            revokedAt: undefined,
          };
          await insertApiKey(tx, key);
          const secret = await addSecret(write, key.id);
          return create(CreateApiKeyResponseSchema, { key: await withSecrets(tx, key), secret });
        }),
      );
      events.keyCreated(workspaceId, response.key?.id ?? "", subject.id);
      return response;
    },

    async listApiKeys(request) {
      const { workspaceId, applicationId } = request;
      await applicationOf(db.query, workspaceId, applicationId);
      const page = openPage(request, ["keys", workspaceId, applicationId]);
      const [before] = afterKeyOf(page, "string") ?? [];
      const found = await listApiKeys(db.query, workspaceId, applicationId, before, page.size + 1);
      const { rows, nextPageToken } = cutPage(found, page, ({ id }) => [id]);
      const secrets = await secretsOf(
        db.query,
        rows.map(({ id }) => id),
      );
      return { keys: rows.map((key) => toApiKey(key, secrets.get(key.id) ?? [])), nextPageToken };
    },

    async revokeApiKey({ workspaceId, keyId }, context) {
      const key = await writing(deps, async ({ tx, now, tell }) => {
        const { applicationId } = await keyOf(tx, workspaceId, keyId);
        if (await revokeApiKey(tx, keyId, now)) {
          tell({ case: "keyRevoked", value: { keyId, applicationId, workspaceId } });
          events.keyRevoked(workspaceId, keyId, subjectOf(context).id);
        }
        return await withSecrets(tx, await keyOf(tx, workspaceId, keyId));
      });
      return { key };
    },

    async createApiKeySecret(request, context) {
      const subject = subjectOf(context);
      const { workspaceId, keyId } = request;
      const call = {
        ...shownOnce,
        subject,
        method: ApiKeyService.method.createApiKeySecret,
        requestId: request.requestId,
        request,
        now: clock,
        keep: ({ key }: { key?: ReturnType<typeof toApiKey> | undefined }) =>
          create(CreateApiKeySecretResponseSchema, key === undefined ? {} : { key }),
      };
      return await idempotent(db, call, (tx) =>
        writeIn(deps, tx, async (write) => {
          // The workspace's lock keeps two of these from making a third secret together.
          await write.lock(workspaceId);
          const key = await keyOf(tx, workspaceId, keyId);
          if (key.revokedAt !== undefined) throw notFound("api_key", keyId);
          await refuseStrongerApplication(write, subject, workspaceId, key.applicationId);
          const live = (await secretsOf(tx, [keyId])).get(keyId) ?? [];
          if (live.length >= maxLiveSecrets) {
            throw new AppError(Reason.KEY_SECRETS_FULL, { metadata: { key_id: keyId } });
          }
          const secret = await addSecret(write, keyId);
          return create(CreateApiKeySecretResponseSchema, { key: await withSecrets(tx, key), secret });
        }),
      );
    },

    async revokeApiKeySecret({ workspaceId, keyId, secretId }) {
      return await writing(deps, async ({ tx, tell }) => {
        const key = await keyOf(tx, workspaceId, keyId);
        if (await deleteApiKeySecret(tx, keyId, secretId)) {
          // Which streams were opened with this secret is not known: all of the key's are opened anew.
          tell({ case: "keyRevoked", value: { keyId, applicationId: key.applicationId, workspaceId } });
        }
        return { key: await withSecrets(tx, key) };
      });
    },
  };
}

async function keyOf(db: Db, workspaceId: string, keyId: string): Promise<ApiKey> {
  const key = await findApiKey(db, workspaceId, keyId);
  if (key === undefined) throw notFound("api_key", keyId);
  return key;
}

async function withSecrets(db: Db, key: ApiKey) {
  return toApiKey(key, (await secretsOf(db, [key.id])).get(key.id) ?? []);
}

function keyScopes(scopes: readonly Permission[]): Permission[] {
  if (scopes.every(isKeyScope)) return [...scopes].sort((a, b) => a - b);
  throw invalidArgument([
    { field: "scopes", rule: "key.scopes", description: "must hold only permissions that are marked as key scopes" },
  ]);
}
