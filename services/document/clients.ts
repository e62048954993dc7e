// Every service that this one calls: its outgoing edges.
import type { Client } from "@connectrpc/connect";
import { BlobService } from "@docket/contracts/gen/docket/storage/v1/blob_service_pb.ts";
import { MembershipService } from "@docket/contracts/gen/docket/user/v1/membership_service_pb.ts";
import { NotificationService } from "@docket/contracts/gen/docket/user/v1/notification_service_pb.ts";
import { TokenService } from "@docket/contracts/gen/docket/user/v1/token_service_pb.ts";
import { UserChangeService } from "@docket/contracts/gen/docket/user/v1/user_change_service_pb.ts";
import { WorkspaceService } from "@docket/contracts/gen/docket/user/v1/workspace_service_pb.ts";
import type { Mesh } from "@docket/runtime/mesh";

/** The services called. */
export interface Clients {
  /** Holds the contents of versions. */
  readonly blobs: Client<typeof BlobService>;
  /** Says who belongs to which workspace. */
  readonly memberships: Client<typeof MembershipService>;
  /** Tells people by mail. */
  readonly notifications: Client<typeof NotificationService>;
  /** Publishes the keys that verify who is behind a call. */
  readonly tokens: Client<typeof TokenService>;
  /** Tells of people who left and workspaces that are gone. */
  readonly userChanges: Client<typeof UserChangeService>;
  /** Lists the workspaces of somebody who watches or lists across all of theirs. */
  readonly workspaces: Client<typeof WorkspaceService>;
}

export function connectClients(mesh: Pick<Mesh, "client">): Clients {
  return {
    blobs: mesh.client(BlobService),
    memberships: mesh.client(MembershipService),
    notifications: mesh.client(NotificationService),
    tokens: mesh.client(TokenService),
    userChanges: mesh.client(UserChangeService),
    workspaces: mesh.client(WorkspaceService),
  };
}
