import { createCipheriv, createDecipheriv, createHash, createHmac, hkdfSync, randomBytes } from "node:crypto";
import { link, readFile, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ensureFolder } from "@docket/runtime/data_dir";
import { StartError } from "@docket/runtime/errors";
import { encodeSecret, secretBytes } from "../domain/secrets.ts";

/** What a link is for; a secret of one kind is worth nothing as another. */
export type LinkKind = "invitation" | "reset" | "confirm";

/** What is derived from the one secret that the service keeps outside its database. */
export interface Vault {
  /** Encrypts what lies in the database. */
  seal(plain: Uint8Array): Uint8Array;
  /** Undefined when it was sealed with another secret, or damaged. */
  open(sealed: Uint8Array): Uint8Array | undefined;
  /**
   * The secret of a link. It follows from the id of what the link opens, so that a mail can be written after a crash
   * although the database holds the secret's hash only.
   */
  linkSecret(kind: LinkKind, id: string): string;
}

const ivBytes = 12;
const tagBytes = 16;

export function createVault(secret: string): Vault {
  const derive = (purpose: string) => Buffer.from(hkdfSync("sha256", secret, "docket.user", purpose, 32));
  const sealing = derive("seal");
  const linking = derive("links");
  return {
    seal(plain) {
      const iv = randomBytes(ivBytes);
      const cipher = createCipheriv("aes-256-gcm", sealing, iv);
      return Buffer.concat([iv, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
    },
    open(sealed) {
      try {
        const decipher = createDecipheriv("aes-256-gcm", sealing, sealed.subarray(0, ivBytes));
        decipher.setAuthTag(sealed.subarray(-tagBytes));
        return Buffer.concat([decipher.update(sealed.subarray(ivBytes, -tagBytes)), decipher.final()]);
      } catch {
        return undefined;
      }
    },
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

/** Whole or not at all: of two processes that start at once, the second finds what the first wrote. */
async function createExclusively(file: string, text: string): Promise<void> {
  const draft = `${file}.${randomBytes(6).toString("hex")}`;
  await writeFile(draft, text, { flag: "wx", mode: 0o600, flush: true });
  await link(draft, file).finally(() => unlink(draft));
}

/** The secret in the data folder, made when there is none. Throws StartError when it can be neither read nor made. */
export async function loadVaultSecret(dataDir: string): Promise<string> {
  await ensureFolder(dataDir);
  const file = join(dataDir, "user-secret.key");
  try {
    await createExclusively(file, `${encodeSecret(newSecret())}\n`);
  } catch (cause) {
    if ((cause as { code?: string }).code !== "EEXIST") {
      throw new StartError(`The file ${file} cannot be written; set KEY_ENCRYPTION_SECRET, or mend the folder.`, {
        cause,
      });
    }
  }
  const secret = (await readFile(file, "utf8").catch(() => "")).trim();
  if (secret.length < 32)
    throw new StartError(`The file ${file} is damaged: remove it, and open links will be worth nothing.`);
  return secret;
}
