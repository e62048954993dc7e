import { randomBytes } from "node:crypto";
import { describe, expect, it } from "@jest/globals";
import { keyIdOf, signTicket, verifyTicket } from "./ticket.ts";

describe("a ticket", () => {
  const key = { id: "019a0000-0000-7000-8000-000000000001", secret: randomBytes(32) };
  const ticket = {
    blobId: "019a0000-0000-7000-8000-000000000002",
    name: "Größe „1“.pdf",
    mediaType: "application/pdf",
    subject: "person:019a0000-0000-7000-8000-000000000003",
    expiresAt: 1000,
  };

  it("says what was signed until it ends", () => {
    const text = signTicket(ticket, key);
    expect(keyIdOf(text)).toBe(key.id);
    expect(verifyTicket(text, key, 999)).toEqual(ticket);
    expect(verifyTicket(text, key, 1000)).toBeUndefined();
  });

  it("is refused when any character of it differs", () => {
    const text = signTicket(ticket, key);
    for (let at = 0; at < text.length; at += 1) {
      const other = text[at] === "A" ? "B" : "A";
      expect(verifyTicket(`${text.slice(0, at)}${other}${text.slice(at + 1)}`, key, 0)).toBeUndefined();
    }
  });

  it("is refused under another key, cut short, or with more behind it", () => {
    const text = signTicket(ticket, key);
    expect(verifyTicket(text, { ...key, secret: randomBytes(32) }, 0)).toBeUndefined();
    for (const broken of ["", ".", "..", "...", text.slice(0, -1), `${text}.x`, `${text}=`]) {
      expect(verifyTicket(broken, key, 0)).toBeUndefined();
    }
    expect(keyIdOf("nothing")).toBeUndefined();
  });
});
