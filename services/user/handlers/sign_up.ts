/** How accounts come to be. */
import { Reason } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import type { ConfirmSignUpRequest, SignUpRequest } from "@docket/contracts/gen/docket/user/v1/session_service_pb.ts";
import type { Call } from "@docket/runtime/call";
import { isUniqueViolation } from "@docket/runtime/db/database";
import { AppError } from "@docket/runtime/errors";
import { newId } from "@docket/runtime/ids";
import { enqueue } from "@docket/runtime/queue/queue";
import { hashSecret } from "../credentials/vault.ts";
import { type Account, type Invitation, invitationState } from "../domain/model.ts";
import { foldEmail } from "../domain/names.ts";
import { passwordWeakness } from "../domain/password.ts";
import { knownSourceRule, mailRule, sourceRule } from "../domain/throttle.ts";
import { findAccountByEmail, hasAccounts, insertAccount, lockInstance } from "../store/account_store.ts";
import {
  deletePendingSignUp,
  findPendingBySecret,
  insertPendingSignUp,
  updatePendingSignUp,
} from "../store/credential_store.ts";
import type { Db } from "../store/database.ts";
import { findInvitationBySecret } from "../store/invitation_store.ts";
import { countAttempt } from "../store/throttle_store.ts";
import type { Deps } from "./deps.ts";
import { join } from "./joining.ts";
import { jobs } from "./mailing.ts";
import { beginSession, type Grant } from "./sessions.ts";
import { forgive, refuseWhenSlowed, slowedBy, sourceHashOf, verifySlowly } from "./throttling.ts";
import { checkName, checkTimeZone, type Write, writing } from "./writing.ts";

/** How long a mailed confirmation works, in milliseconds. */
const confirmationLifeMs = 24 * 3_600_000;

/** Refuses a password that is too easy to guess. */
export function refuseWeakPassword(password: string, person: { email: string; displayName: string }): void {
  const rule = passwordWeakness(password, person);
  if (rule !== undefined) throw new AppError(Reason.PASSWORD_WEAK, { metadata: { rule } });
}

/** Undefined: a confirmation is on its way by mail. */
export async function signUp(deps: Deps, request: SignUpRequest, call: Call): Promise<Grant | undefined> {
  const { db, rules, events } = deps;
  const email = foldEmail(request.email);
  const person = { email, displayName: request.displayName.trim() };
  checkName("display_name", person.displayName);
  checkTimeZone("time_zone", request.timeZone);
  refuseWeakPassword(request.password, person);
  const invitationHash = request.invitationSecret === undefined ? undefined : hashSecret(request.invitationSecret);
  if (invitationHash !== undefined) {
    refuseClosed(await findInvitationBySecret(db.query, invitationHash), deps.clock());
  }
  await refuseClosedSignUp(deps, db.query, invitationHash !== undefined);

  const slowed = [slowedBy(sourceRule, "sign-up", sourceHashOf(call.clientAddress))];
  await refuseWhenSlowed(deps, slowed);
  const passwordHash = await deps.passwords.hash(request.password);
  const grant = await writing(deps, async (write) => {
    const { tx, now } = write;
    await lockInstance(tx);
    const first = await refuseClosedSignUp(deps, tx, invitationHash !== undefined);
    const invitation =
      invitationHash === undefined ? undefined : refuseClosed(await findInvitationBySecret(tx, invitationHash), now);
    const account: Account = {
      id: newId(),
      ...person,
      locale: request.locale,
      timeZone: request.timeZone,
      passwordHash,
      administrator: first,
      createdAt: now,
      disabledAt: undefined,
      resetRequestedAt: undefined,
      version: 1,
    };
    if (rules.mail && !first) {
      await awaitConfirmation(deps, write, account, invitationHash);
      return undefined;
    }
    await insertNew(write, account);
    if (invitation !== undefined) await join(write, deps.rules, account, invitation);
    return await beginSession(deps, write, account, { name: request.clientName, call });
  });
  // Only what tells something about addresses stays counted: refusals, and mails to whomever.
  if (grant !== undefined) {
    await forgive(deps, slowed);
    events.signedUp(grant.user.id);
  }
  return grant;
}

