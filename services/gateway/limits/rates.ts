// How often a client may call, by cost class. The class of an RPC is in its policy; plain HTTP routes name theirs.
// Gateways that share a Redis count together. Each takes from a bucket of its own first, so that a flood ends here, and
// then from the common one, to which it lowers its own; while Redis is away its own is all there is.

import { Reason } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import { RateClass, RateClassSchema } from "@docket/contracts/gen/docket/policy/v1/policy_pb.ts";
import { enumName } from "@docket/contracts/policy";
import { AppError } from "@docket/runtime/errors";
import type { SharedBuckets } from "@docket/runtime/redis/shared_buckets";
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

/** A client that has at least so many calls left, and half of its burst, is far from its limit. */
const farCalls = 100;
/** How long that is believed, in milliseconds. */
const farMs = 1_000;

export interface RateLimitsOptions {
  /** Multiplies every rate; 0 switches the limits off. */
  readonly scale: number;
  readonly rates?: Readonly<Record<number, Rate>>;
  /** Where gateways count together. Default: each counts for itself. */
  readonly shared?: SharedBuckets | undefined;
  readonly now?: () => number;
}

export class RateLimits {
  readonly #buckets = new Map<RateClass, TokenBuckets>();
  readonly #shared: SharedBuckets | undefined;
  readonly #now: () => number;

  constructor({ scale, rates = defaultRates, shared, now = Date.now }: RateLimitsOptions) {
    this.#shared = shared;
    this.#now = now;
    if (scale <= 0) return;
    for (const [name, { perSecond, burst }] of Object.entries(rates)) {
      const rate = { perSecond: perSecond * scale, burst: Math.max(1, burst * scale) };
      this.#buckets.set(Number(name) as RateClass, new TokenBuckets(rate));
    }
  }

  /** Counts a call of a client. Throws RATE_LIMITED with how long to wait. */
  async spend(costClass: RateClass, client: string): Promise<void> {
    const buckets = this.#buckets.get(costClass);
    if (buckets === undefined) return;
    const now = this.#now();
    const waitMs = buckets.take(client, now);
    if (waitMs > 0) throw limited(costClass, waitMs);
    if (this.#shared === undefined) return;
    const counted = this.#countTogether(this.#shared, buckets, costClass, client);
    // Far from the limit the call need not wait for the count: it is counted all the same.
    if (buckets.left(client, now, farMs) >= Math.max(farCalls, buckets.rate.burst / 2)) return;
    const sharedWaitMs = await counted;
    if (sharedWaitMs > 0) throw limited(costClass, sharedWaitMs);
  }

  /** How long to wait by the count of all gateways; 0 when nothing is known of it. Never throws. */
  async #countTogether(
    shared: SharedBuckets,
    buckets: TokenBuckets,
    costClass: RateClass,
    client: string,
  ): Promise<number> {
    const taken = await shared.take(`${enumName(RateClassSchema, costClass)}:${client}`, buckets.rate);
    if (taken === undefined) return 0;
    buckets.level(client, taken.tokens, this.#now());
    return taken.granted ? 0 : buckets.waitMs(taken.tokens);
  }
}

function limited(costClass: RateClass, retryAfterMs: number): AppError {
  return new AppError(Reason.RATE_LIMITED, {
    metadata: { class: enumName(RateClassSchema, costClass) },
    retryAfterMs,
    message: "You call more often than your limit allows. Wait a little.",
  });
}
