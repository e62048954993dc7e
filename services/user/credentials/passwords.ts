import { randomBytes } from "node:crypto";
import { hash, verify } from "@node-rs/argon2";
import { BoundedPool } from "./bounded_pool.ts";

/** Hashes and verifies passwords. Both may be refused with OVERLOADED. */
export interface Passwords {
  hash(password: string): Promise<string>;
  /** Without a hash the same work is done against nobody's, so that the time does not tell an unknown account. */
  verify(passwordHash: string | undefined, password: string): Promise<boolean>;
}

/** As OWASP recommends: 19 MiB, two passes, one lane. */
const options = { algorithm: 2 /* argon2id */, memoryCost: 19_456, timeCost: 2, parallelism: 1 };

/** How many are computed at once, and how many may wait: each takes some 10 ms of a core and 19 MiB. */
export const passwordPool = { concurrency: 2, queueLength: 32 } as const;

/** Passwords as argon2id, two at a time. */
export async function createPasswords(
  pool = new BoundedPool(passwordPool.concurrency, passwordPool.queueLength),
): Promise<Passwords> {
  const nobodys = await hash(randomBytes(32).toString("base64"), options);
  // Composed characters differ between keyboards for one and the same password.
  const plain = (password: string) => password.normalize("NFKC");
  return {
    hash: (password) => pool.run(() => hash(plain(password), options)),
    verify: (passwordHash, password) =>
      pool.run(async () => {
        const fits = await verify(passwordHash ?? nobodys, plain(password));
        return fits && passwordHash !== undefined;
      }),
  };
}
