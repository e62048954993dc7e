// Writes X.509 certificates of the two kinds that a development mesh needs: its authority and short-lived leaves that
// carry a SPIFFE id. Node reads certificates but issues none, and DER is small enough to write by hand.

import { createHash, createPublicKey, type KeyObject, randomBytes, sign } from "node:crypto";

/** What stands in a certificate. */
export interface CertificateContent {
  /** The common name, for people who look at it. */
  readonly commonName: string;
  /** The key that the certificate vouches for. */
  readonly publicKey: KeyObject;
  /** The one URI of the subject alternative names. */
  readonly uri: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** Whether it may sign leaves; otherwise it may only serve and call. */
  readonly authority: boolean;
}

/** Who signs a certificate. An authority's own certificate is signed by itself. */
export interface CertificateIssuer {
  readonly commonName: string;
  /** A P-256 key. */
  readonly key: KeyObject;
}

/** Makes a certificate, in PEM, signed with ECDSA on P-256 with SHA-256. */
export function issueCertificate(content: CertificateContent, issuer: CertificateIssuer): string {
  const algorithm = sequence(oid("1.2.840.10045.4.3.2"));
  const body = sequence(
    tlv(0xa0, integer(Buffer.of(2))),
    integer(serialNumber()),
    algorithm,
    nameOf(issuer.commonName),
    sequence(time(content.notBefore), time(content.notAfter)),
    nameOf(content.commonName),
    spki(content.publicKey),
    tlv(0xa3, sequence(...extensions(content, issuer))),
  );
  const signature = sign("sha256", body, issuer.key);
  const der = sequence(body, algorithm, bitString(signature, 0));
  const lines = der.toString("base64").match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join("\n")}\n-----END CERTIFICATE-----\n`;
}

function extensions({ authority, publicKey, uri }: CertificateContent, issuer: CertificateIssuer): Buffer[] {
  const constraints = authority ? sequence(boolean(true), integer(Buffer.of(0))) : sequence();
  // Bits from the left: digitalSignature is 0, keyCertSign 5 and cRLSign 6.
  const usage = authority ? bitString(Buffer.of(0b0000_0110), 1) : bitString(Buffer.of(0b1000_0000), 7);
  const list = [
    extension("2.5.29.19", true, constraints),
    extension("2.5.29.15", true, usage),
    extension("2.5.29.14", false, octetString(keyId(publicKey))),
    extension("2.5.29.35", false, sequence(tlv(0x80, keyId(createPublicKey(issuer.key))))),
    extension("2.5.29.17", false, sequence(tlv(0x86, Buffer.from(uri, "ascii")))),
  ];
  const serverAndClient = sequence(oid("1.3.6.1.5.5.7.3.1"), oid("1.3.6.1.5.5.7.3.2"));
  if (!authority) list.push(extension("2.5.29.37", false, serverAndClient));
  return list;
}

function extension(id: string, critical: boolean, value: Buffer): Buffer {
  return sequence(oid(id), ...(critical ? [boolean(true)] : []), octetString(value));
}

function spki(key: KeyObject): Buffer {
  return key.export({ type: "spki", format: "der" });
}

/** RFC 7093: the first 160 bits of the SHA-256 of the key. */
function keyId(key: KeyObject): Buffer {
  return createHash("sha256").update(spki(key)).digest().subarray(0, 20);
}

/** 127 random bits: positive, and never with a leading zero byte. */
function serialNumber(): Buffer {
  const bytes = randomBytes(16);
  bytes[0] = 0x40 | ((bytes[0] ?? 0) & 0x3f);
  return bytes;
}

function nameOf(commonName: string): Buffer {
  return sequence(tlv(0x31, sequence(oid("2.5.4.3"), tlv(0x0c, Buffer.from(commonName, "utf8")))));
}

/** Years before 2050 have two digits, later ones four. */
function time(date: Date): Buffer {
  const digits = `${date.toISOString().slice(0, 19).replace(/\D/g, "")}Z`;
  return date.getUTCFullYear() < 2050 ? tlv(0x17, Buffer.from(digits.slice(2))) : tlv(0x18, Buffer.from(digits));
}

function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split(".").map(Number);
  const bytes = [first * 40 + second];
  for (const part of rest) {
    const groups = [part & 0x7f];
    for (let left = part >>> 7; left > 0; left >>>= 7) groups.unshift((left & 0x7f) | 0x80);
    bytes.push(...groups);
  }
  return tlv(0x06, Buffer.from(bytes));
}

function sequence(...items: Buffer[]): Buffer {
  return tlv(0x30, Buffer.concat(items));
}

function integer(bytes: Buffer): Buffer {
  return tlv(0x02, bytes);
}

function boolean(value: boolean): Buffer {
  return tlv(0x01, Buffer.of(value ? 0xff : 0x00));
}

function octetString(bytes: Buffer): Buffer {
  return tlv(0x04, bytes);
}

function bitString(bytes: Buffer, unusedBits: number): Buffer {
  return tlv(0x03, Buffer.concat([Buffer.of(unusedBits), bytes]));
}

function tlv(tag: number, value: Buffer): Buffer {
  return Buffer.concat([Buffer.of(tag), length(value.length), value]);
}

function length(size: number): Buffer {
  if (size < 0x80) return Buffer.of(size);
  return size < 0x100 ? Buffer.of(0x81, size) : Buffer.of(0x82, size >> 8, size & 0xff);
}
