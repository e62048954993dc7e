// Tickets: who may read which blob, and until when, signed with a key that storage alone knows.
// `<key id>.<payload>.<signature>`, each in base64url; the signature is HMAC-SHA-256 over what stands before it.

import { createHmac, timingSafeEqual } from "node:crypto";

/** What a ticket says. */
export interface Ticket {
  readonly blobId: string;
  readonly name: string;
  readonly mediaType: string;
  /** The owner key of the one subject that may use it. */
  readonly subject: string;
  /** In milliseconds since 1970. */
  readonly expiresAt: number;
}

/** A key that signs tickets. */
export interface TicketKey {
  readonly id: string;
  readonly secret: Uint8Array;
}

/** How long a ticket may be used to begin a read. */
export const ticketLifeMs = 60_000;

export function signTicket(ticket: Ticket, key: TicketKey): string {
  const { blobId, name, mediaType, subject, expiresAt } = ticket;
  const payload = Buffer.from(JSON.stringify([blobId, name, mediaType, subject, expiresAt])).toString("base64url");
  const signed = `${Buffer.from(key.id).toString("base64url")}.${payload}`;
  return `${signed}.${signatureOf(signed, key).toString("base64url")}`;
}

/** The id of the key that a ticket claims; undefined when it is no ticket at all. */
export function keyIdOf(text: string): string | undefined {
  const parts = text.split(".");
  return parts.length === 3 ? Buffer.from(parts[0] ?? "", "base64url").toString() : undefined;
}

/** What a ticket says, or undefined when it is forged, or has ended. */
export function verifyTicket(text: string, key: TicketKey, now: number): Ticket | undefined {
  const [id, payload, signature, ...rest] = text.split(".");
  if (id === undefined || payload === undefined || signature === undefined || rest.length > 0) return undefined;
  const expected = signatureOf(`${id}.${payload}`, key);
  const given = Buffer.from(signature, "base64url");
  // Compared as text as well: base64url has several spellings of the same bytes.
  if (given.byteLength !== expected.byteLength || !timingSafeEqual(given, expected)) return undefined;
  if (expected.toString("base64url") !== signature) return undefined;
  const [blobId, name, mediaType, subject, expiresAt] = JSON.parse(Buffer.from(payload, "base64url").toString());
  return expiresAt > now ? { blobId, name, mediaType, subject, expiresAt } : undefined;
}

function signatureOf(signed: string, key: TicketKey): Buffer {
  return createHmac("sha256", key.secret).update(signed).digest();
}
