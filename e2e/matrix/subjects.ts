// Who may stand behind a call, and what the contract says they are: a role in the workspace, a grant on the folder.

import { GrantLevel } from "@docket/contracts/gen/docket/document/v1/grant_pb.ts";
import { Permission } from "@docket/contracts/gen/docket/policy/v1/policy_pb.ts";
import type { Clients } from "../person.ts";

/** The subjects of the matrix. */
export const subjectNames = [
  "nobody",
  "stranger",
  "administrator",
  "guest",
  "viewer",
  "commenter",
  "editor",
  "folder owner",
  "member",
  "admin",
  "owner",
  "key",
  "key without the scope",
  "key without a role",
] as const;

export type SubjectName = (typeof subjectNames)[number];

/** One of them, as it acts. */
export interface Actor {
  readonly name: SubjectName;
  readonly kind: "nobody" | "person" | "key";
  /** The user's or the application's id; empty for nobody. */
  readonly id: string;
  /** The secret of the session or key; empty for nobody. */
  readonly secret: string;
  /** What a key may be used for. */
  readonly scopes: readonly Permission[];
  readonly email: string;
  readonly password: string;
  /** The token for a call; undefined for nobody. */
  readonly token: () => Promise<string | undefined>;
  /** Typed clients of the mesh on its behalf, as the gateway calls. */
  readonly clients: Clients;
}

/** The roles that the subjects have. `contractor` is a role of the workspace's own. */
export type RoleName = "owner" | "admin" | "member" | "guest" | "contractor";

/** What each role lists: of built-in ones as docket.user.v1.BuiltInRole says it. */
export const rolePermissions: Readonly<Record<RoleName, readonly Permission[]>> = {
  // "Everything, including to hand over and delete the workspace."
  owner: [
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
  ],
  // "Everything but that."
  admin: [
    Permission.WORKSPACE_VIEW,
    Permission.WORKSPACE_MANAGE,
    Permission.DOCUMENT_VIEW,
    Permission.DOCUMENT_COMMENT,
    Permission.DOCUMENT_EDIT,
    Permission.DOCUMENT_OWN,
    Permission.TASK_CREATE,
    Permission.UPLOAD_CREATE,
    Permission.CHANGE_WATCH,
    Permission.WEBHOOK_MANAGE,
  ],
  // "Works on documents and tasks."
  member: [
    Permission.WORKSPACE_VIEW,
    Permission.DOCUMENT_VIEW,
    Permission.DOCUMENT_COMMENT,
    Permission.DOCUMENT_EDIT,
    Permission.TASK_CREATE,
    Permission.UPLOAD_CREATE,
    Permission.CHANGE_WATCH,
  ],
  // "Sees the workspace, and of its contents only what was granted", also on the stream of changes.
  guest: [Permission.WORKSPACE_VIEW, Permission.UPLOAD_CREATE, Permission.CHANGE_WATCH],
  // Sees nothing of documents by itself, but may bring bytes for those that are granted.
  contractor: [Permission.WORKSPACE_VIEW, Permission.UPLOAD_CREATE, Permission.CHANGE_WATCH],
};

/** The role that each subject has in the workspace. */
export const roleOf: Readonly<Partial<Record<SubjectName, RoleName>>> = {
  guest: "guest",
  viewer: "contractor",
  commenter: "contractor",
  editor: "contractor",
  "folder owner": "contractor",
  member: "member",
  admin: "admin",
  owner: "owner",
  key: "admin",
  "key without the scope": "admin",
};

/** The grant that each subject has on the folder. */
export const grantOf: Readonly<Partial<Record<SubjectName, GrantLevel>>> = {
  viewer: GrantLevel.VIEWER,
  commenter: GrantLevel.COMMENTER,
  editor: GrantLevel.EDITOR,
  "folder owner": GrantLevel.OWNER,
};

/** The level that a permission on a document needs, as docket.document.v1.GrantLevel says it. */
export const levelNeeded: ReadonlyMap<Permission, GrantLevel> = new Map<Permission, GrantLevel>([
  [Permission.DOCUMENT_VIEW, GrantLevel.VIEWER],
  [Permission.DOCUMENT_COMMENT, GrantLevel.COMMENTER],
  [Permission.DOCUMENT_EDIT, GrantLevel.EDITOR],
  [Permission.DOCUMENT_OWN, GrantLevel.OWNER],
]);

/**
 * The level on the workspace's root or on the folder: "owners and admins of the workspace may do everything, members what
 * is granted to all members on the root (EDITOR unless changed), guests only what is granted to them".
 */
export function levelOf(subject: SubjectName, at: "root" | "folder"): GrantLevel {
  const role = roleOf[subject];
  if (role === "owner" || role === "admin") return GrantLevel.OWNER;
  if (role === "member") return GrantLevel.EDITOR;
  return (at === "folder" ? grantOf[subject] : undefined) ?? GrantLevel.UNSPECIFIED;
}

/** Whether a subject's role in the workspace lists a permission. */
export function roleGives(subject: SubjectName, permission: Permission): boolean {
  const role = roleOf[subject];
  return role !== undefined && rolePermissions[role].includes(permission);
}
