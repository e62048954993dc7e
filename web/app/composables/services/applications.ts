// Client applications of a workspace and their keys.

import type { Timestamp } from "@bufbuild/protobuf/wkt";
import type { Permission } from "@docket/contracts/gen/docket/policy/v1/policy_pb.ts";
import type { ApiKey } from "@docket/contracts/gen/docket/user/v1/api_key_pb.ts";
import { ApiKeyService } from "@docket/contracts/gen/docket/user/v1/api_key_service_pb.ts";
import type { Application } from "@docket/contracts/gen/docket/user/v1/application_pb.ts";

/** A key with a secret that is shown once. */
export interface NewSecret {
  readonly key: ApiKey;
  readonly secret: string;
}

export interface ApiKeyValues {
  readonly name: string;
  readonly scopes: Permission[];
  /** Unset: it never stops working. */
  readonly expireTime?: Timestamp;
}

export function useApplications() {
  const client = useClient(ApiKeyService);
  return {
    /** All applications, by name. */
    async list(workspaceId: string): Promise<Application[]> {
      return await allPages(async (pageToken) => {
        const page = await client.listApplications({ workspaceId, pageSize: 200, pageToken });
        return { items: page.applications, nextPageToken: page.nextPageToken };
      });
    },
    async enroll(workspaceId: string, name: string, description: string, requestId = newId()): Promise<Application> {
      return there((await client.enrollApplication({ workspaceId, name, description, requestId })).application);
    },
    async update(
      workspaceId: string,
      applicationId: string,
      changes: { name?: string; description?: string; ownerId?: string },
      etag?: string,
    ): Promise<Application> {
      const names = { name: "name", description: "description", ownerId: "owner_id" } as const;
      const paths = Object.keys(changes).map((name) => names[name as keyof typeof names]);
      const updateMask = { paths };
      return there(
        (await client.updateApplication({ workspaceId, applicationId, ...changes, updateMask, etag })).application,
      );
    },
    async remove(workspaceId: string, applicationId: string): Promise<void> {
      await client.removeApplication({ workspaceId, applicationId });
    },
    /** All keys of an application, the newest first, revoked ones included. */
    async keys(workspaceId: string, applicationId: string): Promise<ApiKey[]> {
      return await allPages(async (pageToken) => {
        const page = await client.listApiKeys({ workspaceId, applicationId, pageSize: 200, pageToken });
        return { items: page.keys, nextPageToken: page.nextPageToken };
      });
    },
    async createKey(
      workspaceId: string,
      applicationId: string,
      values: ApiKeyValues,
      requestId = newId(),
    ): Promise<NewSecret> {
      const { key, secret } = await client.createApiKey({ workspaceId, applicationId, ...values, requestId });
      return { key: there(key), secret };
    },
    /** Revokes a key with all its secrets, for good. */
    async revokeKey(workspaceId: string, keyId: string): Promise<ApiKey> {
      return there((await client.revokeApiKey({ workspaceId, keyId })).key);
    },
    /** Makes a second secret, so that clients can change over without a gap. */
    async addSecret(workspaceId: string, keyId: string, requestId = newId()): Promise<NewSecret> {
      const { key, secret } = await client.createApiKeySecret({ workspaceId, keyId, requestId });
      return { key: there(key), secret };
    },
    async revokeSecret(workspaceId: string, keyId: string, secretId: string): Promise<ApiKey> {
      return there((await client.revokeApiKeySecret({ workspaceId, keyId, secretId })).key);
    },
  };
}
