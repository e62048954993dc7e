import { beforeAll, describe, expect, it } from "@jest/globals";
import { createHmac, generateKeyPairSync, type KeyObject, randomInt, sign } from "node:crypto";
import { Reason } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import { Permission } from "@docket/contracts/gen/docket/policy/v1/policy_pb.ts";
import type { JWK } from "jose";
import { reasonOf } from "./errors.ts";
import { createTokenVerifier, jwksOf, signToken, type TokenContent } from "./token.ts";

const now = Date.parse("2026-05-04T10:00:00Z");
const id = (digit: number) => `0190a0e0-0000-7000-8000-00000000000${digit}`;
const person: TokenContent = { kind: "person", id: id(1), sessionId: id(2), expiresAt: now + 300_000 };
const application: TokenContent = {
  kind: "application",
  id: id(3),
  keyId: id(4),
  workspaceId: id(5),
  scopes: [Permission.DOCUMENT_VIEW, Permission.CHANGE_WATCH],
  expiresAt: now + 300_000,
};

interface Signer {
  keyId: string;
  key: KeyObject;
  jwk: JWK;
}

function makeSigner(keyId: string): Signer {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  const [jwk] = jwksOf([{ id: keyId, x: publicKey.export({ format: "jwk" }).x ?? "" }]);
  if (jwk === undefined) throw new Error("no key");
  return { keyId, key: privateKey, jwk };
}

let signer: Signer;
let token: string;
beforeAll(async () => {
  signer = makeSigner("k1");
  token = await signToken(person, signer, now);
});

/** A verifier whose keys, clock and number of fetches a test can see and change. */
function setUp() {
  const state: { keys: JWK[]; now: number; fetches: number; away: boolean } = {
    keys: [signer.jwk],
    now,
    fetches: 0,
    away: false,
  };
  const { verify } = createTokenVerifier({
    clock: () => new Date(state.now),
    async fetchKeys() {
      state.fetches += 1;
      if (state.away) throw new Error("user service is away");
      return state.keys;
    },
  });
  return { state, verify, verdict: (text: string) => verify(text).then(() => undefined, reasonOf) };
}

/** A token of any header and claims, signed with the genuine key. */
function forge(
  header: object,
  claims: object,
  signWith: (text: string) => Buffer = (text) => sign(null, Buffer.from(text), signer.key),
): string {
  const text = [header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString("base64url")).join(".");
  return `${text}.${signWith(text).toString("base64url")}`;
}

const header = { alg: "EdDSA", typ: "docket+jwt", kid: "k1" };
const seconds = now / 1000;
const claims = {
  sub: id(1),
  kind: "person",
  sid: id(2),
  iss: "docket",
  aud: "docket",
  iat: seconds,
  exp: seconds + 300,
};

