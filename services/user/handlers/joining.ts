import { Reason } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import { Permission } from "@docket/contracts/gen/docket/policy/v1/policy_pb.ts";
import { AppError } from "@docket/runtime/errors";
import { type Account, holderKinds, type Invitation } from "../domain/model.ts";
import { lacking } from "../domain/roles.ts";
import type { Db } from "../store/database.ts";
import { markAccepted } from "../store/invitation_store.ts";
import { findRole, setBinding } from "../store/role_store.ts";
import { standingOf } from "../store/standing_store.ts";
import { countMemberships, insertMember, isMember } from "../store/workspace_store.ts";
import type { Rules } from "./deps.ts";
import { refuseAtLimit, type Write } from "./writing.ts";

/**
 * Whether who made an invitation may still give its role. Otherwise somebody who is put out could come back by a link made
 * beforehand, as what they were.
 */
export async function isStoodBehind(db: Db, { workspaceId, roleId, createdBy }: Invitation): Promise<boolean> {
  const role = await findRole(db, workspaceId, roleId);
  const { permissions } = await standingOf(db, workspaceId, { kind: holderKinds.person, id: createdBy });
  return role !== undefined && lacking(permissions, [Permission.WORKSPACE_MANAGE, ...role.permissions]) === undefined;
}

/** Makes a person a member by an invitation, which is used up. */
export async function join(write: Write, rules: Rules, account: Account, invitation: Invitation): Promise<void> {
  const { tx, now } = write;
  const { workspaceId, roleId } = invitation;
  await write.lock(workspaceId);
  if (await isMember(tx, workspaceId, account.id)) {
    throw new AppError(Reason.ALREADY_MEMBER, { metadata: { workspace_id: workspaceId } });
  }
  if (!(await isStoodBehind(tx, invitation))) throw new AppError(Reason.LINK_INVALID);
  refuseAtLimit(await countMemberships(tx, account.id), rules.limits.memberships);
  if (!(await markAccepted(tx, invitation, account.id, now))) throw new AppError(Reason.LINK_INVALID);
  await insertMember(tx, workspaceId, account, now);
  await setBinding(tx, workspaceId, { kind: holderKinds.person, id: account.id }, roleId, now);
}
