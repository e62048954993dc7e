// Downloads: ranges, conditions, names, and what happens when either side stops.

import { randomBytes } from "node:crypto";
import http from "node:http";
import http2 from "node:http2";
import { newId } from "@docket/runtime/ids";
import { eventually } from "@docket/runtime/testing/eventually";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import type { FakeVersion } from "./upstreams/document.ts";
import { startWorld, type World } from "./world.ts";

const size = 1_000_000;
const bytes = randomBytes(size);

let world: World;
let version: FakeVersion;
let authorization = "";
beforeAll(async () => {
  world = await startWorld();
  version = world.documents.add(bytes);
  authorization = `Bearer ${world.users.signIn().secret}`;
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
});

function get(
  headers: Record<string, string> = {},
  { documentId, number } = version,
  method = "GET",
  query = "",
): Promise<Response> {
  return fetch(`${world.url}/files/documents/${documentId}/versions/${number}${query}`, {
    method,
    headers: { authorization, ...headers },
  });
}

async function body(answer: Response): Promise<Buffer> {
  return Buffer.from(await answer.arrayBuffer());
}

describe("a download", () => {
  it("gives the bytes with headers that keep them harmless", async () => {
    const answer = await get();
    expect(answer.status).toBe(200);
    expect((await body(answer)).equals(bytes)).toBe(true);
    const headers = Object.fromEntries(answer.headers);
    expect(headers).toMatchObject({
      "accept-ranges": "bytes",
      "cache-control": "private, no-cache",
      "content-disposition": 'attachment; filename="plan.txt"',
      "content-length": String(size),
      "content-security-policy": "sandbox; default-src 'none'",
      "content-type": "text/plain",
      "cross-origin-resource-policy": "same-origin",
      "x-content-type-options": "nosniff",
    });
    expect(headers.etag).toMatch(/^"[0-9a-f]{64}"$/);
    expect(headers["repr-digest"]).toMatch(/^sha-256=:[A-Za-z0-9+/]{43}=:$/);
  });

  it("gives the newest version where none is named", async () => {
    const first = world.documents.add(Buffer.from("one"));
    world.documents.add(Buffer.from("two"), { documentId: first.documentId });
    const answer = await fetch(`${world.url}/files/documents/${first.documentId}`, { headers: { authorization } });
    expect(await answer.text()).toBe("two");
  });

  it("answers HEAD with the headers alone, and reads nothing", async () => {
    const before = world.storage.chunksRead;
    const answer = await get({}, version, "HEAD");
    expect(answer.status).toBe(200);
    expect(answer.headers.get("content-length")).toBe(String(size));
    expect(await answer.text()).toBe("");
    expect(world.storage.chunksRead).toBe(before);
  });

  it("gives an empty file", async () => {
    const answer = await get({}, world.documents.add(Buffer.alloc(0)));
    expect([answer.status, answer.headers.get("content-length"), await answer.text()]).toEqual([200, "0", ""]);
  });

  it("works over HTTP/2", async () => {
    const session = http2.connect(world.url);
    const stream = session.request({ ":path": `/files/documents/${version.documentId}`, authorization });
    const pieces: Buffer[] = [];
    for await (const piece of stream) pieces.push(piece as Buffer);
    session.close();
    expect(Buffer.concat(pieces).equals(bytes)).toBe(true);
  });

  it.each([
    ["an unknown document", () => `/files/documents/${newId()}`],
    ["an unknown version", () => `/files/documents/${version.documentId}/versions/99`],
    ["version 0", () => `/files/documents/${version.documentId}/versions/0`],
    ["an id that is none", () => "/files/documents/..%2f..%2fetc%2fpasswd"],
    ["a longer path", () => `/files/documents/${version.documentId}/versions/1/x`],
  ])("of %s is 404 with a reason", async (_name, path) => {
    const answer = await fetch(world.url + path(), { headers: { authorization } });
    expect(answer.status).toBe(404);
    expect(await answer.json()).toMatchObject({
      reason: "NOT_FOUND",
      request_id: answer.headers.get("x-request-id"),
      fields: [],
    });
  });

  it("needs a session", async () => {
    const answer = await fetch(`${world.url}/files/documents/${version.documentId}`);
    expect(answer.status).toBe(401);
    expect(await answer.json()).toMatchObject({ reason: "SESSION_REQUIRED" });
  });

  it("is no image or script for a foreign page", async () => {
    const foreign = { "sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors" };
    expect((await get(foreign)).status).toBe(403);
    // fetch insists on a mode of its own, so a link is followed without it.
    const link = { authorization, "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate" };
    const request = http.get(`${world.url}/files/documents/${version.documentId}`, { headers: link });
    const answer = await new Promise<http.IncomingMessage>((resolve) => request.once("response", resolve));
    expect(answer.statusCode).toBe(200);
    request.destroy();
  });

  it("takes no other method", async () => {
    const answer = await get({}, version, "DELETE");
    expect([answer.status, answer.headers.get("allow")]).toEqual([405, "GET, HEAD"]);
  });
});

