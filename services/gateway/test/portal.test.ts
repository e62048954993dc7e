// Pages through the edge: what passes to the portal and back, what does not, and what a person sees when it is away.

import { createHash } from "node:crypto";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import http from "node:http";
import type { Socket } from "node:net";
import { Workload } from "@docket/contracts/gen/docket/policy/v1/policy_pb.ts";
import { eventually } from "@docket/runtime/testing/eventually";
import { testIdentity } from "@docket/runtime/testing/identities";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import { askOverHttp2, type PortalWorld, smallPage, startPortalWorld } from "./portal_world.ts";

let world: PortalWorld;
beforeAll(async () => {
  world = await startPortalWorld();
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
});
beforeEach(() => {
  world.page = smallPage;
  world.asked.length = 0;
});

const html = { accept: "text/html,application/xhtml+xml" };

function ask(path: string, headers: Record<string, string> = {}, init: RequestInit = {}): Promise<Response> {
  return fetch(world.url + path, { redirect: "manual", ...init, headers });
}

describe("a page", () => {
  it("comes from the portal, under the edge's guards and the portal's own policy", async () => {
    const answer = await ask("/w/1?sort=name");
    expect(await answer.text()).toBe("<h1>Docket</h1>");
    expect(world.asked[0]?.url).toBe("/w/1?sort=name");
    const headers = Object.fromEntries(answer.headers);
    expect(headers).toMatchObject({
      "content-security-policy": "script-src 'self'",
      "cache-control": "private, max-age=1",
      "x-content-type-options": "nosniff",
      "x-frame-options": "DENY",
      "referrer-policy": "no-referrer",
      "x-of-the-portal": "kept",
    });
    expect(headers["x-request-id"]).toBe(world.asked[0]?.headers["x-request-id"]);
    expect(headers["x-powered-by"]).toBeUndefined();
    expect(headers["keep-alive"]).not.toBe("timeout=1");
  });

  it("keeps the edge's strict headers where the portal says nothing", async () => {
    world.page = (_request, response) => response.end("bare");
    const headers = Object.fromEntries((await ask("/")).headers);
    expect(headers["cache-control"]).toBe("no-store");
    expect(headers["content-security-policy"]).toMatch(/^default-src 'none'/);
  });

  it("is nobody else's when it sets a cookie", async () => {
    world.page = (_request, response) => {
      response.setHeader("cache-control", "public, max-age=60");
      response.appendHeader("set-cookie", "a=1").appendHeader("set-cookie", "b=2");
      response.end();
    };
    const answer = await ask("/");
    expect(answer.headers.getSetCookie()).toEqual(["a=1", "b=2"]);
    expect(answer.headers.get("cache-control")).toBe("no-store");
  });

  it("is asked for with what the visitor sent, and with what the edge knows of them", async () => {
    await ask("/", {
      cookie: "theme=dark",
      "accept-language": "de",
      "x-forwarded-for": "6.6.6.6",
      "x-forwarded-host": "evil.example",
      "x-forwarded-proto": "https",
      "x-request-id": "made-by-a-client",
      "x-real-ip": "6.6.6.6",
      forwarded: "for=6.6.6.6",
      "x-forwarded-client-cert": "URI=spiffe://test.docket.local/ns/docket/sa/gateway",
      authorization: "Bearer whatever-it-is",
    });
    const headers = world.asked[0]?.headers;
    expect(headers).toMatchObject({
      cookie: "theme=dark",
      "accept-language": "de",
      "x-forwarded-for": "127.0.0.1",
      "x-forwarded-host": new URL(world.url).host,
      "x-forwarded-proto": "http",
    });
    expect(headers?.["x-request-id"]).toMatch(/^[0-9a-f-]{36}$/);
    for (const name of ["x-real-ip", "forwarded", "x-forwarded-client-cert", "authorization"]) {
      expect(headers?.[name]).toBeUndefined();
    }
  });

  it("is asked for with the address that a trusted proxy tells", async () => {
    await using behind = await startPortalWorld({
      TRUSTED_PROXIES: "127.0.0.1",
      PUBLIC_URL: "https://docket.example.com",
    });
    await fetch(behind.url, {
      headers: { "x-forwarded-for": "203.0.113.7", "x-forwarded-host": "docket.example.com" },
    });
    expect(behind.asked[0]?.headers).toMatchObject({
      "x-forwarded-for": "203.0.113.7",
      "x-forwarded-host": "docket.example.com",
      "x-forwarded-proto": "https",
    });
  });

  it("passes statuses, redirects and HEAD as they are", async () => {
    world.page = (request, response) => {
      if (request.url === "/gone") response.writeHead(404).end("no such page");
      else if (request.url === "/old") response.writeHead(302, { location: "/new" }).end();
      else if (request.headers["if-none-match"] === '"1"') response.writeHead(304, { etag: '"1"' }).end();
      else response.writeHead(200, { etag: '"1"', "content-length": "4" }).end(request.method === "HEAD" ? "" : "four");
    };
    expect([(await ask("/gone")).status, (await ask("/old")).headers.get("location")]).toEqual([404, "/new"]);
    const head = await ask("/x", {}, { method: "HEAD" });
    expect([head.status, head.headers.get("content-length"), await head.text()]).toEqual([200, "4", ""]);
    expect((await ask("/x", { "if-none-match": '"1"' })).status).toBe(304);
  });

  it("comes over HTTP/2 as well", async () => {
    const { headers, body } = await askOverHttp2(world.url, "/w/2");
    expect(body).toBe("<h1>Docket</h1>");
    expect(headers).toMatchObject({ ":status": 200, "x-of-the-portal": "kept", "x-frame-options": "DENY" });
    expect(headers.connection).toBeUndefined();
    expect(world.asked[0]?.headers["x-forwarded-for"]).toBe("127.0.0.1");
    expect((await askOverHttp2(world.url, "/w/2", "HEAD")).headers[":status"]).toBe(200);
  });

  it("leaves one line in the log, without its path", async () => {
    const answer = await ask("/invitations/secret-of-a-link");
    const id = answer.headers.get("x-request-id") ?? "none";
    const lines = await eventually(() => {
      const found = world.lines.filter((line) => line.includes(id));
      return found.length > 0 && found;
    });
    expect(lines).toHaveLength(1);
    expect(JSON.parse(lines[0] ?? "")).toMatchObject({ route: "portal", status: 200 });
    expect(world.lines.some((line) => line.includes("secret-of-a-link"))).toBe(false);
  });
});