/** Makes the account of a mailed link. */
export async function confirmSignUp(deps: Deps, request: ConfirmSignUpRequest, call: Call): Promise<Grant> {
  const secretHash = hashSecret(request.secret);
  const waiting = await findPendingBySecret(deps.db.query, secretHash, deps.clock());
  if (waiting === undefined) throw new AppError(Reason.LINK_INVALID);
  const slowed = [slowedBy(knownSourceRule, "confirm", secretHash)];
  if (!(await verifySlowly(deps, slowed, waiting.passwordHash, request.password))) {
    throw new AppError(Reason.CREDENTIALS_INVALID);
  }
  const grant = await writing(deps, async (write) => {
    const { tx, now } = write;
    const pending = await findPendingBySecret(tx, secretHash, now);
    if (pending === undefined || !(await deletePendingSignUp(tx, pending.id))) throw new AppError(Reason.LINK_INVALID);
    // Somebody signed up with the address once more since the password was looked at.
    if (pending.passwordHash !== waiting.passwordHash) throw new AppError(Reason.CREDENTIALS_INVALID);
    const account: Account = {
      ...pending,
      id: newId(),
      administrator: false,
      createdAt: now,
      disabledAt: undefined,
      resetRequestedAt: undefined,
      version: 1,
    };
    await insertNew(write, account);
    if (pending.invitationHash !== undefined) {
      const invitation = await findInvitationBySecret(tx, pending.invitationHash);
      // Revoked meanwhile: the account is made, and the workspace stays closed.
      if (invitation && invitationState(invitation, now) === "pending")
        await join(write, deps.rules, account, invitation);
    }
    return await beginSession(deps, write, account, { name: request.clientName, call });
  });
  deps.events.signedUp(grant.user.id);
  return grant;
}

/** Whether this is the first account, which may always be made. */
async function refuseClosedSignUp({ rules }: Deps, db: Db, invited: boolean): Promise<boolean> {
  const first = !(await hasAccounts(db));
  if (rules.signUp === "invitation" && !first && !invited) throw new AppError(Reason.SIGN_UP_CLOSED);
  return first;
}

function refuseClosed(invitation: Invitation | undefined, now: Date): Invitation {
  if (invitation === undefined || invitationState(invitation, now) !== "pending") {
    throw new AppError(Reason.LINK_INVALID);
  }
  return invitation;
}

async function insertNew({ tx }: Write, account: Account): Promise<void> {
  if ((await findAccountByEmail(tx, account.email)) !== undefined) throw new AppError(Reason.EMAIL_TAKEN);
  try {
    await insertAccount(tx, account);
  } catch (error) {
    if (isUniqueViolation(error)) throw new AppError(Reason.EMAIL_TAKEN, { cause: error });
    throw error;
  }
}

/** The same work whether the address has an account or not; which of the two mails goes out is the job's affair. */
async function awaitConfirmation(
  { vault }: Deps,
  { tx, now }: Write,
  account: Account,
  invitationHash: string | undefined,
): Promise<void> {
  const wait = await countAttempt(tx, [slowedBy(mailRule, "mail", account.email)], now.getTime());
  const secretHash = hashSecret(vault.linkSecret("confirm", account.id));
  const expiresAt = new Date(now.getTime() + confirmationLifeMs);
  const pending = { ...account, invitationHash, expiresAt };
  // A mail went there a moment ago: its link goes on working, for what is wished now.
  if (wait > 0) return await updatePendingSignUp(tx, account.email, pending);
  await insertPendingSignUp(tx, pending, secretHash, now);
  await enqueue(tx, { kind: jobs.confirm, payload: { id: account.id } });
}
