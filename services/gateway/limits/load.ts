// Sheds load before the process falls over: beyond a number of requests at once, or when the event loop lags, new
// requests are refused at once and cheaply, with a hint when to come back.

import { monitorEventLoopDelay } from "node:perf_hooks";
import { Reason } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import { AppError } from "@docket/runtime/errors";

export interface LoadLimits {
  /** Unary calls and plain requests at once. */
  readonly inFlight: number;
  /** Streams and transfers at once. */
  readonly streams: number;
  /** The event loop's delay in milliseconds, beyond which new unary calls are refused; 0 for no limit. */
  readonly loopDelayMs: number;
}

const sampleMs = 250;

export class Load {
  readonly #limits: LoadLimits;
  readonly #histogram: ReturnType<typeof monitorEventLoopDelay> | undefined;
  readonly #timer: NodeJS.Timeout | undefined;
  #lagging = false;
  #counts = { unary: 0, stream: 0 };

  constructor(limits: LoadLimits) {
    this.#limits = limits;
    if (limits.loopDelayMs <= 0) return;
    this.#histogram = monitorEventLoopDelay({ resolution: 10 });
    this.#histogram.enable();
    this.#timer = setInterval(() => this.#sample(), sampleMs).unref();
  }

  /** Requests at once, for the metrics. */
  get inFlight(): number {
    return this.#counts.unary + this.#counts.stream;
  }

  /** Lets a request in and returns how to let it out, to be called once. Throws OVERLOADED. */
  enter(kind: "unary" | "stream"): () => void {
    const full =
      kind === "unary" ? this.#counts.unary >= this.#limits.inFlight : this.#counts.stream >= this.#limits.streams;
    if (full || (this.#lagging && kind === "unary")) throw new AppError(Reason.OVERLOADED, { retryAfterMs: 1000 });
    this.#counts[kind] += 1;
    let inside = true;
    return () => {
      if (inside) this.#counts[kind] -= 1;
      inside = false;
    };
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    this.#histogram?.disable();
  }

  /** The median, not the worst: one long pause (a collection, a burst of start-ups) is no overload. */
  #sample(): void {
    if (this.#histogram === undefined) return;
    this.#lagging = this.#histogram.percentile(50) / 1e6 > this.#limits.loopDelayMs;
    this.#histogram.reset();
  }
}
