// Cookies, secrets and tokens; what foreign sites may not do; and how soon the end of a session is felt.

import { ConnectError, createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { ChangeService } from "@docket/contracts/gen/docket/document/v1/change_service_pb.ts";
import { ErrorInfoSchema } from "@docket/contracts/gen/docket/error/v1/error_info_pb.ts";
import { Reason } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import { SessionService } from "@docket/contracts/gen/docket/user/v1/session_service_pb.ts";
import { newId } from "@docket/runtime/ids";
import { eventually } from "@docket/runtime/testing/eventually";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import { startWorld, type World } from "./world.ts";

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
});

const session = "/docket.user.v1.SessionService";
const json = { "content-type": "application/json" };

function post(path: string, headers: Record<string, string>, body = "{}", base = world.url): Promise<Response> {
  return fetch(base + path, { method: "POST", headers, body });
}

const credentials = JSON.stringify({ email: "anna@example.com", password: "right" });

describe("signing in", () => {
  it("gives a browser the secret as a cookie only", async () => {
    const answer = await post(
      `${session}/SignIn`,
      { ...json, "sec-fetch-site": "same-origin", "sec-fetch-mode": "cors" },
      credentials,
    );
    const cookie = answer.headers.get("set-cookie") ?? "";
    expect(cookie).toMatch(/^docket=[\w]+; Path=\/; Max-Age=3\d{3}; HttpOnly; SameSite=Lax$/);
    expect(await answer.json()).not.toHaveProperty("sessionSecret");
    const mine = await post(`${session}/GetSession`, { ...json, cookie: cookie.split(";")[0] ?? "" });
    expect(mine.status).toBe(200);
  });

  it("gives other clients the secret as well", async () => {
    const answer = await post(`${session}/SignIn`, json, credentials);
    const { sessionSecret } = (await answer.json()) as { sessionSecret: string };
    expect(answer.headers.get("set-cookie")).toContain(`docket=${sessionSecret};`);
    expect((await post(`${session}/GetSession`, { ...json, authorization: `Bearer ${sessionSecret}` })).status).toBe(
      200,
    );
  });

  it("gives gRPC clients no cookie", async () => {
    let cookie: string | null = "none";
    const client = createClient(SessionService, createGrpcTransport({ baseUrl: world.url }));
    const { sessionSecret } = await client.signIn(
      { email: "a@b.example", password: "right" },
      { onHeader: (headers) => (cookie = headers.get("set-cookie")) },
    );
    expect(cookie).toBeNull();
    expect(sessionSecret).not.toBe("");
  });

  it("works with a stale cookie, which it ends", async () => {
    const answer = await post(
      `${session}/SignIn`,
      { ...json, cookie: "docket=a_session_that_has_ended_long_ago" },
      credentials,
    );
    expect(answer.status).toBe(200);
    const cookies = answer.headers.getSetCookie();
    expect(cookies[0]).toContain("Max-Age=0");
    expect(cookies[1]).toContain("Max-Age=3");
  });

  it("says how long to wait where attempts are slowed", async () => {
    const answer = await post(`${session}/SignIn`, json, JSON.stringify({ email: "a@b.example", password: "slow" }));
    expect(answer.status).toBe(429);
    expect(answer.headers.get("retry-after")).toBe("5");
  });

  it("sets a Secure cookie of its own host where the public address is https", async () => {
    await using secure = await startWorld({ PUBLIC_URL: "https://docket.example.com" });
    const answer = await post(`${session}/SignIn`, json, credentials, secure.url);
    expect(answer.headers.get("set-cookie")).toMatch(
      /^__Host-docket=\w+; Path=\/; Max-Age=\d+; HttpOnly; SameSite=Lax; Secure$/,
    );
    expect(answer.headers.get("strict-transport-security")).toContain("max-age=31536000");
  });
});

