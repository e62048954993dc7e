// Workspaces, who is in them, and how one gets in.

import type { Timestamp } from "@bufbuild/protobuf/wkt";
import type { GetInvitationResponse, Invitation } from "@docket/contracts/gen/docket/user/v1/invitation_pb.ts";
import type { Member } from "@docket/contracts/gen/docket/user/v1/member_pb.ts";
import type { PrincipalName } from "@docket/contracts/gen/docket/user/v1/name_pb.ts";
import type { Workspace } from "@docket/contracts/gen/docket/user/v1/workspace_pb.ts";
import { WorkspaceService } from "@docket/contracts/gen/docket/user/v1/workspace_service_pb.ts";
import type { ListPage } from "../paged.ts";

/** A new invitation, with the link that is shown once. */
export interface NewInvitation {
  readonly invitation: Invitation;
  readonly link: string;
}

export function useWorkspaces() {
  const client = useClient(WorkspaceService);
  return {
    async create(name: string, timeZone: string, requestId = newId()): Promise<Workspace> {
      return there((await client.createWorkspace({ name, timeZone, requestId })).workspace);
    },
    async get(workspaceId: string): Promise<Workspace> {
      return there((await client.getWorkspace({ workspaceId })).workspace);
    },
    /** Changes what is named. */
    async update(
      workspaceId: string,
      changes: { name?: string; timeZone?: string },
      etag?: string,
    ): Promise<Workspace> {
      const names = { name: "name", timeZone: "time_zone" } as const;
      const paths = Object.keys(changes).map((name) => names[name as keyof typeof names]);
      return there((await client.updateWorkspace({ workspaceId, ...changes, updateMask: { paths }, etag })).workspace);
    },
    async remove(workspaceId: string): Promise<void> {
      await client.deleteWorkspace({ workspaceId });
    },
    async leave(workspaceId: string): Promise<void> {
      await client.leaveWorkspace({ workspaceId });
    },
    async handOver(workspaceId: string, userId: string): Promise<void> {
      await client.handOverWorkspace({ workspaceId, userId });
    },

    /** All members, by name. */
    async members(workspaceId: string): Promise<Member[]> {
      return await allPages(async (pageToken) => {
        const page = await client.listMembers({ workspaceId, pageSize: 200, pageToken });
        return { items: page.members, nextPageToken: page.nextPageToken };
      });
    },
    async setMemberRole(workspaceId: string, userId: string, roleId: string, etag?: string): Promise<Member> {
      return there((await client.updateMember({ workspaceId, userId, roleId, etag })).member);
    },
    async removeMember(workspaceId: string, userId: string): Promise<void> {
      await client.removeMember({ workspaceId, userId });
    },
    /** The names of persons, groups and applications that are or were there; others are absent. At most 200 ids. */
    async names(workspaceId: string, ids: readonly string[]): Promise<PrincipalName[]> {
      return (await client.resolveNames({ workspaceId, ids: [...ids] })).names;
    },

    async invitations(workspaceId: string, pageToken = ""): Promise<ListPage<Invitation>> {
      const page = await client.listInvitations({ workspaceId, pageSize: 50, pageToken });
      return { items: page.invitations, nextPageToken: page.nextPageToken };
    },
    /** Makes a link, and mails it where an address is given and the instance sends mail. */
    async invite(
      workspaceId: string,
      { email, roleId, expireTime }: { email?: string; roleId: string; expireTime?: Timestamp },
      requestId = newId(),
    ): Promise<NewInvitation> {
      const answer = await client.createInvitation({ workspaceId, email, roleId, expireTime, requestId });
      return { invitation: there(answer.invitation), link: answer.link };
    },
    async revokeInvitation(workspaceId: string, invitationId: string): Promise<Invitation> {
      return there((await client.revokeInvitation({ workspaceId, invitationId })).invitation);
    },
    /** What a link invites to. */
    async invitation(secret: string): Promise<GetInvitationResponse> {
      return await client.getInvitation({ secret });
    },
    async accept(secret: string): Promise<Workspace> {
      return there((await client.acceptInvitation({ secret })).workspace);
    },
  };
}
