// Whether a subject may do something in a workspace or to one of its webhooks: its role there says so.
import { Permission, ResourceKind } from "@docket/contracts/gen/docket/policy/v1/policy_pb.ts";
import { type Authorizer, allowed, type Decision, denied, hidden } from "@docket/runtime/access";
import type { Call, Subject } from "@docket/runtime/call";
import type { MembershipCache } from "@docket/runtime/membership";
import type { IntegrationDatabase } from "./store/entities.ts";
import { readWebhook } from "./store/webhooks.ts";

export interface AuthorizerDeps {
  readonly db: IntegrationDatabase;
  readonly membership: MembershipCache;
}

export function createAuthorizer({ db, membership }: AuthorizerDeps): Authorizer {
  const inWorkspace = async (subject: Subject, id: string, permission: Permission, call: Call): Promise<Decision> => {
    const { member, permissions } = await membership.of(subject, id, call);
    if (!member) return hidden;
    if (permissions.has(permission)) return allowed;
    // Whose role does not show the workspace must not learn that it exists.
    return permissions.has(Permission.WORKSPACE_VIEW) ? denied : hidden;
  };
  return {
    async check(subject, { kind, id, permission }, call) {
      if (kind === ResourceKind.WORKSPACE) return inWorkspace(subject, id, permission, call);
      if (kind !== ResourceKind.WEBHOOK) return hidden;
      const webhook = await readWebhook(db.query, id);
      if (webhook === undefined) return hidden;
      // That a webhook is there is for those alone who may manage webhooks.
      const decision = await inWorkspace(subject, webhook.workspace_id, permission, call);
      return decision.allowed ? decision : hidden;
    },
  };
}