describe("what is the edge's own", () => {
  it("stays so; the API's page moves to /api", async () => {
    expect((await (await ask("/healthz")).json()) as unknown).toEqual({ status: "alive" });
    expect(await (await ask("/api")).text()).toContain("The API is here");
    expect((await ask("/.well-known/jwks.json")).headers.get("content-type")).toBe("application/jwk-set+json");
    for (const path of ["/files/nothing", "/docket.x.v1.Y/Z"])
      expect([path, (await ask(path)).status]).toEqual([path, 404]);
    expect(world.asked).toEqual([]);
  });

  it("leaves front page and links in mails to the portal", async () => {
    for (const path of ["/", "/invitations/abc", "/reset-password/abc", "/confirm/abc"]) {
      expect(await (await ask(path)).text()).toBe("<h1>Docket</h1>");
    }
  });

  it("lets nobody write to a page", async () => {
    const answer = await ask("/w/1", { "content-type": "application/json" }, { method: "POST", body: "{}" });
    expect([answer.status, answer.headers.get("allow")]).toEqual([405, "GET, HEAD"]);
    expect(world.asked).toEqual([]);
  });
});

describe("bytes", () => {
  it("are read no faster than the visitor reads them", async () => {
    let written = 0;
    const piece = Buffer.alloc(1 << 20);
    world.page = (_request, response) => {
      const write = () => {
        while (written < 512 << 20) {
          written += piece.byteLength;
          if (!response.write(piece)) return void response.once("drain", write);
        }
      };
      write();
    };
    const gone = new AbortController();
    const answer = await ask("/large", {}, { signal: gone.signal });
    await answer.body?.getReader().read();
    // What the buffers of four sockets hold, and no more.
    let before = -1;
    await eventually(
      () => {
        const still = written === before;
        before = written;
        return still;
      },
      { intervalMs: 300 },
    );
    expect(written).toBeLessThan(64 << 20);
    gone.abort();
  });

  it("leave nothing behind on the connection inside", async () => {
    world.page = (_request, response) => response.end("a page");
    const sockets = new Set<Socket>();
    const heard = (message: unknown) =>
      void sockets.add((message as { response: http.IncomingMessage }).response.socket);
    subscribe("http.client.response.finish", heard);
    for (let asked = 0; asked < 5; asked += 1) await (await ask("/")).text();
    unsubscribe("http.client.response.finish", heard);
    const [socket, ...others] = sockets;
    expect(others).toEqual([]);
    // The pool's own, and none for each page.
    await eventually(() => (socket?.listenerCount("timeout") ?? 5) < 3, { timeoutMs: 3000 });
  });

  it("stop inside when the visitor has gone", async () => {
    let ended = false;
    world.page = (_request, response) => {
      response.once("close", () => {
        ended = true;
      });
      response.write("the beginning");
    };
    const gone = new AbortController();
    const answer = await ask("/endless", {}, { signal: gone.signal });
    await answer.body?.getReader().read();
    gone.abort();
    await eventually(() => ended);
  });

  it("stop inside when the visitor goes before the answer begins", async () => {
    let ended = false;
    world.page = (_request, response) => void response.once("close", () => (ended = true));
    const gone = new AbortController();
    const answer = ask("/slow", {}, { signal: gone.signal }).catch(() => undefined);
    await eventually(() => world.asked.length === 1);
    gone.abort();
    await answer;
    await eventually(() => ended);
  });

  it("that end in the middle are not taken for a whole answer", async () => {
    world.page = (_request, response) => {
      response.writeHead(200, { "content-length": "1000" });
      response.write("the beginning", () => response.destroy());
    };
    const answer = await ask("/cut");
    await expect(answer.text()).rejects.toThrow();
  });
});

