/** Slows guessing. What is slowed is kept in the database, so that a restart or another replica does not forget it. */
import { Reason } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import { AppError } from "@docket/runtime/errors";
import { hashSecret } from "../credentials/vault.ts";
import { accountRule, knownSourceRule, sourceOf, sourceRule } from "../domain/throttle.ts";
import { countAttempt, forgiveAttempt, isKnownSource, type Slowed } from "../store/throttle_store.ts";
import type { Deps } from "./deps.ts";

/** The hash of the place that a call comes from. */
export function sourceHashOf(clientAddress: string): string {
  return hashSecret(`source:${sourceOf(clientAddress)}`);
}

/** Something that is slowed, by what it is. */
export function slowedBy(rule: Slowed["rule"], ...what: string[]): Slowed {
  return { bucket: hashSecret(what.join("\0")), rule };
}

/**
 * What slows guesses at an account's password. From where the account was signed in before, others' guesses do not slow
 * its owner; from elsewhere, guesses at the account and guesses from the source both count.
 */
export async function slowingPassword(
  { db }: Deps,
  email: string,
  userId: string | undefined,
  sourceHash: string,
): Promise<Slowed[]> {
  // Asked for unknown accounts as well, so that the work is the same.
  const known = await isKnownSource(db.query, userId ?? "", sourceHash);
  if (known) return [slowedBy(knownSourceRule, "known", email, sourceHash)];
  return [slowedBy(accountRule, "account", email), slowedBy(sourceRule, "guess", sourceHash)];
}

/** Counts an attempt before it is made, or refuses it with ATTEMPTS_SLOWED. */
export async function refuseWhenSlowed({ db, clock }: Deps, slowed: readonly Slowed[]): Promise<void> {
  const retryAfterMs = await db.transaction((tx) => countAttempt(tx, slowed, clock().getTime()));
  if (retryAfterMs > 0) throw new AppError(Reason.ATTEMPTS_SLOWED, { retryAfterMs });
}

/** Takes back an attempt that was right, or that was not made at all. */
export async function forgive({ db, clock }: Deps, slowed: readonly Slowed[]): Promise<void> {
  await db.transaction((tx) => forgiveAttempt(tx, slowed, clock().getTime()));
}

/** Verifies a password under the eyes of the throttle. */
export async function verifySlowly(
  deps: Deps,
  slowed: readonly Slowed[],
  passwordHash: string | undefined,
  password: string,
): Promise<boolean> {
  await refuseWhenSlowed(deps, slowed);
  try {
    return await deps.passwords.verify(passwordHash, password);
  } catch (error) {
    // Shed by the pool: it was no guess.
    await forgive(deps, slowed);
    throw error;
  }
}
