// What stands in the tokens that say who is behind a call, and nothing else: the user service signs them, everybody
// verifies them. Writing and reading are kept side by side here, so that they agree.

import { type Permission, PermissionSchema } from "@docket/contracts/gen/docket/policy/v1/policy_pb.ts";
import type { PublicKey } from "@docket/contracts/gen/docket/user/v1/token_service_pb.ts";
import { type CryptoKey, type JWK, type JWTPayload, type KeyObject, SignJWT } from "jose";
import type { Subject } from "./call.ts";

/** The `typ` header: it keeps a JWT made for something else from being taken for one of these. */
export const tokenType = "docket+jwt";
/** The `iss` claim. */
export const tokenIssuer = "docket";
/** The `aud` claim. */
export const tokenAudience = "docket";
/** The `alg` header. */
export const tokenAlgorithm = "EdDSA";

/** What a token says: a subject without the token itself. */
export type TokenContent = Omit<Subject, "token">;

/** What a token is signed with. */
export interface TokenSigner {
  /** The `kid` header, by which the public key is found. */
  readonly keyId: string;
  /** An Ed25519 private key. */
  readonly key: CryptoKey | KeyObject;
}

/** Signs a token that says `content`, issued at a time in milliseconds since 1970 and ending at `content.expiresAt`. */
export function signToken(content: TokenContent, { key, keyId }: TokenSigner, issuedAt: number): Promise<string> {
  return new SignJWT(claimsOf(content))
    .setProtectedHeader({ alg: tokenAlgorithm, typ: tokenType, kid: keyId })
    .setIssuer(tokenIssuer)
    .setAudience(tokenAudience)
    .setIssuedAt(Math.floor(issuedAt / 1000))
    .setExpirationTime(Math.floor(content.expiresAt / 1000))
    .sign(key);
}

function claimsOf({ kind, id, sessionId, keyId, workspaceId, scopes }: TokenContent): JWTPayload {
  if (kind === "person") return { sub: id, kind, sid: sessionId };
  const names = (scopes ?? []).map((scope) => PermissionSchema.value[scope]?.name);
  return { sub: id, kind, kid: keyId, workspace: workspaceId, scopes: names };
}

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/**
 * Reads the claims of a verified token; undefined when they are not of the shape that {@link signToken} writes. A scope
 * that this contract does not know is left out: it could not be used here anyway.
 */
export function subjectFrom(claims: JWTPayload, token: string): Subject | undefined {
  const { sub: id, exp, kind, sid, kid, workspace, scopes } = claims;
  if (!isId(id) || exp === undefined) return undefined;
  const expiresAt = exp * 1000;
  if (kind === "person") {
    if (!isId(sid) || kid !== undefined || workspace !== undefined || scopes !== undefined) return undefined;
    return Object.freeze({ kind, id, sessionId: sid, token, expiresAt });
  }
  if (kind !== "application" || !isId(kid) || !isId(workspace) || sid !== undefined) return undefined;
  if (!Array.isArray(scopes) || !scopes.every((scope) => typeof scope === "string")) return undefined;
  return Object.freeze({
    kind,
    id,
    keyId: kid,
    workspaceId: workspace,
    scopes: permissionsOf(scopes),
    token,
    expiresAt,
  });
}

function isId(value: unknown): value is string {
  return typeof value === "string" && uuid.test(value);
}

function permissionsOf(names: readonly string[]): readonly Permission[] {
  const known = PermissionSchema.values.filter(({ name, number }) => number !== 0 && names.includes(name));
  return Object.freeze(known.map(({ number }) => number as Permission));
}

/** The keys that TokenService lists, as JSON Web Keys: for verifiers and for the edge's key set. */
export function jwksOf(keys: readonly Pick<PublicKey, "id" | "x">[]): JWK[] {
  return keys.map(({ id, x }) => ({ kty: "OKP", crv: "Ed25519", kid: id, x, alg: tokenAlgorithm, use: "sig" }));
}
