// Permissions in words, in the groups in which roles show them.

import { Permission } from "@docket/contracts/gen/docket/policy/v1/policy_pb.ts";

/** What roles may list, in groups; the owner's own is shown but cannot be chosen. */
export const permissionGroups = [
  { key: "workspace", permissions: [Permission.WORKSPACE_VIEW, Permission.WORKSPACE_MANAGE, Permission.WORKSPACE_OWN] },
  {
    key: "documents",
    permissions: [
      Permission.DOCUMENT_VIEW,
      Permission.DOCUMENT_COMMENT,
      Permission.DOCUMENT_EDIT,
      Permission.DOCUMENT_OWN,
      Permission.UPLOAD_CREATE,
    ],
  },
  { key: "work", permissions: [Permission.TASK_CREATE, Permission.CHANGE_WATCH, Permission.WEBHOOK_MANAGE] },
] as const;

export type RolePermission = (typeof permissionGroups)[number]["permissions"][number];

const keys = {
  [Permission.WORKSPACE_VIEW]: "workspaceView",
  [Permission.WORKSPACE_MANAGE]: "workspaceManage",
  [Permission.WORKSPACE_OWN]: "workspaceOwn",
  [Permission.DOCUMENT_VIEW]: "documentView",
  [Permission.DOCUMENT_COMMENT]: "documentComment",
  [Permission.DOCUMENT_EDIT]: "documentEdit",
  [Permission.DOCUMENT_OWN]: "documentOwn",
  [Permission.UPLOAD_CREATE]: "uploadCreate",
  [Permission.TASK_CREATE]: "taskCreate",
  [Permission.CHANGE_WATCH]: "changeWatch",
  [Permission.WEBHOOK_MANAGE]: "webhookManage",
} as const satisfies Record<RolePermission, string>;

/** The key of a permission's words. */
export function permissionKey(permission: RolePermission) {
  return `permission.${keys[permission]}` as const;
}

/** What an API key may be given. */
export const keyScopes: readonly RolePermission[] = permissionGroups
  .flatMap(({ permissions }) => [...permissions] as RolePermission[])
  .filter((permission) => permission !== Permission.WORKSPACE_MANAGE && permission !== Permission.WORKSPACE_OWN);
