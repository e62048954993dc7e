import type { Permission } from "@docket/contracts/gen/docket/policy/v1/policy_pb.ts";
import type { Holder, Role } from "../domain/model.ts";
import { holderKinds } from "../domain/model.ts";
import { unionOf } from "../domain/roles.ts";
import { findAccount } from "./account_store.ts";
import { findApplication } from "./application_store.ts";
import type { Db } from "./database.ts";
import { allGroups } from "./group_store.ts";
import { rolesOf } from "./role_store.ts";
import { findWorkspace, isMember } from "./workspace_store.ts";

/** What somebody is in a workspace, and why. */
export interface Standing {
  readonly member: boolean;
  readonly permissions: ReadonlySet<Permission>;
  readonly groupIds: readonly string[];
  /** "" for an unknown workspace. */
  readonly epoch: string;
  /** Each role, with who holds it: the person or application itself, or one of its groups. */
  readonly roles: readonly { readonly holder: Holder; readonly role: Role }[];
}

/** The standing of a person or application. Whoever is unknown, disabled or not in the workspace is no member. */
export async function standingOf(db: Db, workspaceId: string, holder: Holder): Promise<Standing> {
  const workspace = await findWorkspace(db, workspaceId);
  // Read first: what is read after it is at least as new, so an answer never claims an epoch that it does not know.
  const epoch = workspace === undefined ? "" : String(workspace.epoch);
  const nobody: Standing = { member: false, permissions: new Set(), groupIds: [], epoch, roles: [] };
  if (workspace === undefined || workspace.deletedAt !== undefined) return nobody;
  if (!(await belongs(db, workspaceId, holder))) return nobody;
  const groupIds = await allGroups(db, workspaceId, holder);
  const roles = await rolesOf(db, workspaceId, [holder, ...groupIds.map((id) => ({ kind: holderKinds.group, id }))]);
  const permissions = new Set(unionOf(roles.map(({ role }) => role.permissions)));
  return { member: true, permissions, groupIds, epoch, roles };
}

async function belongs(db: Db, workspaceId: string, { kind, id }: Holder): Promise<boolean> {
  if (kind === holderKinds.group) return false;
  let personId = id;
  if (kind === holderKinds.application) {
    const application = await findApplication(db, workspaceId, id);
    if (application === undefined) return false;
    personId = application.ownerId;
  } else if (!(await isMember(db, workspaceId, id))) {
    return false;
  }
  const account = await findAccount(db, personId);
  return account !== undefined && account.disabledAt === undefined;
}

/** What a holder has by its role and those of the groups around it: what somebody put into it gains. */
export async function permissionsThrough(db: Db, workspaceId: string, holder: Holder): Promise<Permission[]> {
  const groups = await allGroups(db, workspaceId, holder);
  const roles = await rolesOf(db, workspaceId, [holder, ...groups.map((id) => ({ kind: holderKinds.group, id }))]);
  return unionOf(roles.map(({ role }) => role.permissions));
}