describe("signing out", () => {
  it("ends cookie and session at once", async () => {
    const { secret } = world.users.signIn();
    const cookie = `docket=${secret}`;
    expect((await post(`${session}/GetSession`, { ...json, cookie })).status).toBe(200);
    const answer = await post(`${session}/SignOut`, { ...json, cookie });
    expect(answer.headers.get("set-cookie")).toBe("docket=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax");
    expect((await post(`${session}/GetSession`, { ...json, cookie })).status).toBe(401);
  });
});

describe("a foreign site", () => {
  const revoke = `${session}/RevokeSession`;
  const body = JSON.stringify({ sessionId: newId() });
  let cookie = "";
  beforeEach(() => {
    cookie = `docket=${world.users.signIn().secret}`;
    world.users.seen.length = 0;
  });

  const attacks: [string, string, Record<string, string>][] = [
    ["a form", "POST", { "content-type": "application/x-www-form-urlencoded" }],
    ["a form with a file", "POST", { "content-type": "multipart/form-data; boundary=x" }],
    ["plain text", "POST", { "content-type": "text/plain" }],
    ["no content type", "POST", { "content-type": "" }],
    ["JSON from a foreign origin", "POST", { ...json, origin: "https://evil.example" }],
    ["JSON from an origin that hides itself", "POST", { ...json, origin: "null" }],
    ["JSON that the browser calls cross-site", "POST", { ...json, "sec-fetch-site": "cross-site" }],
    ["JSON from a sister site", "POST", { ...json, "sec-fetch-site": "same-site" }],
    ["JSON from another port of the same host", "POST", { ...json, origin: "http://127.0.0.1:1" }],
    ["protobuf from a foreign origin", "POST", { "content-type": "application/proto", origin: "https://evil.example" }],
    [
      "gRPC-Web from a foreign origin",
      "POST",
      { "content-type": "application/grpc-web+proto", origin: "https://evil.example" },
    ],
    ["a PUT", "PUT", { ...json }],
  ];

  it.each(attacks)("cannot act with a person's cookie by %s", async (_name, method, headers) => {
    const answer = await fetch(world.url + revoke, { method, headers: { ...headers, cookie }, body });
    expect(answer.headers.get("access-control-allow-origin")).toBeNull();
    if (answer.status === 200) expect(answer.headers.get("grpc-status") ?? (await answer.text())).toContain("7");
    else expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(world.users.seen.filter(({ rpc }) => rpc === "RevokeSession")).toEqual([]);
  });

  it("cannot act by GET", async () => {
    const message = encodeURIComponent(body);
    const answer = await fetch(`${world.url}${revoke}?encoding=json&message=${message}`, { headers: { cookie } });
    expect(answer.status).toBe(405);
    expect(world.users.seen).toEqual([]);
  });

  it("gets no preflight answered", async () => {
    const answer = await fetch(world.url + revoke, {
      method: "OPTIONS",
      headers: { origin: "https://evil.example", "access-control-request-method": "POST" },
    });
    expect(answer.headers.get("access-control-allow-origin")).toBeNull();
    expect(answer.status).toBe(405);
  });

  it("while one's own page may act", async () => {
    const answer = await fetch(world.url + revoke, {
      method: "POST",
      headers: { ...json, cookie, origin: world.url, "sec-fetch-site": "same-origin" },
      body,
    });
    expect(answer.status).toBe(200);
    expect(world.users.seen.map(({ rpc }) => rpc)).toEqual(["RevokeSession"]);
  });

  it("is told apart by the public address where one is set", async () => {
    await using secure = await startWorld({ PUBLIC_URL: "https://docket.example.com" });
    const { secret } = secure.users.signIn();
    const act = (origin: string) =>
      post(revoke, { ...json, cookie: `__Host-docket=${secret}`, origin }, body, secure.url);
    expect((await act("https://docket.example.com")).status).toBe(200);
    expect((await act("http://docket.example.com")).status).toBe(403);
    expect((await act(secure.url)).status).toBe(403);
  });
});

