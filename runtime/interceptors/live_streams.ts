// The streams that a server has open, so that a drain, the end of a token or a revocation can end them.

import { Reason } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import type { Subject } from "../call.ts";
import { AppError } from "../errors.ts";

/** A stream as its link holds it. */
export interface LiveStream {
  /** Aborts when the stream must end; its reason is the error to end with. */
  readonly signal: AbortSignal;
  /** Forgets the stream. May be called more than once. */
  readonly close: () => void;
}

/** Up to a tenth of the token's life is taken off, so that streams opened together do not all return together. */
const jitter = 0.1;

export class LiveStreams {
  readonly #open = new Map<AbortController, Subject | undefined>();

  /** How many streams are open. */
  get size(): number {
    return this.#open.size;
  }

  /** Registers a stream. With a subject it ends with RESUME shortly before the subject's token does. */
  open(subject: Subject | undefined): LiveStream {
    const controller = new AbortController();
    this.#open.set(controller, subject);
    let timer: NodeJS.Timeout | undefined;
    const close = () => {
      clearTimeout(timer);
      this.#open.delete(controller);
    };
    if (subject === undefined) return { signal: controller.signal, close };
    const lifeMs = Math.max(0, subject.expiresAt - Date.now());
    const end = () => controller.abort(new AppError(Reason.RESUME));
    timer = setTimeout(end, lifeMs * (1 - jitter * Math.random()));
    return { signal: controller.signal, close };
  }

  /** Ends the streams of subjects that match, because their session, key or account has ended. */
  revoke(matches: (subject: Subject) => boolean): number {
    let ended = 0;
    for (const [controller, subject] of this.#open) {
      if (subject === undefined || !matches(subject)) continue;
      controller.abort(new AppError(subject.kind === "person" ? Reason.SESSION_INVALID : Reason.KEY_INVALID));
      ended += 1;
    }
    return ended;
  }

  /** Ends all streams with a retryable status: the server drains. */
  drain(): void {
    for (const controller of this.#open.keys()) controller.abort(new AppError(Reason.RESUME));
  }
}
