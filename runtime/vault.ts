/**
 * Encrypts what lies in a service's database with one secret that lies outside it. Services seal secrets that they must show or
 * use again; what only has to be recognised is hashed instead.
 */
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from "node:crypto";
import { link, readFile, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ensureFolder } from "./data_dir.ts";
import { StartError } from "./errors.ts";

/** Seals and opens bytes. */
export interface Sealer {
  /** Encrypts what lies in the database; 28 bytes longer than what was given. */
  seal(plain: Uint8Array): Uint8Array;
  /** Undefined when it was sealed with another secret, or damaged. */
  open(sealed: Uint8Array): Uint8Array | undefined;
}

const ivBytes = 12;
const tagBytes = 16;
/** The bytes of a secret that is made. */
const secretBytes = 32;

/** 32 bytes that follow from a secret, for one purpose of one service. */
export function deriveKey(secret: string, service: string, purpose: string): Buffer {
  return Buffer.from(hkdfSync("sha256", secret, `docket.${service}`, purpose, 32));
}

/** AES-256-GCM with a key derived for this service; two services with the same secret cannot open each other's. */
export function createSealer(secret: string, service: string): Sealer {
  const key = deriveKey(secret, service, "seal");
  return {
    seal(plain) {
      const iv = randomBytes(ivBytes);
      const cipher = createCipheriv("aes-256-gcm", key, iv);
      return Buffer.concat([iv, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
    },
    open(sealed) {
      try {
        const decipher = createDecipheriv("aes-256-gcm", key, sealed.subarray(0, ivBytes));
        decipher.setAuthTag(sealed.subarray(-tagBytes));
        return Buffer.concat([decipher.update(sealed.subarray(ivBytes, -tagBytes)), decipher.final()]);
      } catch {
        return undefined;
      }
    },
  };
}

/**
 * The secret `<service>-secret.key` in the data folder, made when there is none. Throws StartError when it can be neither
 * read nor made; `lost` says what a damaged one costs, as it follows "remove it, and".
 */
export async function loadSecretFile(dataDir: string, service: string, lost: string): Promise<string> {
  await ensureFolder(dataDir);
  const file = join(dataDir, `${service}-secret.key`);
  try {
    await createExclusively(file, `${randomBytes(secretBytes).toString("base64url")}\n`);
  } catch (cause) {
    if ((cause as { code?: string }).code !== "EEXIST") {
      throw new StartError(`The file ${file} cannot be written; set KEY_ENCRYPTION_SECRET, or mend the folder.`, {
        cause,
      });
    }
  }
  const secret = (await readFile(file, "utf8").catch(() => "")).trim();
  if (secret.length < 32) throw new StartError(`The file ${file} is damaged: remove it, and ${lost}.`);
  return secret;
}

/** Whole or not at all: of two processes that start at once, the second finds what the first wrote. */
async function createExclusively(file: string, text: string): Promise<void> {
  const draft = `${file}.${randomBytes(6).toString("hex")}`;
  await writeFile(draft, text, { flag: "wx", mode: 0o600, flush: true });
  await link(draft, file).finally(() => unlink(draft));
}
