import { Reason } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import type { Subject } from "@docket/runtime/call";
import { AppError } from "@docket/runtime/errors";
import { createTokenVerifier, jwksOf } from "@docket/runtime/token";
import { findAccount } from "../store/account_store.ts";
import { findLiveApiKey } from "../store/api_key_store.ts";
import { findSession } from "../store/session_store.ts";
import type { Deps } from "./deps.ts";

/**
 * Verifies tokens as every service does, with the keys at hand, and looks whether the session or key behind one has
 * ended since it was signed: this service knows, and its own answers must not lag.
 */
export function createTokenCheck({ db, keys, clock }: Deps): (token: string) => Promise<Subject> {
  const verifier = createTokenVerifier({
    clock,
    fetchKeys: async () => jwksOf((await keys.publicKeys()).map(({ id, publicX }) => ({ id, x: publicX }))),
  });
  return async (token) => {
    const subject = await verifier.verify(token);
    if (subject.kind === "application") {
      if ((await findLiveApiKey(db.query, subject.keyId ?? "", clock())) === undefined) {
        throw new AppError(Reason.KEY_INVALID, { refusedBy: "session" });
      }
      return subject;
    }
    const session = await findSession(db.query, subject.sessionId ?? "");
    const account = session && (await findAccount(db.query, session.userId));
    if (session?.userId !== subject.id || account === undefined || account.disabledAt !== undefined) {
      throw new AppError(Reason.SESSION_INVALID, { refusedBy: "session" });
    }
    return subject;
  };
}
