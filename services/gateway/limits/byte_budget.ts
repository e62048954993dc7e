// A bound on the request messages that wait in memory, over all clients together: each message has a limit of its own,
// but a thousand of them at once would still be a gigabyte.

import { Reason } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import { AppError } from "@docket/runtime/errors";

/** What one request holds. Holding throws OVERLOADED when there is no room, and CANCELLED once it is closed. */
export interface Account {
  hold(bytes: number): void;
  close(): void;
}

export class ByteBudget {
  readonly #limit: number;
  #held = 0;

  constructor(limitBytes: number) {
    this.#limit = limitBytes;
  }

  get held(): number {
    return this.#held;
  }

  /** Opens an account for one request; close it when the answer has gone out. */
  open(): Account {
    let own = 0;
    let closed = false;
    return {
      hold: (bytes) => {
        if (closed) throw new AppError(Reason.CANCELLED);
        if (this.#held + bytes > this.#limit) throw new AppError(Reason.OVERLOADED, { retryAfterMs: 1000 });
        own += bytes;
        this.#held += bytes;
      },
      close: () => {
        this.#held -= own;
        own = 0;
        closed = true;
      },
    };
  }
}
