// The two people of the demonstration, signed in; made where they are missing. Refuses in a sentence when this instance
// is not for trying out, before anything is made.

import { InvitationState } from "@docket/contracts/gen/docket/user/v1/invitation_pb.ts";
import { SignUpMode } from "@docket/contracts/gen/docket/user/v1/session_service_pb.ts";
import { Reason } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import { reasonOf, StartError } from "@docket/runtime/errors";
import { everyPage, type Hand, handOf } from "./client.ts";
import { anna, ben, type DemoPerson, workspaceName } from "./people.ts";

/** What the sessions are called in the list of sessions. */
const clientName = "Demonstration";

export interface DemoAccounts {
  readonly anna: Hand;
  /** Undefined: there is no such account, and sign-up takes an invitation. */
  readonly ben: Hand | undefined;
}

/** Signs both in. Throws StartError. */
export async function openAccounts(url: string): Promise<DemoAccounts> {
  const { firstAccount, signUpMode, mail } = await handOf(url).sessions.getSignInOptions({});
  const open = signUpMode === SignUpMode.OPEN;
  const known = firstAccount ? undefined : await signedIn(url, anna);
  const knownBen = firstAccount ? undefined : await signedIn(url, ben);
  if (mail && (known === undefined || knownBen === undefined)) {
    throw refusal("this instance mails a link to everybody who signs up, and these two have no mailbox");
  }
  if (known === undefined && !firstAccount && !open) {
    throw refusal(`other people have accounts here, sign-up takes an invitation, and ${anna.email} is not one of them`);
  }
  const first = known ?? (await signedUp(url, anna));
  return { anna: first, ben: knownBen ?? (open ? await signedUp(url, ben) : undefined) };
}

/** Ben as a member of the workspace, by an invitation of Anna's. */
export async function joinedBen(
  url: string,
  accounts: DemoAccounts,
  workspaceId: string,
  roleId: string,
): Promise<Hand> {
  const { anna: owner, ben: known } = accounts;
  const members = await everyPage(
    (page) => owner.workspaces.listMembers({ workspaceId, ...page }),
    ({ members }) => members,
  );
  const id = (await known?.sessions.getSession({}))?.user?.id;
  if (known !== undefined && members.some(({ user }) => user?.id === id)) return known;
  // The secret of an invitation is shown once: one that an earlier filling left behind is of no use.
  const invitations = await everyPage(
    (page) => owner.workspaces.listInvitations({ workspaceId, ...page }),
    ({ invitations }) => invitations,
  );
  for (const { id, email, state } of invitations) {
    if (email !== ben.email || state !== InvitationState.PENDING) continue;
    await owner.workspaces.revokeInvitation({ workspaceId, invitationId: id });
  }
  const { secret } = await owner.workspaces.createInvitation({ workspaceId, email: ben.email, roleId });
  if (known === undefined) return await signedUp(url, ben, secret);
  await known.workspaces.acceptInvitation({ secret });
  return known;
}

async function signedIn(url: string, { email, password }: DemoPerson): Promise<Hand | undefined> {
  try {
    const { sessionSecret } = await handOf(url).sessions.signIn({ email, password, clientName });
    return handOf(url, sessionSecret);
  } catch (error) {
    if (reasonOf(error) !== Reason.CREDENTIALS_INVALID) throw error;
    return undefined;
  }
}

async function signedUp(url: string, person: DemoPerson, invitationSecret?: string): Promise<Hand> {
  try {
    const { sessionSecret } = await handOf(url).sessions.signUp({
      ...person,
      clientName,
      locale: "en",
      ...(invitationSecret === undefined ? {} : { invitationSecret }),
    });
    return handOf(url, sessionSecret);
  } catch (error) {
    if (reasonOf(error) !== Reason.EMAIL_TAKEN) throw error;
    throw refusal(`${person.email} has an account here with another password than the demonstration's`);
  }
}

function refusal(why: string): StartError {
  return new StartError(
    `The demonstration ${workspaceName} cannot be filled in: ${why}. Set DOCKET_DATA_DIR to an empty folder for it.`,
  );
}
