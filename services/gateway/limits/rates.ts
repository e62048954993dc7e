// How often a client may call, by cost class. The class of an RPC is in its policy; plain HTTP routes name theirs.

import { Reason } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import { RateClass, RateClassSchema } from "@docket/contracts/gen/docket/policy/v1/policy_pb.ts";
import { enumName } from "@docket/contracts/policy";
import { AppError } from "@docket/runtime/errors";
import { type Rate, TokenBuckets } from "./token_bucket.ts";

/** What one client may do. Generous for people and scripts; a bound for what has gone wild. */
export const defaultRates: Readonly<Record<number, Rate>> = {
  [RateClass.READ]: { perSecond: 200, burst: 1000 },
  [RateClass.WRITE]: { perSecond: 50, burst: 300 },
  [RateClass.SEARCH]: { perSecond: 10, burst: 60 },
  [RateClass.CREDENTIAL]: { perSecond: 0.5, burst: 30 },
  [RateClass.TRANSFER]: { perSecond: 200, burst: 1000 },
  [RateClass.STREAM]: { perSecond: 2, burst: 100 },
};

export class RateLimits {
  readonly #buckets = new Map<RateClass, TokenBuckets>();
  readonly #now: () => number;

  /** Multiplies every rate by `scale`; 0 switches the limits off. */
  constructor(scale: number, rates: Readonly<Record<number, Rate>> = defaultRates, now: () => number = Date.now) {
    this.#now = now;
    if (scale <= 0) return;
    for (const [name, { perSecond, burst }] of Object.entries(rates)) {
      const rate = { perSecond: perSecond * scale, burst: Math.max(1, burst * scale) };
      this.#buckets.set(Number(name) as RateClass, new TokenBuckets(rate));
    }
  }

  /** Counts a call of a client. Throws RATE_LIMITED with how long to wait. */
  spend(costClass: RateClass, client: string): void {
    const waitMs = this.#buckets.get(costClass)?.take(client, this.#now()) ?? 0;
    if (waitMs === 0) return;
    throw new AppError(Reason.RATE_LIMITED, {
      metadata: { class: enumName(RateClassSchema, costClass) },
      retryAfterMs: waitMs,
      message: "You call more often than your limit allows. Wait a little.",
    });
  }
}
