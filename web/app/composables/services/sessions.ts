// How one gets in, and the sessions that one has.

import type { Session } from "@docket/contracts/gen/docket/user/v1/session_pb.ts";
import { SessionService, SignUpMode } from "@docket/contracts/gen/docket/user/v1/session_service_pb.ts";

/** How one may get in. A plain object, so that it crosses from the server's page to the browser. */
export interface SignInOptions {
  /** Whether anybody may make an account; otherwise only with an invitation. */
  readonly open: boolean;
  /** Whether the instance sends mail. */
  readonly mail: boolean;
  /** Whether nobody has an account yet. */
  readonly firstAccount: boolean;
}

export interface NewAccount {
  readonly displayName: string;
  readonly email: string;
  readonly password: string;
  /** An invitation that is accepted by the same step. */
  readonly invitationSecret?: string;
}

export function useSessions() {
  const client = useClient(SessionService);
  return {
    async options(): Promise<SignInOptions> {
      const { signUpMode, mail, firstAccount } = await client.getSignInOptions({});
      return { open: signUpMode === SignUpMode.OPEN, mail, firstAccount };
    },
    /** Makes an account, which is signed in at once unless a mail must be opened first. */
    async signUp(account: NewAccount): Promise<"signedIn" | "mailed"> {
      const { locale, timeZone } = browserWays();
      const answer = await client.signUp({ ...account, locale, timeZone, clientName: clientName() });
      return answer.confirmationPending ? "mailed" : "signedIn";
    },
    async confirmSignUp(secret: string, password: string): Promise<void> {
      await client.confirmSignUp({ secret, password, clientName: clientName() });
    },
    /** Asks for a new password; whether a link comes by mail. */
    async requestReset(email: string): Promise<boolean> {
      return (await client.requestPasswordReset({ email })).mail;
    },
    /** Sets a new password by a link, and signs in. */
    async resetPassword(secret: string, newPassword: string): Promise<void> {
      await client.resetPassword({ secret, newPassword, clientName: clientName() });
    },
    /** All own sessions that are alive, the newest first. */
    async list(): Promise<Session[]> {
      return await allPages(async (pageToken) => {
        const page = await client.listSessions({ pageSize: 200, pageToken });
        return { items: page.sessions, nextPageToken: page.nextPageToken };
      });
    },
    async end(sessionId: string): Promise<void> {
      await client.revokeSession({ sessionId });
    },
  };
}

/** What the browser says of its reader's language and zone. */
export function browserWays(): { locale: string; timeZone: string } {
  const { timeZone = "UTC" } = Intl.DateTimeFormat().resolvedOptions();
  return { locale: import.meta.client ? navigator.language : "", timeZone };
}
