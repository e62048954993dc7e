// What a request shows to say who it is from: an `authorization: Bearer` secret, or else the session cookie.

import { createHash } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import { Reason } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import { Secret } from "@docket/runtime/config";
import { AppError } from "@docket/runtime/errors";
import type { SessionCookie } from "./cookie.ts";

export interface Credential {
  readonly kind: "session" | "key";
  readonly secret: Secret;
  /** SHA-256 of the secret, under which it is remembered. */
  readonly hash: string;
  /** Whether a browser attached it by itself. */
  readonly cookie: boolean;
}

/** API keys begin so; everything else is a session's secret. */
const keyPrefix = "dk_";
const bearer = /^Bearer +([A-Za-z0-9_.~+/=-]{1,128})$/i;

/** Undefined when the request shows nothing. Throws SESSION_INVALID when what it shows cannot be one. */
export function credentialOf(headers: IncomingHttpHeaders, cookie: SessionCookie): Credential | undefined {
  const { authorization } = headers;
  if (authorization !== undefined) {
    const secret = bearer.exec(authorization)?.[1];
    if (secret === undefined) throw new AppError(Reason.SESSION_INVALID);
    return credential(secret.startsWith(keyPrefix) ? "key" : "session", new Secret(secret), false);
  }
  const secret = cookie.read(headers.cookie);
  return secret === undefined ? undefined : credential("session", secret, true);
}

export function credential(kind: Credential["kind"], secret: Secret, cookie: boolean): Credential {
  return { kind, secret, cookie, hash: createHash("sha256").update(secret.reveal()).digest("base64url") };
}
