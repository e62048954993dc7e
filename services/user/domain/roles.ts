import { Permission } from "@docket/contracts/gen/docket/policy/v1/policy_pb.ts";

/** The ids of the built-in roles, the same on every instance. */
export const builtInRoleIds = {
  owner: "00000000-0000-7000-8000-000000000001",
  admin: "00000000-0000-7000-8000-000000000002",
  member: "00000000-0000-7000-8000-000000000003",
  guest: "00000000-0000-7000-8000-000000000004",
} as const;

/** What a workspace's roles may list at all; permissions on accounts are nobody's to give. */
export const workspacePermissions: readonly Permission[] = [
  Permission.WORKSPACE_VIEW,
  Permission.WORKSPACE_MANAGE,
  Permission.WORKSPACE_OWN,
  Permission.DOCUMENT_VIEW,
  Permission.DOCUMENT_COMMENT,
  Permission.DOCUMENT_EDIT,
  Permission.DOCUMENT_OWN,
  Permission.TASK_CREATE,
  Permission.UPLOAD_CREATE,
  Permission.CHANGE_WATCH,
  Permission.WEBHOOK_MANAGE,
];

const member: readonly Permission[] = [
  Permission.WORKSPACE_VIEW,
  Permission.DOCUMENT_VIEW,
  Permission.DOCUMENT_COMMENT,
  Permission.DOCUMENT_EDIT,
  Permission.TASK_CREATE,
  Permission.UPLOAD_CREATE,
  Permission.CHANGE_WATCH,
];

/** What the built-in roles allow. The rows that the migration seeds must say the same; a test compares them. */
export const builtInPermissions: Readonly<Record<keyof typeof builtInRoleIds, readonly Permission[]>> = {
  owner: workspacePermissions,
  admin: workspacePermissions.filter((permission) => permission !== Permission.WORKSPACE_OWN),
  member,
  guest: [Permission.WORKSPACE_VIEW, Permission.UPLOAD_CREATE, Permission.CHANGE_WATCH],
};

/** Whether the id is a built-in role's. */
export function isBuiltIn(roleId: string): boolean {
  return (Object.values(builtInRoleIds) as string[]).includes(roleId);
}

/** Permissions that a custom role may not list: the owner's alone, and those of no workspace. */
export function unlistable(permissions: readonly Permission[]): Permission | undefined {
  return permissions.find(
    (permission) => permission === Permission.WORKSPACE_OWN || !workspacePermissions.includes(permission),
  );
}

/** The first permission of a role that one lacks oneself, and therefore can neither give nor take. */
export function lacking(own: ReadonlySet<Permission>, role: readonly Permission[]): Permission | undefined {
  return role.find((permission) => !own.has(permission));
}

/** The union of several roles, in ascending order. */
export function unionOf(roles: readonly (readonly Permission[])[]): Permission[] {
  return [...new Set(roles.flat())].sort((a, b) => a - b);
}

/** Only persons become owners, and never by an invitation: an owner can hand over and delete everything. */
export function isAssignable(roleId: string, to: "person" | "group" | "application" | "invitation"): boolean {
  return to === "person" || roleId !== builtInRoleIds.owner;
}
