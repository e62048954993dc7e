// Copies of what the user service has said of sessions and keys, for all gateways together. A copy is believed only
// while the user service vouches for it (vouching.ts): it writes into Redis, several times a second, up to when its log
// of changes has been applied here. That time, and not the time of writing, is how old a copy's truth is; so nobody who
// freezes, dies, is cut off or comes back with old data can make a copy live longer than that.
// docs/decisions/redis-is-a-copy.md has the whole argument.

import { type Redis, script } from "./redis.ts";
import { sealOf } from "./sealing.ts";

/** How long a copy is kept at most. Sessions are touched when they are exchanged, so this bounds how exact that is. */
export const copyLifeMs = 30_000;

/** How long ago the log may have been applied for copies to be believed, in milliseconds. */
export const vouchedMs = 600;

/** A copy that can be believed. */
export interface Copy {
  readonly text: string;
  /** How old its truth is: the milliseconds since the log was applied last. Below {@link vouchedMs}. */
  readonly ageMs: number;
}

/** There is no copy. Once the truth is known, it may be kept. */
export interface NoCopy {
  /**
   * Keeps a text until one of its owners ends, and for {@link copyLifeMs} at most. Must have been learnt after the
   * looking: what ended meanwhile is not kept.
   */
  keep(text: string, owners: readonly string[], lifeMs: number): void;
}

/** Fields of the state that the user service writes: see vouching.ts. */
export const stateKey = "copies";
export const endedChannel = "ended";

/** The set of the copies that end with an owner. */
export function ownerKey(owner: string): string {
  return `owner:${owner}`;
}

// A copy is good when it is of the present beginning of the state, and all of its owners still know it: a copy whose
// owner's set was evicted could not be ended any more.
const look = script(`
local now = redis.call('TIME')
local ms = now[1] * 1000 + math.floor(now[2] / 1000)
local state = redis.call('HMGET', KEYS[2], 'start', 'ended', 'at')
if not state[1] then return {} end
local answer = {state[1], state[2], ms - state[3]}
local copy = redis.call('HMGET', KEYS[1], 'start', 'owners', 'sealed')
if copy[1] == state[1] then
  for owner in string.gmatch(copy[2], '%S+') do
    if redis.call('SISMEMBER', owner, KEYS[1]) == 0 then return answer end
  end
  answer[4] = copy[3]
end
return answer`);

// Kept only if nothing at all has ended since the looking: what has might be this one's owner.
const keep = script(`
local state = redis.call('HMGET', KEYS[2], 'start', 'ended')
if state[1] ~= ARGV[1] or state[2] ~= ARGV[2] then return 0 end
local owners = {}
for i = 3, #KEYS do
  redis.call('SADD', KEYS[i], KEYS[1])
  redis.call('PEXPIRE', KEYS[i], ARGV[4])
  owners[i - 2] = KEYS[i]
end
redis.call('HSET', KEYS[1], 'start', ARGV[1], 'owners', table.concat(owners, ' '), 'sealed', ARGV[5])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1`);

export class HotCopies {
  readonly #redis: Redis;

  constructor(redis: Redis) {
    this.#redis = redis;
  }

  /**
   * The copy kept under a secret, or what is needed to keep one. Undefined when Redis is away, or nobody vouches for what
   * is there: then ask, and keep nothing.
   */
  async look(secret: string): Promise<Copy | NoCopy | undefined> {
    const redis = this.#redis;
    if (!redis.connected) return undefined;
    const seal = sealOf(secret);
    const keys = [`${redis.prefix}copy:${seal.name}`, redis.prefix + stateKey];
    const [start, ended, ageMs, sealed] = ((await redis.run(look, keys, [])) ?? []) as [
      string?,
      string?,
      number?,
      string?,
    ];
    if (start === undefined || ended === undefined || ageMs === undefined) return undefined;
    // Below zero the server's clock has been put back.
    if (ageMs < 0 || ageMs > vouchedMs) return undefined;
    const text = sealed === undefined ? undefined : seal.open(sealed);
    if (text !== undefined) return { text, ageMs };
    return {
      keep(text, owners, lifeMs) {
        const ms = Math.floor(Math.min(lifeMs, copyLifeMs));
        if (ms <= 0) return;
        const ownerKeys = owners.map((owner) => redis.prefix + ownerKey(owner));
        void redis.run(keep, [...keys, ...ownerKeys], [start, ended, ms, copyLifeMs, seal.seal(text)]);
      },
    };
  }

  /** Tells at once who has ended; only a hint, since messages may be lost. */
  onEnded(hear: (owners: ReadonlySet<string>) => void): Disposable {
    return this.#redis.subscribe(endedChannel, (message) => hear(new Set(JSON.parse(message) as string[])));
  }
}
