// Vouches for the hot copies: applies the user service's log of changes to Redis, and writes there up to when that was
// done. Every replica does it, in turn as it comes: woken by commits, and a few times a second for those of others. The
// log is the truth, so an ending is applied whoever wrote it and whoever died after writing it; and since the position
// in the log is kept beside the copies, a Redis that comes back with old data has the endings since applied again.
// It must never know what a change says: `endedBy` tells whom it ends.

import { CHANGES_SIGNAL } from "../changelog/append.ts";
import { type Change, heads, readChanges } from "../changelog/read.ts";
import type { Database } from "../db/database.ts";
import type { RuntimeTables } from "../db/entities.ts";
import type { Logger } from "../logger.ts";
import { endedChannel, ownerKey, stateKey } from "./hot_copies.ts";
import { type Redis, script } from "./redis.ts";

export interface VouchingOptions<Tables extends RuntimeTables> {
  readonly redis: Redis;
  readonly db: Database<Tables>;
  /** The part of the log that tells of endings. */
  readonly partition: string;
  /** The ids whose copies end with a change. */
  readonly endedBy: (change: Change) => readonly string[];
  readonly logger: Pick<Logger, "warn">;
}

/** How often each replica looks. Copies are believed for three times as long (hot_copies.ts). */
const EVERY_MS = 200;
/** So lately done by another replica, it need not be done again. */
const RECENT_MS = 120;
const BATCH = 1_000;

const peek = script(`
local now = redis.call('TIME')
local state = redis.call('HMGET', KEYS[1], 'start', 'position', 'at')
return {now[1] * 1000 + math.floor(now[2] / 1000), state[1] or '', state[2] or '', state[3] or ''}`);

// Both numbers begin with the time in microseconds, so that they never repeat, even when all of Redis is lost.
const begin = script(`
local now = redis.call('TIME')
if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
local number = now[1] .. string.format('%06d', now[2])
redis.call('HSET', KEYS[1], 'start', number, 'ended', number, 'position', ARGV[1], 'at', ARGV[2])
return 1`);

const forget = script(`
if redis.call('HGET', KEYS[1], 'start') ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])`);

// One replica's step; the others, who began from the same position, take none.
const advance = script(`
local state = redis.call('HMGET', KEYS[1], 'start', 'position', 'at')
if state[1] ~= ARGV[1] or state[2] ~= ARGV[2] then return 0 end
for i = 2, #KEYS do
  for _, copy in ipairs(redis.call('SMEMBERS', KEYS[i])) do redis.call('DEL', copy) end
  redis.call('DEL', KEYS[i])
end
redis.call('HSET', KEYS[1], 'position', ARGV[3])
if #KEYS > 1 then
  redis.call('HINCRBY', KEYS[1], 'ended', 1)
  redis.call('PUBLISH', ARGV[5], ARGV[6])
end
local before = tonumber(state[3])
if tonumber(ARGV[4]) > before or before > redis.call('TIME')[1] * 1000 + 1000 then
  redis.call('HSET', KEYS[1], 'at', ARGV[4])
end
return 1`);

/** Vouches until disposed of. */
export function startVouching<Tables extends RuntimeTables>(options: VouchingOptions<Tables>): AsyncDisposable {
  return new Vouching(options);
}

class Vouching<Tables extends RuntimeTables> implements AsyncDisposable {
  readonly #options: VouchingOptions<Tables>;
  readonly #state: string;
  readonly #timer: NodeJS.Timeout;
  readonly #listening: Disposable;
  #turn: Promise<void> | undefined;
  #woken = false;
  #ended = false;
  #failing = false;

  constructor(options: VouchingOptions<Tables>) {
    this.#options = options;
    this.#state = options.redis.prefix + stateKey;
    this.#timer = setInterval(() => this.#begin(), EVERY_MS).unref();
    this.#listening = options.db.signals.listen(CHANGES_SIGNAL, (partitions) => {
      if (!partitions.has(options.partition)) return;
      this.#woken = true;
      this.#begin();
    });
    this.#begin();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended = true;
    clearInterval(this.#timer);
    this.#listening[Symbol.dispose]();
    await this.#turn;
  }

  #begin(): void {
    if (this.#ended || this.#turn !== undefined || !this.#options.redis.connected) return;
    this.#turn = this.#take().finally(() => {
      this.#turn = undefined;
      // A commit may have come after the reading.
      if (this.#woken) this.#begin();
    });
  }

  async #take(): Promise<void> {
    const woken = this.#woken;
    this.#woken = false;
    try {
      while (!this.#ended && (await this.#step(woken))) {
        // Until everything is applied.
      }
      this.#failing = false;
    } catch (error) {
      // While the database is away nobody vouches, and the gateways ask.
      if (!this.#failing && !this.#ended) {
        this.#options.logger.warn({ err: error }, "the hot copies of sessions cannot be vouched for");
      }
      this.#failing = true;
    }
  }

  /** Applies what is new. True when there is more. */
  async #step(woken: boolean): Promise<boolean> {
    const { redis, db, partition, endedBy } = this.#options;
    const known = (await redis.run(peek, [this.#state], [])) as [number, string, string, string] | undefined;
    if (known === undefined) return false;
    // The log is read after this time, so it holds everything that was committed before it.
    const [now, start, position, at] = known;
    if (!woken && start !== "" && now >= Number(at) && now - Number(at) < RECENT_MS) return false;
    const head = (await heads(db, [partition])).get(partition) ?? 0;
    if (start === "") {
      await redis.run(begin, [this.#state], [head, now]);
      return false;
    }
    const after = Number(position);
    const changes = await this.#changes(after, head);
    // The log is another one, or no longer reaches back: whatever was kept is not believed any more.
    if (changes === undefined) return (await redis.run(forget, [this.#state], [start])) !== undefined;
    const owners = [...new Set(changes.flatMap(endedBy))];
    const reached = changes.at(-1)?.sequence ?? after;
    const done = reached >= head;
    const keys = [this.#state, ...owners.map((owner) => redis.prefix + ownerKey(owner))];
    const channel = redis.prefix + endedChannel;
    const values = [start, position, reached, done ? now : 0, channel, JSON.stringify(owners)];
    const stepped = await redis.run(advance, keys, values);
    // Where another replica took the step, it may have looked before the commit that woke this one.
    return stepped === 0 || (stepped === 1 && !done);
  }

  /** What was written after a position; undefined when that cannot be told. */
  async #changes(after: number, head: number): Promise<readonly Change[] | undefined> {
    if (after > head) return undefined;
    if (after === head) return [];
    const { db, partition } = this.#options;
    try {
      return await readChanges(db, partition, after, BATCH);
    } catch (error) {
      if ((error as Error).name === "ChangesTrimmed") return undefined;
      throw error;
    }
  }
}
