// A bound on the request messages that wait in memory, over all clients together: each message has a limit of its own,
// but a thousand of them at once would still be a gigabyte.

import { Reason } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import { AppError } from "@docket/runtime/errors";

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
  open(): { hold(bytes: number): void; close(): void } {
    let own = 0;
    return {
      hold: (bytes) => {
        if (this.#held + bytes > this.#limit) throw new AppError(Reason.OVERLOADED, { retryAfterMs: 1000 });
        own += bytes;
        this.#held += bytes;
      },
      close: () => {
        this.#held -= own;
        own = 0;
      },
    };
  }
}