describe("createTokenVerifier", () => {
  it("reads a person's token and an application's", async () => {
    const { verify } = setUp();
    expect(await verify(token)).toEqual({ ...person, token });
    const applications = await signToken(application, signer, now);
    expect(await verify(applications)).toEqual({ ...application, token: applications });
    expect(await verify(forge(header, claims))).toMatchObject({ id: id(1) });
  });

  it("leaves out scopes that it does not know", async () => {
    const { verify } = setUp();
    const { sid: _, ...rest } = claims;
    const newer = forge(header, {
      ...rest,
      kind: "application",
      kid: id(4),
      workspace: id(5),
      scopes: ["PERMISSION_NEWER", "PERMISSION_UNSPECIFIED", "PERMISSION_DOCUMENT_VIEW"],
    });
    expect((await verify(newer)).scopes).toEqual([Permission.DOCUMENT_VIEW]);
  });

  it("accepts none of 1000 mutations of a token", async () => {
    const { verdict } = setUp();
    const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_+/=. ";
    const accepted: string[] = [];
    for (let n = 0; n < 1000; n += 1) {
      // Every position of the signature's end is tried: there base64 has bits to spare.
      const at = n < 280 ? token.length - 1 - (n % 4) : randomInt(token.length);
      const letter = alphabet[n < 280 ? Math.floor(n / 4) % alphabet.length : randomInt(alphabet.length)] ?? "A";
      const mutated =
        [
          token.slice(0, at) + letter + token.slice(at + 1),
          token.slice(0, at) + token.slice(at + 1),
          token.slice(0, at) + letter + token.slice(at),
        ][n < 280 ? 0 : randomInt(3)] ?? "";
      if (mutated !== token && (await verdict(mutated)) !== Reason.SESSION_INVALID) accepted.push(mutated);
    }
    expect(accepted).toEqual([]);
  });

  it("refuses unsigned tokens, other algorithms and keys confused with secrets", async () => {
    const { verdict } = setUp();
    const hmac = (secret: string | Buffer) => (text: string) => createHmac("sha512", secret).update(text).digest();
    const x = signer.jwk.x ?? "";
    const other = generateKeyPairSync("ed25519").privateKey;
    const forged = [
      forge({ ...header, alg: "none" }, claims, () => Buffer.alloc(0)),
      forge({ ...header, alg: "none" }, claims),
      forge({ ...header, alg: "HS512" }, claims, hmac(Buffer.from(x, "base64url"))),
      forge({ ...header, alg: "HS512" }, claims, hmac(x)),
      forge({ ...header, alg: "HS256" }, claims, hmac(JSON.stringify(signer.jwk))),
      forge({ ...header, alg: "ES256" }, claims),
      forge({ ...header, alg: "eddsa" }, claims),
      forge({ ...header, alg: "Ed25519" }, claims),
      forge({ ...header, jwk: makeSigner("k1").jwk }, claims, (text) => sign(null, Buffer.from(text), other)),
      forge(header, claims, () => Buffer.alloc(64)),
    ];
    for (const text of forged) expect(await verdict(text)).toBe(Reason.SESSION_INVALID);
  });

  it("refuses other headers", async () => {
    const { verdict } = setUp();
    const { typ: _typ, ...untyped } = header;
    const { kid: _kid, ...unnamed } = header;
    const headers = [
      untyped,
      unnamed,
      { ...header, typ: "JWT" },
      { ...header, kid: 7 },
      { ...header, kid: "" },
      { ...header, kid: "__proto__" },
      { ...header, crit: ["x"], x: 1 },
      { ...header, crit: ["b64"], b64: false },
    ];
    for (const other of headers) expect(await verdict(forge(other, claims))).toBe(Reason.SESSION_INVALID);
  });

  it("refuses claims of another shape, for others, and out of their time", async () => {
    const { verdict } = setUp();
    const key = { kind: "application", kid: id(4), workspace: id(5), scopes: [], sid: undefined };
    const others = [
      { sub: undefined },
      { sub: "root" },
      { kind: undefined },
      { kind: "operator" },
      { sid: undefined },
      { sid: [id(2)] },
      { kid: id(4) },
      { workspace: id(5) },
      { scopes: [] },
      { ...key, sid: id(2) },
      { ...key, kid: undefined },
      { ...key, workspace: undefined },
      { ...key, scopes: undefined },
      { ...key, scopes: "PERMISSION_DOCUMENT_VIEW" },
      { ...key, scopes: [11] },
      { aud: undefined },
      { aud: "other" },
      { aud: ["docket", "other"] },
      { iss: undefined },
      { iss: "other" },
      { exp: undefined },
      { exp: "tomorrow" },
      { exp: seconds - 6 },
      { iat: undefined },
      { iat: seconds + 60 },
      { iat: seconds - 7200 },
      { nbf: seconds + 60 },
    ];
    for (const other of others)
      expect([other, await verdict(forge(header, { ...claims, ...other }))]).toEqual([other, Reason.SESSION_INVALID]);
    for (const text of ["", ".", "..", "a.b.c", "x".repeat(100_000), `${token}\n`, ` ${token}`, `${token}.${token}`]) {
      expect(await verdict(text)).toBe(Reason.SESSION_INVALID);
    }
  });

  it("remembers a token for its life and no longer", async () => {
    const { state, verify, verdict } = setUp();
    const first = await verify(token);
    state.now = person.expiresAt + 4000;
    expect(await verify(token)).toBe(first);
    state.now = person.expiresAt + 5000;
    expect(await verdict(token)).toBe(Reason.SESSION_INVALID);
    expect(await verdict(token)).toBe(Reason.SESSION_INVALID);
  });

  it("fetches keys once for many tokens, and again when they are old", async () => {
    const { state, verify } = setUp();
    const tokens = await Promise.all([1, 2, 3, 4].map((n) => signToken({ ...person, sessionId: id(n) }, signer, now)));
    await Promise.all(tokens.map((each) => verify(each)));
    expect(state.fetches).toBe(1);
    state.now += 299_000;
    await verify(await signToken({ ...person, sessionId: id(6), expiresAt: state.now + 300_000 }, signer, state.now));
    expect(state.fetches).toBe(1);
    state.now += 1000;
    await verify(await signToken({ ...person, sessionId: id(7), expiresAt: state.now + 300_000 }, signer, state.now));
    expect(state.fetches).toBe(2);
  });

  it("finds a new key by asking again, at most once in a few seconds", async () => {
    const { state, verify, verdict } = setUp();
    await verify(token);
    const next = makeSigner("k2");
    const early = await signToken(person, next, now);
    for (let n = 0; n < 50; n += 1) expect(await verdict(early)).toBe(Reason.SESSION_INVALID);
    expect(state.fetches).toBe(1);
    state.keys = [next.jwk, signer.jwk];
    state.now += 5000;
    expect(await verify(early)).toMatchObject({ id: id(1) });
    expect(state.fetches).toBe(2);
  });

  it("says that it cannot know when the keys are away, and goes on with those it has for a while", async () => {
    const { state, verify, verdict } = setUp();
    state.away = true;
    expect(await verdict(token)).toBe(Reason.UNAVAILABLE);
    expect(await verdict(token)).toBe(Reason.UNAVAILABLE);
    expect(state.fetches).toBe(1);
    state.away = false;
    state.now += 1000;
    await verify(token);
    state.away = true;
    state.now += 301_000;
    const fresh = () => signToken({ ...person, expiresAt: state.now + 300_000 }, signer, state.now);
    await verify(await fresh());
    state.now += 300_000;
    expect(await verdict(await fresh())).toBe(Reason.UNAVAILABLE);
  });

  it("passes over keys that are not Ed25519 or cannot be read", async () => {
    const { state, verify } = setUp();
    const secret = { kty: "oct", k: Buffer.from("secret").toString("base64url"), kid: "k1", alg: "HS256" };
    state.keys = [
      secret,
      { ...signer.jwk, kid: "broken", x: "AAAA" },
      { ...signer.jwk, kid: "enc", use: "enc" },
      signer.jwk,
    ];
    expect(await verify(token)).toMatchObject({ id: id(1) });
  });
});
