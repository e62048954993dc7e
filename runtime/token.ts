// Verifies the tokens that say who is behind a call, with the keys that the user service publishes. Everything that is
// not surely right is refused; when it cannot be known because no keys are to be had, that is said instead.

import { Reason } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import { type CryptoKey, decodeProtectedHeader, importJWK, type JWK, jwtVerify } from "jose";
import type { Subject } from "./call.ts";
import { type Clock, systemClock } from "./clock.ts";
import { AppError } from "./errors.ts";
import { subjectFrom, tokenAlgorithm, tokenAudience, tokenIssuer, tokenType } from "./token_claims.ts";

export { jwksOf, signToken, type TokenContent, type TokenSigner } from "./token_claims.ts";

/** What a verifier is made from. */
export interface TokenVerifierOptions {
  /** The public keys now. Only Ed25519 keys are used; others are passed over. */
  readonly fetchKeys: () => Promise<JWK[]>;
  /** Default: docket. */
  readonly audience?: string;
  /** Default: docket. */
  readonly issuer?: string;
  readonly clock?: Clock;
}

/** Turns tokens into subjects. */
export interface TokenVerifier {
  /**
   * The subject of a token. Throws SESSION_INVALID when it is forged, malformed, ended or not for us, and UNAVAILABLE when
   * its key is not known and the keys cannot be fetched.
   */
  readonly verify: (token: string) => Promise<Subject>;
}

/** How long keys are used without asking again, in milliseconds. A new key is published twice this before it signs. */
export const keyCacheMs = 5 * 60_000;

/** How long keys are used while they cannot be fetched, in milliseconds. */
const staleKeysMs = 2 * keyCacheMs;
/** How long to wait between fetches because of unknown keys, and after one that failed, in milliseconds. */
const refetchMs = 5000;
const retryMs = 1000;
/** How far the clocks of two machines may be apart, in seconds. */
const skewSeconds = 5;
/** No token lives nearly as long; one that claims to is not ours. In seconds. */
const maxAgeSeconds = 3600;
const maxTokenLength = 8192;
const maxCachedTokens = 5000;

/** Makes a verifier. It remembers verified tokens for their life, and fetches keys only when it needs them. */
export function createTokenVerifier({
  fetchKeys,
  audience = tokenAudience,
  issuer = tokenIssuer,
  clock = systemClock,
}: TokenVerifierOptions): TokenVerifier {
  const keys = createKeyCache(fetchKeys, clock);
  const verified = new Map<string, Subject>();

  const check = async (token: string): Promise<Subject> => {
    const keyId = keyIdOf(token);
    const key = await keys.find(keyId);
    if (key === undefined) throw invalid("unknown key");
    const { payload } = await jwtVerify(token, key, {
      algorithms: [tokenAlgorithm],
      typ: tokenType,
      audience,
      issuer,
      requiredClaims: ["sub", "iat", "exp"],
      clockTolerance: skewSeconds,
      maxTokenAge: maxAgeSeconds,
      currentDate: clock(),
    }).catch((cause: unknown) => {
      throw invalid(cause);
    });
    // A list of audiences that holds ours would be accepted otherwise.
    const subject = payload.aud === audience ? subjectFrom(payload, token) : undefined;
    if (subject === undefined) throw invalid("claims of another shape");
    return subject;
  };

  return {
    async verify(token) {
      const known = verified.get(token);
      if (known !== undefined) {
        verified.delete(token);
        if (clock().getTime() >= known.expiresAt + skewSeconds * 1000) throw invalid("ended");
        verified.set(token, known);
        return known;
      }
      const subject = await check(token);
      verified.set(token, subject);
      if (verified.size > maxCachedTokens) verified.delete(verified.keys().next().value ?? "");
      return subject;
    },
  };
}

/** The `kid` of a token that has the one canonical form; base64 alone would let several texts be the same signature. */
function keyIdOf(token: string): string {
  const [, signature] = /^[\w-]+\.[\w-]+\.([\w-]{86})$/.exec(token.length <= maxTokenLength ? token : "") ?? [];
  if (signature === undefined || Buffer.from(signature, "base64url").toString("base64url") !== signature) {
    throw invalid("not of the form of a token");
  }
  try {
    const { kid, alg, typ } = decodeProtectedHeader(token);
    if (typeof kid === "string" && kid !== "" && alg === tokenAlgorithm && typ === tokenType) return kid;
  } catch (cause) {
    throw invalid(cause);
  }
  throw invalid("another header");
}

interface KeyCache {
  /** The key of an id; undefined when the newest list does not hold it. Throws UNAVAILABLE when that cannot be known. */
  find(keyId: string): Promise<CryptoKey | undefined>;
}

function createKeyCache(fetchKeys: () => Promise<JWK[]>, clock: Clock): KeyCache {
  let keys = new Map<string, CryptoKey>();
  let fetchedAt = Number.NEGATIVE_INFINITY;
  let nextFetchAt = Number.NEGATIVE_INFINITY;
  let failure: unknown;
  let fetching: Promise<void> | undefined;

  const fetch = async () => {
    const startedAt = clock().getTime();
    try {
      keys = await importKeys(await fetchKeys());
      fetchedAt = startedAt;
      nextFetchAt = startedAt + refetchMs;
      failure = undefined;
    } catch (error) {
      nextFetchAt = startedAt + retryMs;
      failure = error;
    } finally {
      fetching = undefined;
    }
  };

  return {
    async find(keyId) {
      const age = () => clock().getTime() - fetchedAt;
      if ((age() >= keyCacheMs || !keys.has(keyId)) && (fetching !== undefined || clock().getTime() >= nextFetchAt)) {
        fetching ??= fetch();
        await fetching;
      }
      const key = age() < staleKeysMs ? keys.get(keyId) : undefined;
      if (key === undefined && failure !== undefined) {
        throw new AppError(Reason.UNAVAILABLE, { cause: failure, refusedBy: "session" });
      }
      return key;
    },
  };
}

async function importKeys(jwks: readonly JWK[]): Promise<Map<string, CryptoKey>> {
  const keys = new Map<string, CryptoKey>();
  for (const { kty, crv, kid, x, alg, use } of jwks) {
    if (kty !== "OKP" || crv !== "Ed25519" || !kid || !x) continue;
    if ((alg ?? tokenAlgorithm) !== tokenAlgorithm || (use ?? "sig") !== "sig") continue;
    // One key that cannot be read must not keep the others from being used.
    const key = await importJWK({ kty, crv, x }, tokenAlgorithm).catch(() => undefined);
    if (key !== undefined && !(key instanceof Uint8Array)) keys.set(kid, key);
  }
  return keys;
}

function invalid(cause: unknown): AppError {
  return new AppError(Reason.SESSION_INVALID, { cause, refusedBy: "session" });
}
