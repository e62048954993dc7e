// Token buckets: a client may spend a burst at once, and then as much as trickles in.

export interface Rate {
  /** Calls a second in the long run. */
  readonly perSecond: number;
  /** Calls at once after a rest. */
  readonly burst: number;
}

interface Bucket {
  tokens: number;
  at: number;
  /** When it was levelled with the bucket of all gateways. */
  levelledAt: number;
}

/** The buckets of many clients, of one cost class. Full buckets are forgotten, and the number kept is bounded. */
export class TokenBuckets {
  readonly rate: Rate;
  readonly #capacity: number;
  readonly #buckets = new Map<string, Bucket>();

  constructor(rate: Rate, capacity = 100_000) {
    this.rate = rate;
    this.#capacity = capacity;
  }

  get size(): number {
    return this.#buckets.size;
  }

  /** Takes from a client's bucket. Returns 0, or how many milliseconds the client should wait; then nothing is taken. */
  take(key: string, now: number, cost = 1): number {
    const { perSecond, burst } = this.rate;
    const bucket = this.#buckets.get(key) ?? { tokens: burst, at: now, levelledAt: Number.NEGATIVE_INFINITY };
    const tokens = Math.min(burst, bucket.tokens + (Math.max(0, now - bucket.at) / 1000) * perSecond);
    // Put back at the end, so that the map's order is that of last use.
    this.#buckets.delete(key);
    const granted = tokens >= cost;
    this.#buckets.set(key, { ...bucket, tokens: granted ? tokens - cost : tokens, at: now });
    if (this.#buckets.size > this.#capacity) this.#forget();
    return granted ? 0 : this.waitMs(tokens, cost);
  }

  /** How long it takes until a bucket with so many tokens has enough, in milliseconds. */
  waitMs(tokens: number, cost = 1): number {
    return Math.ceil(((cost - tokens) / this.rate.perSecond) * 1000);
  }

  /** Lowers a client's bucket to what is left in the one of all gateways. */
  level(key: string, tokens: number, now: number): void {
    const bucket = this.#buckets.get(key);
    if (bucket === undefined) return;
    bucket.tokens = Math.min(bucket.tokens, tokens);
    bucket.levelledAt = now;
  }

  /** What is left for a client, as known when it was levelled no longer than `withinMs` ago; else 0. */
  left(key: string, now: number, withinMs: number): number {
    const bucket = this.#buckets.get(key);
    return bucket !== undefined && now - bucket.levelledAt < withinMs ? bucket.tokens : 0;
  }

  #forget(): void {
    const oldest = this.#buckets.keys().next();
    if (!oldest.done) this.#buckets.delete(oldest.value);
  }
}
