import { createPrivateKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import type { Clock } from "@docket/runtime/clock";
import { newId } from "@docket/runtime/ids";
import type { Logger } from "@docket/runtime/logger";
import { keyCacheMs, signToken, type TokenContent } from "@docket/runtime/token";
import { planRotation, signerAt } from "../domain/signing_keys.ts";
import type { UserDatabase } from "../store/database.ts";
import { lockInstance } from "../store/account_store.ts";
import {
  deleteSigningKey,
  insertSigningKey,
  listSigningKeys,
  retireSigningKey,
  type StoredSigningKey,
} from "../store/signing_key_store.ts";
import type { Vault } from "./vault.ts";

/** How long a token lives, in milliseconds. */
export const tokenLifeMs = 5 * 60_000;
/** How far the clocks of two machines may be apart, in milliseconds. */
const skewMs = 30_000;
/** How old what is known of the keys may be, in milliseconds; far less than the lead with which keys are listed. */
const checkMs = 60_000;

export interface KeyRingOptions {
  readonly db: UserDatabase;
  readonly vault: Vault;
  readonly clock: Clock;
  readonly logger: Logger;
  /** How long a key signs, in milliseconds. */
  readonly rotationMs: number;
}

/** The keys that sign tokens. Replicas share them through the database. */
export interface KeyRing extends Disposable {
  sign(content: TokenContent): Promise<string>;
  /** The keys that others may verify with, the newest first. */
  publicKeys(): Promise<readonly StoredSigningKey[]>;
}

/** Opens the ring; the first key of all is made now. */
export async function openKeyRing(options: KeyRingOptions): Promise<KeyRing> {
  const { db, vault, clock, logger, rotationMs } = options;
  const times = { rotationMs, cacheMs: keyCacheMs, tokenMs: tokenLifeMs + skewMs };
  let listed: readonly StoredSigningKey[] = [];
  let usable: readonly (StoredSigningKey & { key: KeyObject })[] = [];

  const load = async () => {
    listed = await listSigningKeys(db.query);
    usable = listed.flatMap((stored) => {
      const known = usable.find((one) => one.id === stored.id);
      const key = known?.key ?? openPrivateKey(stored, vault);
      return key === undefined ? [] : [{ ...stored, key }];
    });
  };

  const refresh = async () => {
    await load();
    const unreadable = new Set(listed.map(({ id }) => id)).difference(new Set(usable.map(({ id }) => id)));
    if (unreadable.size > 0) {
      // Their tokens verify until they end; a key that can be used takes over.
      logger.warn({ keys: [...unreadable] }, "signing keys were encrypted with another KEY_ENCRYPTION_SECRET");
    }
    const now = clock();
    const planOf = (keys: readonly StoredSigningKey[]) =>
      planRotation(
        keys.filter(({ id }) => !unreadable.has(id)),
        times,
        now.getTime(),
      );
    const { create, remove } = planOf(listed);
    if (create === undefined && remove.length === 0 && unreadable.size === 0) return;
    await db.transaction(async (tx) => {
      // Of replicas that find the same to do at the same moment, the second finds it done.
      await lockInstance(tx);
      const keys = await listSigningKeys(tx);
      const plan = planOf(keys);
      for (const id of plan.remove) await deleteSigningKey(tx, id);
      for (const id of unreadable) {
        if (keys.find((key) => key.id === id)?.verifiesUntil === undefined) {
          await retireSigningKey(tx, id, now.getTime() + times.tokenMs);
        }
      }
      if (plan.retire !== undefined) await retireSigningKey(tx, plan.retire.id, plan.retire.verifiesUntil);
      if (plan.create !== undefined) await insertSigningKey(tx, newSigningKey(vault, plan.create), now);
    });
    await load();
  };

  let refreshedAt = Number.NEGATIVE_INFINITY;
  let refreshing: Promise<void> | undefined;
  /** By the clock and not only by a timer: a laptop may have slept. */
  const refreshWhenDue = async () => {
    if (Math.abs(clock().getTime() - refreshedAt) < checkMs) return;
    refreshing ??= refresh().finally(() => {
      refreshing = undefined;
    });
    await refreshing;
    refreshedAt = clock().getTime();
  };

  await refreshWhenDue();
  const timer = setInterval(() => {
    refreshWhenDue().catch((err: unknown) => logger.error({ err }, "signing keys could not be looked after"));
  }, checkMs);
  timer.unref();
  return {
    async publicKeys() {
      await refreshWhenDue();
      return listed;
    },
    async sign(content) {
      await refreshWhenDue();
      const now = clock().getTime();
      const signer = signerAt(usable, now);
      if (signer === undefined) throw new Error("no signing key is due");
      return await signToken(content, { keyId: signer.id, key: signer.key }, now);
    },
    [Symbol.dispose]() {
      clearInterval(timer);
    },
  };
}

function newSigningKey(vault: Vault, signsFrom: number): StoredSigningKey {
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  return {
    id: newId(),
    publicX: publicKey.export({ format: "jwk" }).x ?? "",
    privateEncrypted: vault.seal(privateKey.export({ format: "der", type: "pkcs8" })),
    signsFrom,
    verifiesUntil: undefined,
  };
}

function openPrivateKey(stored: StoredSigningKey, vault: Vault): KeyObject | undefined {
  const der = vault.open(stored.privateEncrypted);
  return der && createPrivateKey({ key: Buffer.from(der), format: "der", type: "pkcs8" });
}
