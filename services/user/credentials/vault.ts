import { createHash, createHmac, randomBytes } from "node:crypto";
import { createSealer, deriveKey, loadSecretFile, type Sealer } from "@docket/runtime/vault";
import { encodeSecret, secretBytes } from "../domain/secrets.ts";

/** What a link is for; a secret of one kind is worth nothing as another. */
export type LinkKind = "invitation" | "reset" | "confirm";

/** What is derived from the one secret that the service keeps outside its database. */
export interface Vault extends Sealer {
  /**
   * The secret of a link. It follows from the id of what the link opens, so that a mail can be written after a crash
   * although the database holds the secret's hash only.
   */
  linkSecret(kind: LinkKind, id: string): string;
}

export function createVault(secret: string): Vault {
  const linking = deriveKey(secret, "user", "links");
  return {
    ...createSealer(secret, "user"),
    linkSecret: (kind, id) => encodeSecret(createHmac("sha256", linking).update(`${kind}:${id}`).digest()),
  };
}

/** What is kept of a secret of 256 random bits; such a one needs no slow hash. */
export function hashSecret(secret: string): string {
  return createHash("sha256").update(secret).digest("hex");
}

/** A new secret of 256 bits. */
export function newSecret(): Uint8Array {
  return randomBytes(secretBytes);
}

/** The secret in the data folder, made when there is none. Throws StartError when it can be neither read nor made. */
export function loadVaultSecret(dataDir: string): Promise<string> {
  return loadSecretFile(dataDir, "user", "open links will be worth nothing");
}
