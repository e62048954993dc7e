import type { ServiceImpl } from "@connectrpc/connect";
import { Reason } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import { type SessionService, SignUpMode } from "@docket/contracts/gen/docket/user/v1/session_service_pb.ts";
import { callOf, subjectOf } from "@docket/runtime/call";
import { openPage } from "@docket/runtime/db/page";
import { AppError, notFound } from "@docket/runtime/errors";
import { newId } from "@docket/runtime/ids";
import { enqueue } from "@docket/runtime/queue/queue";
import { hashSecret } from "../credentials/vault.ts";
import { foldEmail } from "../domain/names.ts";
import { mailRule, sourceRule } from "../domain/throttle.ts";
import { findAccount, findAccountByEmail, hasAccounts, noteResetRequest } from "../store/account_store.ts";
import { findPasswordReset } from "../store/credential_store.ts";
import { deleteSession, findSession, listSessions } from "../store/session_store.ts";
import { countAttempt, forgiveAttempt } from "../store/throttle_store.ts";
import { replacePassword } from "./accounts.ts";
import type { Deps } from "./deps.ts";
import { jobs } from "./mailing.ts";
import { toSession, toUser } from "./messages.ts";
import { beginSession, livenessOf } from "./sessions.ts";
import { confirmSignUp, refuseWeakPassword, signUp } from "./sign_up.ts";
import { refuseWhenSlowed, slowedBy, slowingPassword, sourceHashOf, verifySlowly } from "./throttling.ts";
import { afterKeyOf, cutPage, type Write, writing } from "./writing.ts";

/** Accounts are made and sessions begun and ended. */
export function sessionHandlers(deps: Deps): ServiceImpl<typeof SessionService> {
  const { db, rules, events } = deps;

  const endSession = async ({ tx, tell }: Write, sessionId: string, userId: string) => {
    if (!(await deleteSession(tx, sessionId))) return;
    tell({ case: "sessionEnded", value: { sessionId, userId } });
    events.sessionEnded(userId, 1);
  };

  return {
    async getSignInOptions() {
      return {
        signUpMode: rules.signUp === "open" ? SignUpMode.OPEN : SignUpMode.INVITATION,
        mail: rules.mail,
        firstAccount: !(await hasAccounts(db.query)),
      };
    },

    async signUp(request, context) {
      return (await signUp(deps, request, callOf(context))) ?? { confirmationPending: true };
    },

    async confirmSignUp(request, context) {
      return await confirmSignUp(deps, request, callOf(context));
    },

    async signIn({ email: address, password, clientName }, context) {
      const call = callOf(context);
      const email = foldEmail(address);
      const account = await findAccountByEmail(db.query, email);
      const slowed = await slowingPassword(deps, email, account?.id, sourceHashOf(call.clientAddress));
      let fits = false;
      try {
        fits = await verifySlowly(deps, slowed, account?.passwordHash, password);
      } catch (error) {
        if (error instanceof AppError && error.reason === Reason.ATTEMPTS_SLOWED) events.signInRefused("slowed");
        throw error;
      }
      if (!fits || account === undefined) {
        events.signInRefused("credentials");
        throw new AppError(Reason.CREDENTIALS_INVALID);
      }
      const grant = await writing(deps, async (write) => {
        await forgiveAttempt(write.tx, slowed, write.now.getTime());
        // As it is now: disabled, or with a new password, since it was read.
        const current = await findAccount(write.tx, account.id);
        if (current?.passwordHash !== account.passwordHash) throw new AppError(Reason.CREDENTIALS_INVALID);
        if (current.disabledAt !== undefined) return undefined;
        return await beginSession(deps, write, current, { name: clientName, call });
      });
      if (grant === undefined) {
        events.signInRefused("disabled");
        throw new AppError(Reason.ACCOUNT_DISABLED);
      }
      events.signedIn(account.id);
      return grant;
    },

    async signOut(_request, context) {
      const subject = subjectOf(context);
      await writing(deps, (write) => endSession(write, subject.sessionId ?? "", subject.id));
      return {};
    },

    async getSession(_request, context) {
      const { id, sessionId = "" } = subjectOf(context);
      const [session, account] = await Promise.all([findSession(db.query, sessionId), findAccount(db.query, id)]);
      if (session === undefined || account === undefined) throw new AppError(Reason.SESSION_INVALID);
      return {
        session: toSession(session, sessionId),
        user: toUser(account, { asAdministrator: account.administrator }),
      };
    },

    async listSessions(request, context) {
      const { id, sessionId } = subjectOf(context);
      const page = openPage(request, ["sessions", id]);
      const [before] = afterKeyOf(page, "string") ?? [];
      const found = await listSessions(db.query, id, livenessOf(deps), before, page.size + 1);
      const { rows, nextPageToken } = cutPage(found, page, (session) => [session.id]);
      return { sessions: rows.map((session) => toSession(session, sessionId)), nextPageToken };
    },

    async revokeSession({ sessionId }, context) {
      const { id } = subjectOf(context);
      await writing(deps, (write) => endSession(write, sessionId, id));
      return {};
    },

    async requestPasswordReset({ email: address }, context) {
      const email = foldEmail(address);
      await refuseWhenSlowed(deps, [slowedBy(sourceRule, "reset", sourceHashOf(callOf(context).clientAddress))]);
      // The same statements for every address: whether it has an account is looked at later, by the job.
      await db.transaction(async (tx) => {
        const now = deps.clock();
        const wait = await countAttempt(tx, [slowedBy(mailRule, "mail", email)], now.getTime());
        if (rules.mail && wait === 0) await enqueue(tx, { kind: jobs.reset, payload: { id: newId(), email } });
        if (!rules.mail) await noteResetRequest(tx, email, now);
      });
      return { mail: rules.mail };
    },

    async resetPassword({ secret, newPassword, clientName }, context) {
      const hash = hashSecret(secret);
      const userId = await findPasswordReset(db.query, hash, deps.clock());
      const account = userId === undefined ? undefined : await findAccount(db.query, userId);
      if (account === undefined) throw new AppError(Reason.LINK_INVALID);
      if (account.disabledAt !== undefined) throw new AppError(Reason.ACCOUNT_DISABLED);
      refuseWeakPassword(newPassword, account);
      const passwordHash = await deps.passwords.hash(newPassword);
      const grant = await writing(deps, async (write) => {
        if ((await findPasswordReset(write.tx, hash, write.now)) !== account.id)
          throw new AppError(Reason.LINK_INVALID);
        await replacePassword(write, account.id, passwordHash);
        const current = await findAccount(write.tx, account.id);
        if (current === undefined) throw notFound("user", account.id);
        if (current.disabledAt !== undefined) throw new AppError(Reason.ACCOUNT_DISABLED);
        return await beginSession(deps, write, current, { name: clientName, call: callOf(context) });
      });
      events.passwordChanged(account.id);
      return grant;
    },
  };
}