describe("a portal that is away", () => {
  it("is a page in words, with the request's id, when to come again, and a policy that fits it", async () => {
    await using alone = await startPortalWorld({ WEB_ADDRESS: "127.0.0.1:1" });
    const answer = await fetch(alone.url, { headers: html });
    const text = await answer.text();
    expect([answer.status, answer.headers.get("retry-after")]).toEqual([503, "5"]);
    expect(answer.headers.get("content-type")).toBe("text/html; charset=utf-8");
    expect(answer.headers.get("cache-control")).toBe("no-store");
    expect(text).toContain(answer.headers.get("x-request-id"));
    expect(text).toContain("color-scheme: light dark");
    const style = /<style>([\s\S]*)<\/style>/.exec(text)?.[1] ?? "";
    const digest = createHash("sha256").update(style).digest("base64");
    expect(answer.headers.get("content-security-policy")).toContain(`style-src 'sha256-${digest}'`);

    const plain = await fetch(`${alone.url}/_nuxt/entry.js`);
    expect([plain.status, (await plain.json()) as unknown]).toEqual([
      503,
      expect.objectContaining({ reason: "UNAVAILABLE" }),
    ]);
    expect((await fetch(`${alone.url}/readyz`)).status).toBe(200);
    expect(alone.lines.some((line) => line.includes("ECONNREFUSED"))).toBe(true);
  });

  it("is one that takes too long, too", async () => {
    await using slow = await startPortalWorld({ WEB_TIMEOUT: "50ms" });
    let ended = false;
    slow.page = (_request, response) => void response.once("close", () => (ended = true));
    expect((await fetch(slow.url, { headers: html })).status).toBe(503);
    await eventually(() => ended);
  });

  it("is one that nobody has started yet, until somebody does", async () => {
    let address: string | undefined;
    await using late = await startPortalWorld({}, Workload.WEB, { portal: () => address });
    expect((await fetch(late.url, { headers: html })).status).toBe(503);
    address = late.address;
    expect((await fetch(late.url, { headers: html })).status).toBe(200);
  });

  it("is not replaced by another workload at its address", async () => {
    await using impostor = await startPortalWorld({}, Workload.STORAGE);
    expect((await fetch(impostor.url, { headers: html })).status).toBe(503);
    expect(impostor.asked).toEqual([]);
  });
});

