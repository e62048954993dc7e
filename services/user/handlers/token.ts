import { timingSafeEqual } from "node:crypto";
import { timestampFromDate, timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { ServiceImpl } from "@connectrpc/connect";
import { Reason } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import type { TokenService } from "@docket/contracts/gen/docket/user/v1/token_service_pb.ts";
import { AppError } from "@docket/runtime/errors";
import { keyCacheMs } from "@docket/runtime/token";
import { tokenLifeMs } from "../credentials/key_ring.ts";
import { hashSecret } from "../credentials/vault.ts";
import { parseKeySecret } from "../domain/secrets.ts";
import { findLiveApiKey, touchApiKey } from "../store/api_key_store.ts";
import { findLiveSession, touchSession } from "../store/session_store.ts";
import type { Deps } from "./deps.ts";
import { toSession } from "./messages.ts";
import { livenessOf } from "./sessions.ts";

/** How exact the time of the last use is, in milliseconds: a write for each exchange would be too dear. */
const lastUseMs = 5 * 60_000;

/** Turns sessions and keys into tokens. */
export function tokenHandlers(deps: Deps): ServiceImpl<typeof TokenService> {
  const { db, clock, keys, rules } = deps;
  const touchAfterMs = Math.min(lastUseMs, rules.sessionIdleMs / 4);

  return {
    async exchangeSession({ sessionSecret }) {
      const now = clock();
      const found = await findLiveSession(db.query, hashSecret(sessionSecret), livenessOf(deps));
      if (found === undefined) throw new AppError(Reason.SESSION_INVALID);
      const { session, account } = found;
      if (now.getTime() - session.lastUsedAt.getTime() >= touchAfterMs) await touchSession(db.query, session.id, now);
      const expiresAt = Math.min(now.getTime() + tokenLifeMs, session.expiresAt.getTime());
      const token = await keys.sign({ kind: "person", id: account.id, sessionId: session.id, expiresAt });
      return { token, expireTime: timestampFromMs(expiresAt), session: toSession(session, session.id) };
    },

    async exchangeKey({ keySecret }) {
      const now = clock();
      const keyId = parseKeySecret(keySecret);
      const found = keyId === undefined ? undefined : await findLiveApiKey(db.query, keyId, now);
      if (found === undefined || !isAmong(hashSecret(keySecret), found.secretHashes)) {
        throw new AppError(Reason.KEY_INVALID);
      }
      const { id, applicationId, workspaceId, scopes, lastUsedAt, expiresAt: end } = found.key;
      if (now.getTime() - (lastUsedAt?.getTime() ?? 0) >= lastUseMs) await touchApiKey(db.query, id, now);
      const expiresAt = Math.min(now.getTime() + tokenLifeMs, end?.getTime() ?? Number.POSITIVE_INFINITY);
      const token = await keys.sign({
        kind: "application",
        id: applicationId,
        keyId: id,
        workspaceId,
        scopes,
        expiresAt,
      });
      return { token, expireTime: timestampFromMs(expiresAt), keyId: id, applicationId, workspaceId };
    },

    async listPublicKeys() {
      return {
        keys: (await keys.publicKeys()).map(({ id, publicX, signsFrom, verifiesUntil }) => ({
          id,
          x: publicX,
          signsFrom: timestampFromMs(signsFrom),
          ...(verifiesUntil !== undefined && { verifiesUntil: timestampFromDate(new Date(verifiesUntil)) }),
        })),
        maxAgeSeconds: keyCacheMs / 1000,
      };
    },
  };
}

function isAmong(hash: string, hashes: readonly string[]): boolean {
  return hashes.filter((known) => timingSafeEqual(Buffer.from(known), Buffer.from(hash))).length > 0;
}
