// Groups of a workspace.

import type { Group, GroupMember } from "@docket/contracts/gen/docket/user/v1/group_pb.ts";
import { GroupService } from "@docket/contracts/gen/docket/user/v1/group_service_pb.ts";
import { PrincipalKind } from "@docket/contracts/gen/docket/user/v1/principal_pb.ts";

/** A person or a group. */
export interface GroupPrincipal {
  readonly kind: "person" | "group";
  readonly id: string;
}

export function useGroups() {
  const client = useClient(GroupService);
  return {
    /** All groups, by name. */
    async list(workspaceId: string): Promise<Group[]> {
      return await allPages(async (pageToken) => {
        const page = await client.listGroups({ workspaceId, pageSize: 200, pageToken });
        return { items: page.groups, nextPageToken: page.nextPageToken };
      });
    },
    async create(workspaceId: string, name: string, description: string, requestId = newId()): Promise<Group> {
      return there((await client.createGroup({ workspaceId, name, description, requestId })).group);
    },
    async update(
      workspaceId: string,
      groupId: string,
      changes: { name?: string; description?: string },
      etag?: string,
    ): Promise<Group> {
      const updateMask = { paths: Object.keys(changes) };
      return there((await client.updateGroup({ workspaceId, groupId, ...changes, updateMask, etag })).group);
    },
    async remove(workspaceId: string, groupId: string): Promise<void> {
      await client.deleteGroup({ workspaceId, groupId });
    },
    /** All who are directly in a group. */
    async members(workspaceId: string, groupId: string): Promise<GroupMember[]> {
      return await allPages(async (pageToken) => {
        const page = await client.listGroupMembers({ workspaceId, groupId, pageSize: 200, pageToken });
        return { items: page.members, nextPageToken: page.nextPageToken };
      });
    },
    async add(workspaceId: string, groupId: string, principal: GroupPrincipal): Promise<GroupMember> {
      const answer = await client.addGroupMember({ workspaceId, groupId, principal: refOf(principal) });
      return there(answer.member);
    },
    async take(workspaceId: string, groupId: string, principal: GroupPrincipal): Promise<void> {
      await client.removeGroupMember({ workspaceId, groupId, principal: refOf(principal) });
    },
  };
}

function refOf({ kind, id }: GroupPrincipal) {
  return { kind: kind === "person" ? PrincipalKind.PERSON : PrincipalKind.GROUP, id };
}
