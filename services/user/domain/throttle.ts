/** How attempts are slowed: the first few are free, then each one costs twice the wait of the one before. */
export interface ThrottleRule {
  /** Attempts without a wait. */
  readonly free: number;
  /** The first wait, in milliseconds. */
  readonly baseMs: number;
  /** The longest wait, in milliseconds. */
  readonly capMs: number;
  /** After so long without an attempt everything is forgotten, in milliseconds. */
  readonly forgetMs: number;
}

/** What is remembered of attempts. */
export interface Bucket {
  readonly failures: number;
  readonly lastAt: number;
  readonly blockedUntil: number;
}

const hour = 3_600_000;

/** Guesses at one account, from everywhere that it was never signed in from. */
export const accountRule: ThrottleRule = { free: 5, baseMs: 1000, capMs: 900_000, forgetMs: 6 * hour };
/** Guesses at one account from a source that it was signed in from before: the owner mistypes, or shares an address. */
export const knownSourceRule: ThrottleRule = { free: 10, baseMs: 1000, capMs: 300_000, forgetMs: hour };
/** Guesses at any account from one source. More are free, since an office shares one address. */
export const sourceRule: ThrottleRule = { free: 30, baseMs: 1000, capMs: 900_000, forgetMs: hour };
/** Mails to one address, whoever asks for them. */
export const mailRule: ThrottleRule = { free: 0, baseMs: 60_000, capMs: 3_600_000, forgetMs: 24 * hour };

/** How long to wait after this many attempts, in milliseconds. */
export function delayAfter(failures: number, rule: ThrottleRule): number {
  const beyond = failures - rule.free;
  return beyond <= 0 ? 0 : Math.min(rule.capMs, rule.baseMs * 2 ** Math.min(beyond - 1, 40));
}

/** How long an attempt has to wait now; 0 lets it through. */
export function waitOf(bucket: Bucket | undefined, now: number): number {
  return bucket === undefined ? 0 : Math.max(0, bucket.blockedUntil - now);
}

/**
 * The bucket after an attempt that was let through. It is counted before it is tried, so that attempts side by side do
 * not pass for one.
 */
export function afterAttempt(bucket: Bucket | undefined, rule: ThrottleRule, now: number): Bucket {
  const remembered = bucket !== undefined && now - bucket.lastAt <= rule.forgetMs ? bucket.failures : 0;
  const failures = remembered + 1;
  return { failures, lastAt: now, blockedUntil: now + delayAfter(failures, rule) };
}

/** The bucket after that attempt turned out to be right: as if it had not been. */
export function afterSuccess(bucket: Bucket, now: number): Bucket {
  return {
    failures: Math.max(0, bucket.failures - 1),
    lastAt: bucket.lastAt,
    blockedUntil: Math.min(bucket.blockedUntil, now),
  };
}

/** What counts as one source: an IPv4 address, or the /64 of an IPv6 address, which one household has to itself. */
export function sourceOf(address: string): string {
  const bare = address
    .replace(/^::ffff:(?=\d+\.)/i, "")
    .replace(/%.*$/, "")
    .toLowerCase();
  if (!bare.includes(":")) return bare === "" ? "unknown" : bare;
  const [head = "", tail] = bare.split("::");
  const front = head === "" ? [] : head.split(":");
  const back = tail === undefined || tail === "" ? [] : tail.split(":");
  const groups =
    tail === undefined ? front : [...front, ...Array(Math.max(0, 8 - front.length - back.length)).fill("0"), ...back];
  return `${groups
    .slice(0, 4)
    .map((group) => group.replace(/^0+(?=.)/, ""))
    .join(":")}::/64`;
}
