// Roles of a workspace, and who holds them.

import type { Permission } from "@docket/contracts/gen/docket/policy/v1/policy_pb.ts";
import type { PrincipalKind, PrincipalRef } from "@docket/contracts/gen/docket/user/v1/principal_pb.ts";
import type { Role, RoleBinding } from "@docket/contracts/gen/docket/user/v1/role_pb.ts";
import { RoleService } from "@docket/contracts/gen/docket/user/v1/role_service_pb.ts";

/** What one chooses of a custom role. */
export interface RoleValues {
  readonly name: string;
  readonly description: string;
  readonly permissions: Permission[];
}

export function useRoles() {
  const client = useClient(RoleService);
  return {
    /** All roles: the built-in ones first, then the others by name. */
    async list(workspaceId: string): Promise<Role[]> {
      return await allPages(async (pageToken) => {
        const page = await client.listRoles({ workspaceId, pageSize: 200, pageToken });
        return { items: page.roles, nextPageToken: page.nextPageToken };
      });
    },
    async create(workspaceId: string, values: RoleValues, requestId = newId()): Promise<Role> {
      return there((await client.createRole({ workspaceId, ...values, requestId })).role);
    },
    async update(workspaceId: string, roleId: string, changes: Partial<RoleValues>, etag?: string): Promise<Role> {
      const updateMask = { paths: Object.keys(changes) };
      return there((await client.updateRole({ workspaceId, roleId, ...changes, updateMask, etag })).role);
    },
    async remove(workspaceId: string, roleId: string): Promise<void> {
      await client.deleteRole({ workspaceId, roleId });
    },
    /** Who holds a role directly: members, groups and applications, or only one kind of them. */
    async bindings(workspaceId: string, kind?: PrincipalKind): Promise<RoleBinding[]> {
      return await allPages(async (pageToken) => {
        const page = await client.listRoleBindings({ workspaceId, kind, pageSize: 200, pageToken });
        return { items: page.bindings, nextPageToken: page.nextPageToken };
      });
    },
    async bind(workspaceId: string, principal: Pick<PrincipalRef, "kind" | "id">, roleId: string): Promise<void> {
      await client.setRoleBinding({ workspaceId, principal, roleId });
    },
    async unbind(workspaceId: string, principal: Pick<PrincipalRef, "kind" | "id">): Promise<void> {
      await client.removeRoleBinding({ workspaceId, principal });
    },
  };
}
