// Every service that this one calls: its outgoing edges.

import type { Client } from "@connectrpc/connect";
import { MembershipService } from "@docket/contracts/gen/docket/user/v1/membership_service_pb.ts";
import { TokenService } from "@docket/contracts/gen/docket/user/v1/token_service_pb.ts";
import { UserChangeService } from "@docket/contracts/gen/docket/user/v1/user_change_service_pb.ts";
import type { Mesh } from "@docket/runtime/mesh";

/** The services called. */
export interface Clients {
  /** Says who belongs to which workspace, and what a workspace may use. */
  readonly memberships: Pick<Client<typeof MembershipService>, "getMembership" | "getWorkspaceFacts">;
  /** Publishes the keys that verify who is behind a call. */
  readonly tokens: Pick<Client<typeof TokenService>, "listPublicKeys">;
  /** Tells of sessions that ended, access that changed and workspaces that are gone. */
  readonly userChanges: Client<typeof UserChangeService>;
}

export function connectClients(mesh: Pick<Mesh, "client">): Clients {
  return {
    memberships: mesh.client(MembershipService),
    tokens: mesh.client(TokenService),
    userChanges: mesh.client(UserChangeService),
  };
}
