// Whether a subject may do something to an upload, in a workspace, or with a ticket.

import { Reason } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import { Permission, ResourceKind } from "@docket/contracts/gen/docket/policy/v1/policy_pb.ts";
import { type Authorizer, allowed, type Decision, denied, hidden } from "@docket/runtime/access";
import type { Call, Subject } from "@docket/runtime/call";
import { AppError } from "@docket/runtime/errors";
import type { MembershipCache } from "@docket/runtime/membership";
import { ownerOf } from "./domain/owner.ts";
import type { UploadStore } from "./store/uploads.ts";
import type { Tickets } from "./transfer/tickets.ts";

export interface AuthorizerDeps {
  readonly uploads: Pick<UploadStore, "find">;
  readonly membership: MembershipCache;
  readonly tickets: Tickets;
}

export function createAuthorizer({ uploads, membership, tickets }: AuthorizerDeps): Authorizer {
  const inWorkspace = async (subject: Subject, id: string, permission: Permission, call: Call): Promise<Decision> => {
    const { member, permissions } = await membership.of(subject, id, call);
    if (!member) return hidden;
    if (permissions.has(permission)) return allowed;
    // Whose role does not show the workspace must not learn that it exists.
    return permissions.has(Permission.WORKSPACE_VIEW) ? denied : hidden;
  };
  return {
    async check(subject, { kind, id, permission }, call) {
      switch (kind) {
        case ResourceKind.WORKSPACE:
          return await inWorkspace(subject, id, permission, call);
        case ResourceKind.UPLOAD: {
          const upload = await uploads.find(id);
          if (upload === undefined || upload.owner !== ownerOf(subject)) return hidden;
          // Who was put out of a workspace has no business with its uploads any more.
          return upload.workspace_id === null
            ? allowed
            : await inWorkspace(subject, upload.workspace_id, permission, call);
        }
        case ResourceKind.BLOB_TICKET:
          if ((await tickets.open(id, subject)) === undefined) {
            throw new AppError(Reason.TICKET_INVALID, { message: "The ticket has ended or is not yours." });
          }
          return allowed;
        default:
          return hidden;
      }
    },
  };
}
