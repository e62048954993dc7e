/** What the plan needs to know of a signing key. Times in milliseconds since 1970. */
export interface SigningKeyTimes {
  readonly id: string;
  readonly signsFrom: number;
  /** Undefined while no successor is known. */
  readonly verifiesUntil: number | undefined;
}

/** The times of the rotation, in milliseconds. */
export interface RotationTimes {
  /** How long a key signs. */
  readonly rotationMs: number;
  /** How long others may keep the list of keys; a new key is listed twice as long before it signs. */
  readonly cacheMs: number;
  /** How long a token lives, with the clocks' difference. */
  readonly tokenMs: number;
}

/** What is to be done with the keys now. */
export interface RotationPlan {
  /** From when a key that is to be made signs; undefined when none is to be made. */
  readonly create: number | undefined;
  /** The key that has signed so far and when its last token ends, when one is to be made. */
  readonly retire: { readonly id: string; readonly verifiesUntil: number } | undefined;
  /** Keys whose last token has ended. */
  readonly remove: readonly string[];
}

/** A key signs until its successor does. */
export function planRotation(keys: readonly SigningKeyTimes[], times: RotationTimes, now: number): RotationPlan {
  const remove = keys.filter((key) => key.verifiesUntil !== undefined && key.verifiesUntil <= now).map((key) => key.id);
  const newest = keys.filter((key) => key.verifiesUntil === undefined).sort((a, b) => b.signsFrom - a.signsFrom)[0];
  // The first key of all has nobody to sign in its stead meanwhile.
  if (newest === undefined) return { create: now, retire: undefined, remove };
  const lead = 2 * times.cacheMs;
  if (now < newest.signsFrom + times.rotationMs - lead) return { create: undefined, retire: undefined, remove };
  const from = Math.max(now + lead, newest.signsFrom + times.rotationMs);
  return { create: from, retire: { id: newest.id, verifiesUntil: from + times.tokenMs }, remove };
}

/** The key that signs now: the newest whose time has come. */
export function signerAt<Key extends SigningKeyTimes>(keys: readonly Key[], now: number): Key | undefined {
  return keys.filter((key) => key.signsFrom <= now).sort((a, b) => b.signsFrom - a.signsFrom)[0];
}
