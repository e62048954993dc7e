import { randomBytes } from "node:crypto";
import { describe, expect, it } from "@jest/globals";
import { Webhook } from "standardwebhooks";
import { deliveryIdOf, formatSecret, headersOf, secretBytes } from "./signature.ts";

describe("a signature", () => {
  const signed = { id: "delivery", timestamp: Math.floor(Date.now() / 1000), body: '{"title":"Käse ☃"}' };
  const [first, second, other] = [randomBytes(secretBytes), randomBytes(secretBytes), randomBytes(secretBytes)];

  it("is what Standard Webhooks verifies, with each of two live secrets", () => {
    const headers = headersOf(signed, [first, second]);
    for (const secret of [first, second]) {
      expect(new Webhook(formatSecret(secret)).verify(signed.body, headers)).toEqual({ title: "Käse ☃" });
    }
  });

  it("is refused with another secret, body, id or time", () => {
    const headers = headersOf(signed, [first]);
    const verify = (secret: Uint8Array, body: string, given: Record<string, string>) => () =>
      new Webhook(formatSecret(secret)).verify(body, given);
    expect(verify(other, signed.body, headers)).toThrow();
    expect(verify(first, `${signed.body} `, headers)).toThrow();
    expect(verify(first, signed.body, { ...headers, "webhook-id": "another" })).toThrow();
    expect(verify(first, signed.body, { ...headers, "webhook-timestamp": String(signed.timestamp - 1) })).toThrow();
  });
});

describe("the id of a delivery", () => {
  it("is the same UUID for the same webhook and change, and another for any other pair", () => {
    expect(deliveryIdOf("a", "b")).toBe(deliveryIdOf("a", "b"));
    expect(deliveryIdOf("a", "b")).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(new Set([deliveryIdOf("a", "b"), deliveryIdOf("b", "a"), deliveryIdOf("a", "c")]).size).toBe(3);
  });
});
