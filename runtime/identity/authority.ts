// The development authority: the certificate and key that make the mesh of one data folder, created on first start.
// Several processes may start at once; the one that links its file first wins, and the others read it.

import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomUUID,
  X509Certificate,
} from "node:crypto";
import { chmod, link, mkdir, open, readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { StartError } from "../errors.ts";
import { issueCertificate } from "./certificate.ts";

/** A certificate with its key, and the authority that peers must have, all in PEM. */
export interface Credentials {
  readonly certificate: string;
  readonly key: string;
  readonly ca: string;
  /** When the certificate ends. */
  readonly expiresAt: Date;
}

/** What issues the leaves of a development mesh. */
export interface Authority {
  /** Its certificate, in PEM. */
  readonly certificate: string;
  /** A new key and a certificate for it that carries `id` and lives for `lifetimeMs`, from a minute before `now`. */
  issue(id: string, commonName: string, now: Date, lifetimeMs: number): Credentials;
}

const commonName = "Docket development authority";
const lifetimeMs = 10 * 365 * 86_400_000;
const skewMs = 60_000;

/**
 * The authority of a data folder, made when there is none: `<dataDir>/mesh/authority.pem`, readable by its owner only.
 * Throws StartError when the file is damaged, too old, of another trust domain, or cannot be made.
 */
export async function openAuthority(dataDir: string, trustDomain: string, now: Date): Promise<Authority> {
  const folder = join(dataDir, "mesh");
  const path = join(folder, "authority.pem");
  const text = (await readIfThere(path)) ?? (await makeFile(folder, path, newAuthority(trustDomain, now)));
  return parseAuthority(text, path, trustDomain, now);
}

function newAuthority(trustDomain: string, now: Date): string {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const certificate = issueCertificate(
    {
      commonName,
      publicKey,
      uri: `spiffe://${trustDomain}`,
      notBefore: new Date(now.getTime() - skewMs),
      notAfter: new Date(now.getTime() + lifetimeMs),
      authority: true,
    },
    { commonName, key: privateKey },
  );
  return certificate + privateKey.export({ type: "pkcs8", format: "pem" });
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    const text = await readFile(path, "utf8");
    // A restored backup may have made the key readable to others.
    if (process.platform !== "win32" && ((await stat(path)).mode & 0o077) !== 0) await chmod(path, 0o600);
    return text;
  } catch (cause) {
    if (codeOf(cause) === "ENOENT") return undefined;
    throw new StartError(`The mesh's authority ${path} cannot be read (${codeOf(cause)}).`, { cause });
  }
}

/** Writes beside and links, so that nobody ever sees half a file; the content of whoever linked first is returned. */
async function makeFile(folder: string, path: string, text: string): Promise<string> {
  const draft = join(folder, `.authority-${randomUUID()}`);
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const file = await open(draft, "wx", 0o600);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    try {
      await link(draft, path);
    } catch (error) {
      if (codeOf(error) !== "EEXIST") throw error;
    }
    return await readFile(path, "utf8");
  } catch (cause) {
    throw new StartError(`The mesh's authority ${path} cannot be created (${codeOf(cause)}).`, { cause });
  } finally {
    await rm(draft, { force: true }).catch(() => undefined);
  }
}

function parseAuthority(text: string, path: string, trustDomain: string, now: Date): Authority {
  const remedy = `remove it and start again; every process of this mesh must then be restarted`;
  let certificate: X509Certificate;
  let key: KeyObject;
  try {
    certificate = new X509Certificate(text);
    key = createPrivateKey(text);
  } catch (cause) {
    throw new StartError(`The mesh's authority ${path} is damaged: ${remedy}.`, { cause });
  }
  if (!certificate.ca || !certificate.checkPrivateKey(key) || !certificate.verify(createPublicKey(key))) {
    throw new StartError(`The mesh's authority ${path} is damaged: ${remedy}.`);
  }
  if (certificate.subjectAltName !== `URI:spiffe://${trustDomain}`) {
    throw new StartError(`The mesh's authority ${path} is not one of the trust domain ${trustDomain}: ${remedy}.`);
  }
  if (now.getTime() >= certificate.validToDate.getTime()) {
    throw new StartError(`The mesh's authority ${path} ended on ${certificate.validToDate.toISOString()}: ${remedy}.`);
  }
  const ca = certificate.toString();
  return {
    certificate: ca,
    issue(id, leafName, issuedAt, leafLifetimeMs) {
      const pair = generateKeyPairSync("ec", { namedCurve: "P-256" });
      const expiresAt = new Date(Math.min(issuedAt.getTime() + leafLifetimeMs, certificate.validToDate.getTime()));
      const leaf = issueCertificate(
        {
          commonName: leafName,
          publicKey: pair.publicKey,
          uri: id,
          notBefore: new Date(issuedAt.getTime() - skewMs),
          notAfter: expiresAt,
          authority: false,
        },
        { commonName, key },
      );
      return {
        certificate: leaf,
        key: pair.privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
        ca,
        expiresAt,
      };
    },
  };
}

function codeOf(error: unknown): string | undefined {
  return typeof error === "object" && error !== null && "code" in error ? String(error.code) : undefined;
}