describe("ranges", () => {
  it.each([
    ["bytes=0-0", 0, 1],
    ["bytes=0-99", 0, 100],
    ["bytes=100-", 100, size - 100],
    ["bytes=-1", size - 1, 1],
    ["bytes=-99999999", 0, size],
    ["bytes=999999-1000000000", 999_999, 1],
    ["bytes= 5-6", 5, 2],
  ])("%s gives 206", async (range, offset, length) => {
    const answer = await get({ range });
    expect(answer.status).toBe(206);
    expect(answer.headers.get("content-range")).toBe(`bytes ${offset}-${offset + length - 1}/${size}`);
    expect((await body(answer)).equals(bytes.subarray(offset, offset + length))).toBe(true);
  });

  it.each(["bytes=1000000-", "bytes=-0", "bytes=1000000-1000001,2000000-"])("%s gives 416", async (range) => {
    const answer = await get({ range });
    expect([answer.status, answer.headers.get("content-range")]).toEqual([416, `bytes */${size}`]);
    expect(answer.headers.get("repr-digest")).toBeNull();
  });

  it.each([
    "bytes=0-1,5-6",
    "bytes=5-1",
    "bytes=a-b",
    "bytes=",
    "lines=1-2",
    "bytes=--1",
    "bytes=99999999999999999999-",
  ])("%s gives the whole", async (range) => {
    const answer = await get({ range });
    expect(answer.status).toBe(200);
    expect((await body(answer)).length).toBe(size);
  });

  it("hold only while If-Range names the present contents", async () => {
    const etag = (await get({}, version, "HEAD")).headers.get("etag") ?? "";
    expect((await get({ range: "bytes=0-9", "if-range": etag })).status).toBe(206);
    expect((await get({ range: "bytes=0-9", "if-range": '"other"' })).status).toBe(200);
    expect((await get({ range: "bytes=0-9", "if-range": `W/${etag}` })).status).toBe(200);
    expect((await get({ range: "bytes=0-9", "if-range": "Sat, 21 Nov 2026 00:00:00 GMT" })).status).toBe(200);
  });
});

describe("conditions", () => {
  it("save the client what it has", async () => {
    const etag = (await get({}, version, "HEAD")).headers.get("etag") ?? "";
    for (const known of [etag, `W/${etag}`, `"x", ${etag}`, "*"]) {
      const answer = await get({ "if-none-match": known });
      expect([known, answer.status, await answer.text()]).toEqual([known, 304, ""]);
      expect(answer.headers.get("etag")).toBe(etag);
    }
    expect((await get({ "if-none-match": '"other"' })).status).toBe(200);
    expect((await get({ "if-match": '"other"' })).status).toBe(412);
    expect((await get({ "if-match": etag })).status).toBe(200);
  });
});

