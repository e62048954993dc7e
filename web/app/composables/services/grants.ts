// Who may do what with a workspace's root, a folder or a document, and why.

import type { Grant, GrantLevel, GrantPrincipal } from "@docket/contracts/gen/docket/document/v1/grant_pb.ts";
import { type ExplainAccessResponse, GrantService } from "@docket/contracts/gen/docket/document/v1/grant_service_pb.ts";

/** What a grant is on: the root of a workspace, a folder or a document. */
export type GrantResource =
  | { readonly workspaceId: string }
  | { readonly folderId: string }
  | { readonly documentId: string };

/** Whom a grant is for. */
export type GrantHolder = GrantPrincipal["principal"];

export function useGrants() {
  const client = useClient(GrantService);
  return {
    /** All grants on the resource itself, at most 500. */
    async list(resource: GrantResource): Promise<Grant[]> {
      const found: Grant[] = [];
      for (let pageToken = ""; ; ) {
        const page = await client.listGrants({ resource: resourceOf(resource), pageSize: 200, pageToken });
        found.push(...page.grants);
        pageToken = page.nextPageToken;
        if (pageToken === "") return found;
      }
    },
    /** Grants a level, or changes it. */
    async set(resource: GrantResource, holder: GrantHolder, level: GrantLevel): Promise<Grant> {
      const answer = await client.setGrant({ resource: resourceOf(resource), principal: { principal: holder }, level });
      if (answer.grant === undefined) throw new Error("The answer holds no grant.");
      return answer.grant;
    },
    async revoke(resource: GrantResource, holder: GrantHolder): Promise<void> {
      await client.revokeGrant({ resource: resourceOf(resource), principal: { principal: holder } });
    },
    /** Why somebody has access, or has none; without a person, oneself. */
    async explain(resource: GrantResource, personId?: string): Promise<ExplainAccessResponse> {
      return await client.explainAccess({ resource: resourceOf(resource), personId });
    },
  };
}

function resourceOf(resource: GrantResource) {
  if ("workspaceId" in resource) return { case: "workspaceId", value: resource.workspaceId } as const;
  if ("folderId" in resource) return { case: "folderId", value: resource.folderId } as const;
  return { case: "documentId", value: resource.documentId } as const;
}
