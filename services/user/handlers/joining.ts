import { Reason } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import { AppError } from "@docket/runtime/errors";
import { type Account, holderKinds, type Invitation } from "../domain/model.ts";
import { markAccepted } from "../store/invitation_store.ts";
import { setBinding } from "../store/role_store.ts";
import { countMemberships, insertMember, isMember } from "../store/workspace_store.ts";
import type { Rules } from "./deps.ts";
import { refuseAtLimit, type Write } from "./writing.ts";

/** Makes a person a member by an invitation, which is used up. */
export async function join(write: Write, rules: Rules, account: Account, invitation: Invitation): Promise<void> {
  const { tx, now } = write;
  const { workspaceId, roleId } = invitation;
  await write.lock(workspaceId);
  if (await isMember(tx, workspaceId, account.id)) {
    throw new AppError(Reason.ALREADY_MEMBER, { metadata: { workspace_id: workspaceId } });
  }
  refuseAtLimit(await countMemberships(tx, account.id), rules.limits.memberships);
  if (!(await markAccepted(tx, invitation, account.id, now))) throw new AppError(Reason.LINK_INVALID);
  await insertMember(tx, workspaceId, account, now);
  await setBinding(tx, workspaceId, { kind: holderKinds.person, id: account.id }, roleId, now);
}