describe("the end of a session", () => {
  async function watch(secret: string, base = world.url) {
    const client = createClient(ChangeService, createGrpcTransport({ baseUrl: base }));
    const stream = client.watchChanges({} as never, { headers: { authorization: `Bearer ${secret}` } });
    const iterator = stream[Symbol.asyncIterator]();
    await iterator.next();
    return async () => {
      const failure = await iterator.next().then(
        () => undefined,
        (error) => ConnectError.from(error),
      );
      return failure?.findDetails(ErrorInfoSchema)[0]?.reason;
    };
  }

  it("cuts its open streams as soon as it is told, and no others", async () => {
    await eventually(() => expect(world.users.listeners).toBe(1));
    const ended = world.users.signIn();
    const kept = world.users.signIn();
    const end = await watch(ended.secret);
    const other = await watch(kept.secret);
    world.users.end(ended.secret);
    expect(await end()).toBe(Reason.SESSION_INVALID);
    world.users.tell({ event: { case: "userDisabled", value: { userId: kept.subject.id } } });
    expect(await other()).toBe(Reason.SESSION_INVALID);
  });

  it("cuts a revoked key's streams", async () => {
    const { secret, subject } = world.users.addKey();
    const end = await watch(secret);
    world.users.tell({ event: { case: "keyRevoked", value: { keyId: subject.keyId } } });
    expect(await end()).toBe(Reason.KEY_INVALID);
  });

  it("is noticed within seconds by open streams when nobody tells", async () => {
    await using deaf = await startWorld();
    await eventually(() => expect(deaf.users.listeners).toBe(1));
    deaf.users.audible = false;
    const { secret } = deaf.users.signIn();
    const end = await watch(secret, deaf.url);
    deaf.users.hangUp();
    deaf.users.sessions.delete(secret);
    expect(await end()).toBe(Reason.SESSION_INVALID);
  });

  it("is noticed by new calls within a second when nobody tells", async () => {
    const { secret } = world.users.signIn();
    const headers = { ...json, authorization: `Bearer ${secret}` };
    expect((await post(`${session}/GetSession`, headers)).status).toBe(200);
    world.users.sessions.delete(secret);
    await eventually(async () => expect((await post(`${session}/GetSession`, headers)).status).toBe(401), {
      timeoutMs: 2000,
    });
  });

  it("asks the user service once for many calls in the same second", async () => {
    const { secret } = world.users.signIn();
    const before = world.users.exchanges;
    const headers = { ...json, authorization: `Bearer ${secret}` };
    await Promise.all(Array.from({ length: 20 }, () => post(`${session}/GetSession`, headers)));
    expect(world.users.exchanges - before).toBe(1);
  });
});

describe("a credential", () => {
  it.each([
    ["of another scheme", "Basic YTpi"],
    ["that is empty", "Bearer "],
    ["that is far too long", `Bearer ${"a".repeat(4000)}`],
    ["with odd characters", "Bearer a b c"],
  ])("%s is refused without asking anybody", async (_name, authorization) => {
    const before = world.users.exchanges;
    const answer = await post(`${session}/GetSession`, { ...json, authorization });
    expect(answer.status).toBe(401);
    expect(world.users.exchanges).toBe(before);
  });

  it("that is a token of the mesh opens nothing", async () => {
    const { subject } = world.users.signIn();
    const answer = await post(`${session}/GetSession`, { ...json, authorization: `Bearer ${subject.token}` });
    expect(answer.status).toBe(401);
  });

  it("in two cookies of one name is believed in neither", async () => {
    const { secret } = world.users.signIn();
    const answer = await post(`${session}/GetSession`, {
      ...json,
      cookie: `docket=${secret}; docket=other_session_of_somebody_else`,
    });
    expect(answer.status).toBe(401);
  });

  it("never reaches a log", async () => {
    const { secret } = world.users.signIn();
    await post(`${session}/GetSession?token=${secret}`, { ...json, cookie: `docket=${secret}` });
    await post(`${session}/GetSession`, { ...json, authorization: `Bearer ${secret}x` });
    expect(world.lines.length).toBeGreaterThan(0);
    expect(world.lines.filter((line) => line.includes(secret))).toEqual([]);
  });
});