describe("names and types", () => {
  it.each([
    ["report.pdf", 'attachment; filename="report.pdf"'],
    ['a"b\\c.txt', "attachment; filename=\"a_b_c.txt\"; filename*=UTF-8''a%22b_c.txt"],
    ["x\r\nset-cookie: a=b", 'attachment; filename="x__set-cookie: a=b"'],
    ["Übersicht €.docx", "attachment; filename=\"_bersicht _.docx\"; filename*=UTF-8''%C3%9Cbersicht%20%E2%82%AC.docx"],
    ["evil\u202Efdp.exe", 'attachment; filename="evil_fdp.exe"'],
    ["../../etc/passwd", 'attachment; filename="_.._etc_passwd"'],
    ["..", 'attachment; filename="download"'],
    ["", 'attachment; filename="download"'],
    ["100%.txt", "attachment; filename=\"100_.txt\"; filename*=UTF-8''100%25.txt"],
    ["\ud83d\ude00.png", "attachment; filename=\"_.png\"; filename*=UTF-8''%F0%9F%98%80.png"],
    ["it's (1)*.txt", 'attachment; filename="it\'s (1)*.txt"'],
    ["nul\0byte", 'attachment; filename="nul_byte"'],
  ])("%j stays in its header", async (name, expected) => {
    const answer = await get({}, world.documents.add(Buffer.from("x"), { name }));
    expect(answer.headers.get("content-disposition")).toBe(expected);
    expect(answer.headers.get("set-cookie")).toBeNull();
  });

  it.each([
    ["text/html", "attachment", "text/html"],
    ["image/svg+xml", "attachment", "image/svg+xml"],
    ["image/png", "inline", "image/png"],
    ["text/plain; charset=utf-8", "inline", "text/plain; charset=utf-8"],
    ["application/pdf", "attachment", "application/pdf"],
    ["nonsense", "attachment", "application/octet-stream"],
    ["text/html\r\nx: y", "attachment", "application/octet-stream"],
    ["", "attachment", "application/octet-stream"],
  ])("of %j are shown in place only where nothing can run", async (mediaType, kind, type) => {
    const answer = await get({}, world.documents.add(Buffer.from("x"), { mediaType }), "GET", "?inline=1");
    expect(answer.headers.get("content-disposition")).toMatch(new RegExp(`^${kind};`));
    expect(answer.headers.get("content-type")).toBe(type);
    expect(answer.headers.get("content-security-policy")).toBe("sandbox; default-src 'none'");
  });
});

describe("a transfer", () => {
  it("goes on where storage's stream ended, with a new ticket", async () => {
    const before = world.documents.tickets;
    world.storage.breakAfter.push(128 * 1024, 64 * 1024);
    const answer = await get();
    expect((await body(answer)).equals(bytes)).toBe(true);
    expect(world.documents.tickets - before).toBe(3);
  });

  it("that storage cannot go on with is cut, not ended as if it were whole", async () => {
    world.storage.breakAfter.push(64 * 1024, 0, 0, 0, 0);
    const answer = await get();
    await expect(body(answer)).rejects.toThrow();
  });

  it("that fails at once says so", async () => {
    world.storage.breakAfter.push(0, 0, 0, 0);
    const answer = await get();
    expect(answer.status).toBe(503);
    expect(answer.headers.get("content-disposition")).toBeNull();
    expect(await answer.json()).toMatchObject({ reason: "RESUME" });
  });

  it("that nobody reads does not fill the memory, and ends with its client", async () => {
    const large = world.documents.add(Buffer.alloc(64 << 20, 1));
    const before = { chunks: world.storage.chunksRead, cancelled: world.storage.readsCancelled };
    const request = http.get(`${world.url}/files/documents/${large.documentId}`, { headers: { authorization } });
    const answer = await new Promise<http.IncomingMessage>((resolve) => request.once("response", resolve));
    answer.pause();
    let last = -1;
    // Read nothing until storage has stopped sending.
    await eventually(
      () => {
        const now = world.storage.chunksRead;
        const still = now === last;
        last = now;
        return still;
      },
      { intervalMs: 300 },
    );
    expect((world.storage.chunksRead - before.chunks) * 64 * 1024).toBeLessThan(48 << 20);
    request.destroy();
    await eventually(() => expect(world.storage.readsCancelled).toBe(before.cancelled + 1));
  });
});
