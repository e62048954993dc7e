/** Sessions begin and end here, whoever asks for it. */

import type { Call } from "@docket/runtime/call";
import { newId } from "@docket/runtime/ids";
import { hashSecret, newSecret } from "../credentials/vault.ts";
import type { Account, Session } from "../domain/model.ts";
import { encodeSecret } from "../domain/secrets.ts";
import { deleteSessionsOf, insertSession, type Liveness } from "../store/session_store.ts";
import { rememberSource } from "../store/throttle_store.ts";
import type { Deps } from "./deps.ts";
import { toSession, toUser } from "./messages.ts";
import { sourceHashOf } from "./throttling.ts";
import type { Write } from "./writing.ts";

/** What SignIn, SignUp, ConfirmSignUp and ResetPassword answer alike. */
export interface Grant {
  readonly sessionSecret: string;
  readonly session: ReturnType<typeof toSession>;
  readonly user: ReturnType<typeof toUser>;
}

/** Begins a session, and remembers where from. */
export async function beginSession(
  { rules }: Deps,
  { tx, now }: Write,
  account: Account,
  client: { readonly name: string; readonly call: Call },
): Promise<Grant> {
  const secret = encodeSecret(newSecret());
  const session: Session = {
    id: newId(),
    userId: account.id,
    clientName: client.name,
    clientAddress: client.call.clientAddress.slice(0, 64),
    createdAt: now,
    lastUsedAt: now,
    expiresAt: new Date(now.getTime() + rules.sessionLifeMs),
  };
  await insertSession(tx, session, hashSecret(secret));
  await rememberSource(tx, account.id, sourceHashOf(client.call.clientAddress), now);
  return {
    sessionSecret: secret,
    session: toSession(session, session.id),
    user: toUser(account, { asAdministrator: account.administrator }),
  };
}

/** Ends all sessions of a person but one, and tells others. */
export async function endSessionsOf({ tx, tell }: Write, userId: string, except?: string): Promise<number> {
  const ended = await deleteSessionsOf(tx, userId, except);
  for (const sessionId of ended) tell({ case: "sessionEnded", value: { sessionId, userId } });
  return ended.length;
}

/** What makes a session live now. */
export function livenessOf({ clock, rules }: Deps): Liveness {
  const now = clock();
  return { now, usedAfter: new Date(now.getTime() - rules.sessionIdleMs) };
}
