// Valid requests of the user service: workspaces, members, roles, groups, applications and keys.

import { Permission, ResourceKind } from "@docket/contracts/gen/docket/policy/v1/policy_pb.ts";
import { PrincipalKind } from "@docket/contracts/gen/docket/user/v1/principal_pb.ts";
import type { BuildersOf } from "./form.ts";
import type { Room } from "./room.ts";
import { roleIds } from "./world.ts";

const seesWorkspace = { kind: ResourceKind.WORKSPACE, permission: Permission.WORKSPACE_VIEW };
const described = { description: "As before.", updateMask: { paths: ["description"] } };
const here = ({ workspaceId }: Room) => ({ workspaceId });

export const workspaceBuilders = {
  "docket.user.v1.WorkspaceService/CreateWorkspace": (room) => ({ request: { name: room.name() } }),
  "docket.user.v1.WorkspaceService/GetWorkspace": (room) => ({ request: here(room) }),
  "docket.user.v1.WorkspaceService/ListWorkspaces": (room) => ({
    request: { pageSize: 200 },
    shows: { id: room.workspaceId, to: seesWorkspace },
  }),
  "docket.user.v1.WorkspaceService/UpdateWorkspace": (room) => ({
    request: { ...here(room), timeZone: "Europe/Zurich", updateMask: { paths: ["time_zone"] } },
  }),
  "docket.user.v1.WorkspaceService/DeleteWorkspace": async (room) => ({
    request: { workspaceId: await room.workspaceOfItsOwn() },
  }),
  "docket.user.v1.WorkspaceService/ListMembers": (room) => ({ request: here(room) }),
  "docket.user.v1.WorkspaceService/ResolveNames": (room) => ({
    request: { ...here(room), ids: [room.world.extras.clerk.id] },
  }),
  "docket.user.v1.WorkspaceService/UpdateMember": (room) => ({
    request: { ...here(room), userId: room.world.extras.clerk.id, roleId: roleIds.member },
  }),
  "docket.user.v1.WorkspaceService/RemoveMember": async (room) => ({
    request: { ...here(room), userId: (await room.memberOfWorkspace()).id },
  }),
  "docket.user.v1.WorkspaceService/LeaveWorkspace": async (room) => ({
    request: { workspaceId: await room.workspaceOfItsOwn() },
  }),
  "docket.user.v1.WorkspaceService/HandOverWorkspace": async (room) => ({
    request: { workspaceId: await room.workspaceOfItsOwn(), userId: room.world.extras.founder.id },
  }),
  "docket.user.v1.WorkspaceService/CreateInvitation": (room) => ({
    request: { ...here(room), roleId: roleIds.guest },
  }),
  "docket.user.v1.WorkspaceService/ListInvitations": (room) => ({ request: here(room) }),
  "docket.user.v1.WorkspaceService/RevokeInvitation": async (room) => ({
    request: { ...here(room), invitationId: (await room.invitation()).id },
  }),
  "docket.user.v1.WorkspaceService/GetInvitation": async (room) => ({
    request: { secret: (await room.invitation()).secret },
  }),
  "docket.user.v1.WorkspaceService/AcceptInvitation": async (room) => {
    const workspaceId = await room.foundedWorkspace();
    return { request: { secret: (await room.invitation(workspaceId, room.world.extras.founder)).secret } };
  },
} satisfies BuildersOf<"docket.user.v1.WorkspaceService">;

export const roleBuilders = {
  "docket.user.v1.RoleService/CreateRole": (room) => ({
    request: { ...here(room), name: room.name(), permissions: [Permission.WORKSPACE_VIEW] },
  }),
  "docket.user.v1.RoleService/GetRole": (room) => ({ request: { ...here(room), roleId: room.world.roleId } }),
  "docket.user.v1.RoleService/ListRoles": (room) => ({ request: here(room) }),
  "docket.user.v1.RoleService/UpdateRole": (room) => ({
    request: { ...here(room), roleId: room.world.roleId, ...described },
  }),
  "docket.user.v1.RoleService/DeleteRole": async (room) => ({
    request: { ...here(room), roleId: await room.role() },
  }),
  "docket.user.v1.RoleService/ListRoleBindings": (room) => ({ request: here(room) }),
  "docket.user.v1.RoleService/SetRoleBinding": (room) => ({
    request: { ...here(room), principal: holder(room), roleId: roleIds.guest },
  }),
  "docket.user.v1.RoleService/RemoveRoleBinding": (room) => ({
    request: { ...here(room), principal: holder(room) },
  }),
} satisfies BuildersOf<"docket.user.v1.RoleService">;

export const groupBuilders = {
  "docket.user.v1.GroupService/CreateGroup": (room) => ({ request: { ...here(room), name: room.name() } }),
  "docket.user.v1.GroupService/GetGroup": (room) => ({ request: crew(room) }),
  "docket.user.v1.GroupService/ListGroups": (room) => ({ request: here(room) }),
  "docket.user.v1.GroupService/UpdateGroup": (room) => ({ request: { ...crew(room), ...described } }),
  "docket.user.v1.GroupService/DeleteGroup": async (room) => ({
    request: { ...here(room), groupId: await room.group() },
  }),
  "docket.user.v1.GroupService/AddGroupMember": (room) => ({
    request: { ...crew(room), principal: room.personPrincipal(room.world.extras.clerk.id) },
  }),
  "docket.user.v1.GroupService/RemoveGroupMember": (room) => ({
    request: { ...crew(room), principal: room.personPrincipal(room.world.extras.clerk.id) },
  }),
  "docket.user.v1.GroupService/ListGroupMembers": (room) => ({ request: crew(room) }),
} satisfies BuildersOf<"docket.user.v1.GroupService">;

export const keyBuilders = {
  "docket.user.v1.ApiKeyService/EnrollApplication": (room) => ({ request: { ...here(room), name: room.name() } }),
  "docket.user.v1.ApiKeyService/GetApplication": (room) => ({ request: application(room) }),
  "docket.user.v1.ApiKeyService/ListApplications": (room) => ({ request: here(room) }),
  "docket.user.v1.ApiKeyService/UpdateApplication": (room) => ({ request: { ...application(room), ...described } }),
  "docket.user.v1.ApiKeyService/RemoveApplication": async (room) => ({
    request: { ...here(room), applicationId: await room.application() },
  }),
  "docket.user.v1.ApiKeyService/CreateApiKey": (room) => ({
    request: { ...application(room), name: room.name(), scopes: [Permission.WORKSPACE_VIEW] },
  }),
  "docket.user.v1.ApiKeyService/ListApiKeys": (room) => ({ request: application(room) }),
  "docket.user.v1.ApiKeyService/RevokeApiKey": async (room) => {
    const { keyId } = await room.key();
    return { request: { ...here(room), keyId } };
  },
  "docket.user.v1.ApiKeyService/CreateApiKeySecret": async (room) => {
    const { keyId } = await room.key();
    return { request: { ...here(room), keyId } };
  },
  "docket.user.v1.ApiKeyService/RevokeApiKeySecret": async (room) => ({
    request: { ...here(room), ...(await room.key()) },
  }),
} satisfies BuildersOf<"docket.user.v1.ApiKeyService">;

const crew = (room: Room) => ({ ...here(room), groupId: room.world.groupId });
const application = (room: Room) => ({ ...here(room), applicationId: room.world.applicationId });
const holder = ({ world }: Room) => ({ kind: PrincipalKind.GROUP, id: world.roleGroupId });
