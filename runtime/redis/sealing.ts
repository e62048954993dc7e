// Seals what is kept under a secret that only its holder has: whoever reads Redis sees neither the secret nor what was
// kept, and cannot put something else in its place.

import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from "node:crypto";

/** A place for one secret's text. */
export interface Seal {
  /** Where the text is kept; tells nothing of the secret. */
  readonly name: string;
  seal(text: string): string;
  /** Undefined for what was not sealed under this secret. */
  open(sealed: string): string | undefined;
}

const CIPHER = "aes-256-gcm";
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** `secret` must be too long to be guessed, as sessions' and keys' secrets are: it is not stretched. */
export function sealOf(secret: string): Seal {
  // The name and the key come from the same secret, and neither says anything of the other.
  const material = Buffer.from(hkdfSync("sha256", secret, "docket", "hot copy 1", 64));
  const name = material.subarray(0, 32).toString("base64url");
  const key = material.subarray(32);
  return {
    name,
    seal(text) {
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv(CIPHER, key, nonce);
      cipher.setAAD(Buffer.from(name));
      const sealed = Buffer.concat([cipher.update(text, "utf8"), cipher.final()]);
      return Buffer.concat([nonce, cipher.getAuthTag(), sealed]).toString("base64url");
    },
    open(sealed) {
      const bytes = Buffer.from(sealed, "base64url");
      if (bytes.length < NONCE_BYTES + TAG_BYTES) return undefined;
      const text = bytes.subarray(NONCE_BYTES + TAG_BYTES);
      try {
        const decipher = createDecipheriv(CIPHER, key, bytes.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES });
        decipher.setAAD(Buffer.from(name));
        decipher.setAuthTag(bytes.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES));
        return Buffer.concat([decipher.update(text), decipher.final()]).toString("utf8");
      } catch {
        return undefined;
      }
    },
  };
}
