// A user service with sessions and keys in memory, whose changes a test can make.

import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { Reason } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import { SessionService } from "@docket/contracts/gen/docket/user/v1/session_service_pb.ts";
import { TokenService } from "@docket/contracts/gen/docket/user/v1/token_service_pb.ts";
import { UserChangeService } from "@docket/contracts/gen/docket/user/v1/user_change_service_pb.ts";
import { callOf, type Subject, subjectOf } from "@docket/runtime/call";
import { AppError } from "@docket/runtime/errors";
import { newId } from "@docket/runtime/ids";
import { partly } from "./partial_service.ts";

export class FakeUsers {
  /** By secret. */
  readonly sessions = new Map<string, Subject>();
  readonly keys = new Map<string, Subject>();
  readonly seen: {
    requestId: string;
    clientAddress: string;
    subject: string | undefined;
    rpc: string;
    preview?: string | undefined;
  }[] = [];
  exchanges = 0;
  /** Whether changes are told; otherwise the stream is refused. */
  audible = true;
  #lines = new Set<AbortController>();
  #listeners = new Set<(change: object) => void>();

  signIn(id = newId()): { secret: string; subject: Subject } {
    const secret = `session-${newId()}-${newId()}`.replaceAll("-", "_");
    const subject: Subject = {
      kind: "person",
      id,
      sessionId: newId(),
      token: `token.${secret}`,
      expiresAt: Date.now() + 300_000,
    };
    this.sessions.set(secret, subject);
    return { secret, subject };
  }

  addKey(): { secret: string; subject: Subject } {
    const secret = `dk_${newId()}_${newId()}`;
    const subject: Subject = {
      kind: "application",
      id: newId(),
      keyId: newId(),
      workspaceId: newId(),
      scopes: [10, 30, 40],
      token: `token.${secret}`,
      expiresAt: Date.now() + 300_000,
    };
    this.keys.set(secret, subject);
    return { secret, subject };
  }

  /** Ends a session; tells it where changes are told. */
  end(secret: string): void {
    const session = this.sessions.get(secret);
    this.sessions.delete(secret);
    this.tell({
      event: { case: "sessionEnded", value: { sessionId: session?.sessionId ?? "", userId: session?.id ?? "" } },
    });
  }

  tell(change: object): void {
    for (const listener of this.#listeners) listener(change);
  }

  /** Ends the streams of changes that are open. */
  hangUp(): void {
    for (const hangUp of this.#lines) hangUp.abort();
  }

  get listeners(): number {
    return this.#listeners.size;
  }

  readonly verifyToken = async (token: string): Promise<Subject> => {
    const secret = token.replace(/^token\./, "");
    const subject = this.sessions.get(secret) ?? this.keys.get(secret);
    if (subject === undefined) throw new AppError(Reason.SESSION_INVALID);
    return subject;
  };

  services() {
    const begun = (secret: string, subject: Subject) => ({
      sessionSecret: secret,
      session: { id: subject.sessionId ?? "", userId: subject.id, expireTime: timestampFromMs(Date.now() + 3_600_000) },
    });
    return [
      partly(TokenService, {
        exchangeSession: async ({ sessionSecret }) => {
          this.exchanges += 1;
          const subject = this.sessions.get(sessionSecret);
          if (subject === undefined) throw new AppError(Reason.SESSION_INVALID);
          const { session } = begun(sessionSecret, subject);
          return { token: subject.token, expireTime: timestampFromMs(subject.expiresAt), session };
        },
        exchangeKey: async ({ keySecret }) => {
          const subject = this.keys.get(keySecret);
          if (subject === undefined) throw new AppError(Reason.KEY_INVALID);
          const { token, keyId = "", id, workspaceId = "", expiresAt } = subject;
          return { token, keyId, applicationId: id, workspaceId, expireTime: timestampFromMs(expiresAt) };
        },
        listPublicKeys: async () => ({ keys: [{ id: "key-1", x: "AAAA" }], maxAgeSeconds: 300 }),
      }),
      partly(SessionService, {
        getSignInOptions: async (_request, context) => {
          const { requestId, clientAddress, subject, preview } = callOf(context);
          this.seen.push({ requestId, clientAddress, subject: subject?.id, rpc: "GetSignInOptions", preview });
          return { firstAccount: true };
        },
        signIn: async ({ email, password }) => {
          if (password === "wrong") throw new AppError(Reason.CREDENTIALS_INVALID);
          if (password === "slow") throw new AppError(Reason.ATTEMPTS_SLOWED, { retryAfterMs: 4200 });
          const { secret, subject } = this.signIn();
          return { ...begun(secret, subject), user: { displayName: email } };
        },
        signOut: async (_request, context) => {
          const { sessionId } = subjectOf(context);
          for (const [secret, subject] of this.sessions) if (subject.sessionId === sessionId) this.end(secret);
          return {};
        },
        getSession: async (_request, context) => {
          const { requestId, clientAddress } = callOf(context);
          const { id, sessionId = "" } = subjectOf(context);
          this.seen.push({ requestId, clientAddress, subject: id, rpc: "GetSession" });
          return { session: { id: sessionId, userId: id } };
        },
        revokeSession: async (_request, context) => {
          this.seen.push({ requestId: "", clientAddress: "", subject: subjectOf(context).id, rpc: "RevokeSession" });
          return {};
        },
      }),
      partly(UserChangeService, {
        watchUserChanges: (_request, context) => this.#watch(callOf(context).signal, new AbortController()),
      }),
    ];
  }

  async *#watch(client: AbortSignal, line: AbortController) {
    if (!this.audible) throw new AppError(Reason.UNAVAILABLE);
    this.#lines.add(line);
    const signal = AbortSignal.any([client, line.signal]);
    const waiting: object[] = [];
    let wake: () => void = () => undefined;
    const listener = (change: object) => {
      waiting.push(change);
      wake();
    };
    this.#listeners.add(listener);
    signal.addEventListener("abort", () => wake(), { once: true });
    try {
      yield { changes: [], cursor: "0" };
      while (!signal.aborted) {
        const change = waiting.shift();
        if (change !== undefined) yield { changes: [change as never], cursor: "1" };
        else {
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        }
      }
    } finally {
      this.#listeners.delete(listener);
      this.#lines.delete(line);
    }
  }
}