describe("the gate before pages", () => {
  it("knows who asks for a page, and does not ask for a file's sake", async () => {
    const { secret } = world.users.signIn();
    const before = world.users.exchanges;
    await ask("/_nuxt/entry.js", { cookie: `docket=${secret}` });
    await ask("/icon.svg", { cookie: `docket=${secret}` });
    expect(world.users.exchanges).toBe(before);
    await ask("/w/1", { cookie: `docket=${secret}` });
    expect(world.users.exchanges).toBe(before + 1);
  });

  it("ends the cookie of a session that has ended, and shows the page all the same", async () => {
    const answer = await ask("/", { cookie: "docket=session_that_has_ended_long_ago" });
    expect(answer.status).toBe(200);
    expect(answer.headers.get("set-cookie")).toMatch(/^docket=; Path=\/; Max-Age=0/);
    expect(answer.headers.get("cache-control")).toBe("no-store");
  });

  it("lets links from elsewhere in, and nothing that a foreign page embeds", async () => {
    const site = { "sec-fetch-site": "cross-site", ...html };
    expect((await asBrowser("/", { ...site, "sec-fetch-mode": "navigate" })).status).toBe(200);
    expect((await asBrowser("/icon.svg", { ...site, "sec-fetch-mode": "no-cors" })).status).toBe(403);
  });

  it("says in words that somebody asks too often", async () => {
    await using narrow = await startPortalWorld({ RATE_LIMIT_PERCENT: "1" });
    let last = await fetch(narrow.url, { headers: html });
    for (let asked = 1; asked < 20 && last.status === 200; asked += 1)
      last = await fetch(narrow.url, { headers: html });
    expect(last.status).toBe(429);
    expect(await last.text()).toContain("Too many requests");
  });

  it("counts those with a made-up session like those with none", async () => {
    await using narrow = await startPortalWorld({ RATE_LIMIT_PERCENT: "1" });
    const statuses = new Set<number>();
    for (let asked = 0; asked < 20; asked += 1) {
      const headers = { ...html, cookie: `docket=made_up_session_number_${asked}` };
      statuses.add((await fetch(narrow.url, { headers })).status);
    }
    expect([...statuses]).toEqual([200, 429]);
  });
});

/** `fetch` does not let its caller say where a request comes from. */
function asBrowser(path: string, headers: Record<string, string>): Promise<{ status: number | undefined }> {
  return new Promise((resolve, reject) => {
    http
      .get(world.url + path, { headers, agent: false }, (answer) => resolve({ status: answer.resume().statusCode }))
      .once("error", reject);
  });
}

describe("without a portal", () => {
  it("there is no door for one", async () => {
    await using plain = await startPortalWorld({ WEB_ADDRESS: "" }, Workload.WEB, {
      identity: await testIdentity(Workload.GATEWAY),
    });
    expect(plain.gateway.innerAddress).toBeUndefined();
    expect((await fetch(`${plain.url}/w/1`)).status).toBe(404);
    expect(await (await fetch(plain.url)).text()).toContain("The API is here");
  });
});
