// Token buckets that all replicas take from. It must never know who takes, or what for.

import { type Redis, script } from "./redis.ts";

/** What came of taking from a bucket. */
export interface Taken {
  readonly granted: boolean;
  /** What is left. */
  readonly tokens: number;
}

// The time is the server's, so that replicas need not agree on it. Numbers are kept as text: Redis cuts them otherwise.
const take = script(`
local time = redis.call('TIME')
local now = time[1] * 1000 + time[2] / 1000
local rate, burst = tonumber(ARGV[1]), tonumber(ARGV[2])
local bucket = redis.call('HMGET', KEYS[1], 'tokens', 'at')
local since = math.max(0, now - (tonumber(bucket[2]) or now))
local tokens = math.min(burst, (tonumber(bucket[1]) or burst) + since / 1000 * rate)
local granted = tokens >= 1
if granted then tokens = tokens - 1 end
redis.call('HSET', KEYS[1], 'tokens', string.format('%.6f', tokens), 'at', string.format('%.3f', now))
redis.call('PEXPIRE', KEYS[1], math.ceil((burst - tokens) / rate * 1000) + 1000)
return {granted and 1 or 0, string.format('%.6f', tokens)}`);

export class SharedBuckets {
  readonly #redis: Redis;

  constructor(redis: Redis) {
    this.#redis = redis;
  }

  /** Takes one from a bucket, which holds `burst` at first and gets `perSecond`. Undefined when Redis is away. */
  async take(name: string, { perSecond, burst }: { perSecond: number; burst: number }): Promise<Taken | undefined> {
    const answer = await this.#redis.run(take, [`${this.#redis.prefix}rate:${name}`], [perSecond, burst]);
    if (answer === undefined) return undefined;
    const [granted, tokens] = answer as [number, string];
    return { granted: granted === 1, tokens: Number(tokens) };
  }
}
