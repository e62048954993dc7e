// Sheds load before the process falls over: beyond a number of requests at once, or when the event loop lags, new
// requests are refused at once and cheaply, with a hint when to come back.

import { Reason } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import { AppError } from "@docket/runtime/errors";

export interface LoadLimits {
  /** Unary calls and plain requests at once. */
  readonly inFlight: number;
  /** Streams and transfers at once. */
  readonly streams: number;
  /** Of these, those of one client: a person, an application, or an address that nobody is signed in from. */
  readonly streamsPerClient: number;
  /** The event loop's lasting delay in milliseconds, beyond which new unary calls are refused; 0 for no limit. */
  readonly loopDelayMs: number;
}

const sampleMs = 250;

/** So many samples in a row must lag: one long pause (a collection, a burst of start-ups) is no overload. */
const lastingSamples = 4;

export class Load {
  readonly #limits: LoadLimits;
  readonly #timer: NodeJS.Timeout | undefined;
  #lateInARow = 0;
  #counts = { unary: 0, stream: 0 };
  readonly #streamsOf = new Map<string, number>();

  constructor(limits: LoadLimits) {
    this.#limits = limits;
    if (limits.loopDelayMs <= 0) return;
    let last = performance.now();
    this.#timer = setInterval(() => {
      const now = performance.now();
      this.#lateInARow = now - last - sampleMs > limits.loopDelayMs ? this.#lateInARow + 1 : 0;
      last = now;
    }, sampleMs).unref();
  }

  /** Requests at once, for the metrics. */
  get inFlight(): number {
    return this.#counts.unary + this.#counts.stream;
  }

  /** Lets a request in and returns how to let it out, to be called once. Throws OVERLOADED. */
  enter(kind: "unary" | "stream"): () => void {
    const full =
      kind === "unary" ? this.#counts.unary >= this.#limits.inFlight : this.#counts.stream >= this.#limits.streams;
    if (full || (this.#lateInARow >= lastingSamples && kind === "unary"))
      throw new AppError(Reason.OVERLOADED, { retryAfterMs: 1000 });
    this.#counts[kind] += 1;
    let inside = true;
    return () => {
      if (inside) this.#counts[kind] -= 1;
      inside = false;
    };
  }

  /** Counts a stream of one client, so that none takes all, and returns how to let it out. Throws OVERLOADED. */
  hold(client: string): () => void {
    const held = this.#streamsOf.get(client) ?? 0;
    if (held >= this.#limits.streamsPerClient) {
      throw new AppError(Reason.OVERLOADED, {
        retryAfterMs: 1000,
        message: "You have as many streams and transfers open as one client may. End some of them.",
      });
    }
    this.#streamsOf.set(client, held + 1);
    let inside = true;
    return () => {
      if (!inside) return;
      inside = false;
      const left = (this.#streamsOf.get(client) ?? 1) - 1;
      if (left > 0) this.#streamsOf.set(client, left);
      else this.#streamsOf.delete(client);
    };
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}
