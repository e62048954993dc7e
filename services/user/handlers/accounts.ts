/** What administrators and operators do to accounts, by whichever way they ask for it: an RPC or the command line. */
import { Reason } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import { AppError, notFound } from "@docket/runtime/errors";
import { newId } from "@docket/runtime/ids";
import { hashSecret } from "../credentials/vault.ts";
import type { Account } from "../domain/model.ts";
import { countAdministrators, findAccount, lockInstance, updateAccount } from "../store/account_store.ts";
import { liveApiKeysOwnedBy } from "../store/api_key_store.ts";
import { applicationWorkspacesOf } from "../store/application_store.ts";
import { deletePasswordResets, insertPasswordReset } from "../store/credential_store.ts";
import type { Db } from "../store/database.ts";
import { otherOwners, ownedWorkspaceIds, workspaceIdsOf } from "../store/workspace_store.ts";
import type { Deps } from "./deps.ts";
import { linkOf, resetLifeMs } from "./mailing.ts";
import { endSessionsOf } from "./sessions.ts";
import { type Write, type WriteDeps, writing } from "./writing.ts";

/** An account that must be there. Throws NOT_FOUND. */
export async function existingAccount(db: Db, id: string): Promise<Account> {
  const account = await findAccount(db, id);
  if (account === undefined) throw notFound("user", id);
  return account;
}

/** Disables an account: its sessions and keys end at once. Harmless where it is disabled already. */
export function disableAccount(deps: WriteDeps, userId: string): Promise<Account> {
  return writing(deps, async (write) => {
    const { tx, now, tell } = write;
    await lockInstance(tx);
    const account = await existingAccount(tx, userId);
    if (account.disabledAt !== undefined) return account;
    await refuseLastAdministrator(tx, account);
    // In one order everywhere, so that two of these cannot wait for each other.
    for (const workspaceId of await affectedWorkspaces(tx, userId)) await write.lock(workspaceId);
    for (const workspaceId of await ownedWorkspaceIds(tx, userId)) {
      if ((await otherOwners(tx, workspaceId, userId)).length === 0) {
        throw new AppError(Reason.LAST_OWNER, { metadata: { workspace_id: workspaceId } });
      }
    }
    await endSessionsOf(write, userId);
    await deletePasswordResets(tx, userId);
    for (const { id: keyId, applicationId, workspaceId } of await liveApiKeysOwnedBy(tx, userId)) {
      tell({ case: "keyRevoked", value: { keyId, applicationId, workspaceId } });
    }
    tell({ case: "userDisabled", value: { userId } });
    await updateAccount(tx, userId, { disabledAt: now, resetRequestedAt: null });
    return await existingAccount(tx, userId);
  });
}

/** Enables it again. Harmless where it is enabled. */
export function enableAccount(deps: WriteDeps, userId: string): Promise<Account> {
  return writing(deps, async (write) => {
    const { tx, tell } = write;
    const account = await existingAccount(tx, userId);
    if (account.disabledAt === undefined) return account;
    for (const workspaceId of await affectedWorkspaces(tx, userId)) await write.lock(workspaceId);
    tell({ case: "userEnabled", value: { userId } });
    await updateAccount(tx, userId, { disabledAt: null });
    return await existingAccount(tx, userId);
  });
}

/** Makes an account an administrator of the instance, or no longer one. */
export function changeAdministrator(deps: WriteDeps, userId: string, administrator: boolean): Promise<Account> {
  return writing(deps, async ({ tx }) => {
    await lockInstance(tx);
    const account = await existingAccount(tx, userId);
    if (account.administrator === administrator) return account;
    if (!administrator) await refuseLastAdministrator(tx, account);
    await updateAccount(tx, userId, { administrator });
    return await existingAccount(tx, userId);
  });
}

/** A link with which the account gets a new password, once and within an hour. It replaces an earlier one. */
export function makeResetLink(
  deps: WriteDeps & Pick<Deps, "vault"> & { readonly rules: Pick<Deps["rules"], "publicUrl"> },
  userId: string,
): Promise<{ readonly link: string; readonly expiresAt: Date }> {
  return writing(deps, async ({ tx, now }) => {
    await existingAccount(tx, userId);
    const id = newId();
    const secret = deps.vault.linkSecret("reset", id);
    const expiresAt = new Date(now.getTime() + resetLifeMs);
    await insertPasswordReset(tx, { id, userId, secretHash: hashSecret(secret), createdAt: now, expiresAt });
    return { link: linkOf(deps.rules.publicUrl(), "reset-password", secret), expiresAt };
  });
}

/** Gives an account another password: open links to one are worth nothing any more, and all its sessions end but one. */
export async function replacePassword(
  write: Write,
  userId: string,
  passwordHash: string,
  exceptSession?: string,
): Promise<void> {
  await deletePasswordResets(write.tx, userId);
  await updateAccount(write.tx, userId, { passwordHash, resetRequestedAt: null });
  await endSessionsOf(write, userId, exceptSession);
}

async function refuseLastAdministrator(tx: Db, account: Account): Promise<void> {
  if (!account.administrator || account.disabledAt !== undefined) return;
  if ((await countAdministrators(tx)) <= 1) throw new AppError(Reason.LAST_ADMINISTRATOR);
}

/** Where it matters whether this account is disabled: where it is a member, and where it owns an application. */
async function affectedWorkspaces(tx: Db, userId: string): Promise<string[]> {
  const ids = new Set([...(await workspaceIdsOf(tx, userId)), ...(await applicationWorkspacesOf(tx, userId))]);
  return [...ids].sort();
}
