// Every service that this one calls: its outgoing edges inside the mesh. What goes outside is in egress/.
import type { Client } from "@connectrpc/connect";
import { ChangeFeedService } from "@docket/contracts/gen/docket/document/v1/change_feed_service_pb.ts";
import { MembershipService } from "@docket/contracts/gen/docket/user/v1/membership_service_pb.ts";
import { TokenService } from "@docket/contracts/gen/docket/user/v1/token_service_pb.ts";
import { UserChangeService } from "@docket/contracts/gen/docket/user/v1/user_change_service_pb.ts";
import type { Mesh } from "@docket/runtime/mesh";

/** The services called. */
export interface Clients {
  /** Tells what changes in workspaces. */
  readonly feed: Client<typeof ChangeFeedService>;
  /** Says who belongs to which workspace. */
  readonly memberships: Client<typeof MembershipService>;
  /** Publishes the keys that verify who is behind a call. */
  readonly tokens: Client<typeof TokenService>;
  /** Tells of workspaces that are gone, and of access that changed. */
  readonly userChanges: Client<typeof UserChangeService>;
}

export function connectClients(mesh: Pick<Mesh, "client">): Clients {
  return {
    feed: mesh.client(ChangeFeedService),
    memberships: mesh.client(MembershipService),
    tokens: mesh.client(TokenService),
    userChanges: mesh.client(UserChangeService),
  };
}
