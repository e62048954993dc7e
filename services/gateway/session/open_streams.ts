// The streams that sessions and keys have open here. They end when the user service says that the session has ended,
// and while it cannot say so, each is asked about once a second.

import { Reason } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import type { Subject } from "@docket/runtime/call";
import { reasonOf } from "@docket/runtime/errors";
import { type LiveStream, LiveStreams } from "@docket/runtime/interceptors/live_streams";
import type { Credential } from "./credentials.ts";
import type { Sessions } from "./sessions.ts";

interface Holder {
  readonly credential: Credential;
  readonly subject: Subject;
  count: number;
}

export class OpenStreams {
  readonly #live = new LiveStreams();
  readonly #holders = new Map<string, Holder>();
  readonly #sessions: Sessions;

  constructor(sessions: Sessions) {
    this.#sessions = sessions;
  }

  get size(): number {
    return this.#live.size;
  }

  /** Registers a stream; its signal aborts with the error to end with. */
  open(credential: Credential, subject: Subject): LiveStream {
    const live = this.#live.open(subject);
    const holder = this.#holders.get(credential.hash) ?? { credential, subject, count: 0 };
    holder.count += 1;
    this.#holders.set(credential.hash, holder);
    let open = true;
    const close = () => {
      live.close();
      if (!open) return;
      open = false;
      holder.count -= 1;
      if (holder.count === 0) this.#holders.delete(credential.hash);
    };
    return { signal: live.signal, close };
  }

  /** Ends the streams of subjects that match, and forgets what is known of them. */
  end(matches: (subject: Subject) => boolean): void {
    this.#sessions.forget(matches);
    this.#live.revoke(matches);
  }

  /** Asks about every session and key that has a stream open, and ends those that are refused. */
  async recheck(requestId: string): Promise<void> {
    await Promise.all(
      [...this.#holders.values()].map(async ({ credential, subject }) => {
        try {
          await this.#sessions.resolve(credential, requestId);
        } catch (error) {
          const reason = reasonOf(error);
          const ended = reason === Reason.SESSION_INVALID || reason === Reason.KEY_INVALID;
          // An outage ends nothing: the streams' own services refuse what they must.
          if (ended) this.end(({ sessionId, keyId }) => sessionId === subject.sessionId && keyId === subject.keyId);
        }
      }),
    );
  }

  /** Ends all with RESUME: the edge drains. */
  drain(): void {
    this.#live.drain();
  }
}
