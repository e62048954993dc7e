// Turns sessions and keys into short-lived tokens. What is known is kept for one second, so that the end of a session
// is noticed within it even when nobody tells; being told (user_changes.ts) is faster. Where gateways share hot copies,
// most seconds begin with one of these instead of a question; a second counts from when the copy was vouched for.

import { timestampMs } from "@bufbuild/protobuf/wkt";
import { type Client, ConnectError } from "@connectrpc/connect";
import { Reason } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import type { TokenService } from "@docket/contracts/gen/docket/user/v1/token_service_pb.ts";
import { headerNames, type Subject } from "@docket/runtime/call";
import { AppError, reasonOf } from "@docket/runtime/errors";
import type { HotCopies } from "@docket/runtime/redis/hot_copies";
import type { Credential } from "./credentials.ts";
import { copiedSubject, ownersOf } from "./subject_copy.ts";

/** How long an answer of the user service is believed, in milliseconds. */
export const rememberedMs = 1000;

/**
 * How long a token must still last where a copy gives it, in milliseconds: uploads are sent on in segments of a minute,
 * each with one token.
 */
const leftMs = 90_000;

interface Known {
  /** When it was true, at the earliest, on a clock that only goes forward. */
  at: number;
  readonly subject: Promise<Subject>;
  /** Set once the promise has been kept. */
  settled?: Subject;
}

export interface SessionsOptions {
  readonly tokens: Client<typeof TokenService>;
  /** What all gateways know together. Default: each knows for itself. */
  readonly copies?: HotCopies | undefined;
  readonly now?: () => number;
  /** Milliseconds that only go forward, however the clock is set. */
  readonly elapsed?: () => number;
  /** How many sessions and keys are remembered. */
  readonly capacity?: number;
}

/** Who it is, and when that was true. */
interface Answer {
  readonly subject: Subject;
  readonly ageMs: number;
}

export class Sessions {
  readonly #tokens: Client<typeof TokenService>;
  readonly #copies: HotCopies | undefined;
  readonly #now: () => number;
  readonly #elapsed: () => number;
  readonly #capacity: number;
  readonly #known = new Map<string, Known>();
  /** What was heard to have ended in the last second: a copy whose truth is older may not know it yet. */
  #endings: { readonly at: number; readonly matches: (subject: Subject) => boolean }[] = [];

  constructor({
    tokens,
    copies,
    now = Date.now,
    elapsed = () => performance.now(),
    capacity = 20_000,
  }: SessionsOptions) {
    this.#tokens = tokens;
    this.#copies = copies;
    this.#now = now;
    this.#elapsed = elapsed;
    this.#capacity = capacity;
  }

  /** Who a credential speaks for. Throws SESSION_INVALID or KEY_INVALID; UNAVAILABLE when the user service is away. */
  async resolve(credential: Credential, requestId: string): Promise<Subject> {
    const now = this.#elapsed();
    const known = this.#known.get(credential.hash);
    if (known !== undefined && now - known.at < rememberedMs) return await known.subject;
    const answer = this.#ask(credential, requestId);
    const entry: Known = { at: now, subject: answer.then(({ subject }) => subject) };
    // Everybody who waits for it may have gone when it fails.
    entry.subject.catch(() => undefined);
    this.#remember(credential.hash, entry);
    try {
      const { subject, ageMs } = await answer;
      entry.at -= ageMs;
      entry.settled = subject;
      return subject;
    } catch (error) {
      // A refusal is remembered as well; an outage is not.
      const reason = reasonOf(error);
      const refused = reason === Reason.SESSION_INVALID || reason === Reason.KEY_INVALID;
      if (!refused && this.#known.get(credential.hash) === entry) this.#known.delete(credential.hash);
      throw error;
    }
  }

  /** Drops what is known of subjects that match: they have ended, or may have. */
  forget(matches: (subject: Subject) => boolean): void {
    const now = this.#elapsed();
    this.#endings = this.#endings.filter(({ at }) => now - at < rememberedMs);
    this.#endings.push({ at: now, matches });
    for (const [hash, { settled }] of this.#known) {
      // What is being asked right now may have been answered before the change; ask again next time.
      if (settled === undefined || matches(settled)) this.#known.delete(hash);
    }
  }

  #remember(hash: string, entry: Known): void {
    this.#known.delete(hash);
    this.#known.set(hash, entry);
    if (this.#known.size <= this.#capacity) return;
    const oldest = this.#known.keys().next();
    if (!oldest.done) this.#known.delete(oldest.value);
  }

  /** From a copy, or else from the user service, which then becomes a copy. */
  async #ask(credential: Credential, requestId: string): Promise<Answer> {
    const askedAt = this.#elapsed();
    const found = await this.#copies?.look(credential.secret.reveal());
    if (found !== undefined && "text" in found) {
      const { text, ageMs } = found;
      const subject = copiedSubject(text);
      if (subject !== undefined && this.#believes(subject, askedAt - ageMs)) return { subject, ageMs };
    }
    const subject = await this.#exchange(credential, requestId);
    if (found !== undefined && "keep" in found) {
      found.keep(JSON.stringify(subject), ownersOf(subject), subject.expiresAt - this.#now() - leftMs);
    }
    return { subject, ageMs: 0 };
  }

  /** Whether a copy that was true at a time will do. */
  #believes(subject: Subject, trueAt: number): boolean {
    if (subject.expiresAt - this.#now() <= leftMs) return false;
    return !this.#endings.some(({ at, matches }) => at >= trueAt && matches(subject));
  }

  async #exchange(credential: Credential, requestId: string): Promise<Subject> {
    const headers = { [headerNames.requestId]: requestId };
    const secret = credential.secret.reveal();
    try {
      if (credential.kind === "key") {
        const answer = await this.#tokens.exchangeKey({ keySecret: secret }, { headers });
        const { token, keyId, applicationId: id, workspaceId, expireTime } = answer;
        return {
          kind: "application",
          id,
          keyId,
          workspaceId,
          token,
          expiresAt: expireTime ? timestampMs(expireTime) : 0,
        };
      }
      const { token, session, expireTime } = await this.#tokens.exchangeSession({ sessionSecret: secret }, { headers });
      if (session === undefined) throw new AppError(Reason.INTERNAL, { message: "The user service named no session." });
      return {
        kind: "person",
        id: session.userId,
        sessionId: session.id,
        token,
        expiresAt: expireTime ? timestampMs(expireTime) : 0,
      };
    } catch (error) {
      throw refusal(error, credential);
    }
  }
}

/** A secret that breaks a rule of the contract is no secret of ours; that it breaks one is nobody's business. */
function refusal(error: unknown, { kind }: Credential): unknown {
  if (!(error instanceof ConnectError) || reasonOf(error) !== Reason.INVALID_ARGUMENT) return error;
  return new AppError(kind === "key" ? Reason.KEY_INVALID : Reason.SESSION_INVALID);
}
