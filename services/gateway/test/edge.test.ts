// The edge as a whole: its pages, ids, addresses, headers, TLS, load and drain.

import { readFileSync, writeFileSync } from "node:fs";
import http from "node:http";
import http2 from "node:http2";
import https from "node:https";
import { join } from "node:path";
import { ConnectError, createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { ChangeService } from "@docket/contracts/gen/docket/document/v1/change_service_pb.ts";
import { ErrorInfoSchema } from "@docket/contracts/gen/docket/error/v1/error_info_pb.ts";
import { Reason } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import { Workload } from "@docket/contracts/gen/docket/policy/v1/policy_pb.ts";
import { Health } from "@docket/contracts/gen/grpc/health/v1/health_pb.ts";
import { edgeRpcs } from "@docket/contracts/registry";
import { newId } from "@docket/runtime/ids";
import { eventually } from "@docket/runtime/testing/eventually";
import { testIdentity } from "@docket/runtime/testing/identities";
import { temporaryFolder } from "@docket/runtime/testing/temporary_folder";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { startWorld, type World } from "./world.ts";

let world: World;
beforeAll(async () => {
  world = await startWorld({ TRUSTED_PROXIES: "127.0.0.1", DOCKET_BUILD: "abc123" });
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
});

const options = "/docket.user.v1.SessionService/GetSignInOptions";

function ask(path: string, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(world.url + path, { headers });
}

describe("the pages", () => {
  it("say where the API is", async () => {
    const answer = await ask("/");
    expect(answer.headers.get("content-type")).toBe("text/plain; charset=utf-8");
    expect(await answer.text()).toContain(`${world.url}/docket.user.v1.SessionService/GetSignInOptions`);
  });

  it("say that the edge is alive, ready, also without the service of webhooks, and of which build", async () => {
    expect(await (await ask("/healthz")).json()).toEqual({ status: "alive" });
    expect(await (await ask("/readyz")).json()).toEqual({
      status: "ready",
      services: { user: "serving", document: "serving", storage: "serving", integration: "away" },
    });
    expect(await (await ask("/version")).json()).toEqual({ version: "0.1.0", build: "abc123" });
  });

  it("give the public keys as a key set", async () => {
    const answer = await ask("/.well-known/jwks.json");
    expect(answer.headers.get("cache-control")).toBe("public, max-age=150");
    expect(await answer.json()).toEqual({
      keys: [{ kty: "OKP", crv: "Ed25519", use: "sig", alg: "EdDSA", kid: "key-1", x: "AAAA" }],
    });
  });

  it("say not ready, and which service is away", async () => {
    await using lonely = await startWorld({ STORAGE_ADDRESS: "127.0.0.1:1" });
    const answer = await fetch(`${lonely.url}/readyz`);
    expect(answer.status).toBe(503);
    expect(await answer.json()).toMatchObject({ services: { storage: "away", user: "serving" } });
    expect((await fetch(`${lonely.url}/healthz`)).status).toBe(200);
  });
});

describe("every answer", () => {
  it.each(["/", "/nothing", "/files/uploads", options, "/docket.x.v1.Y/Z"])(
    "%s has its id and its guards",
    async (path) => {
      const headers = Object.fromEntries((await ask(path)).headers);
      expect(headers["x-request-id"]).toMatch(/^[0-9a-f-]{36}$/);
      expect(headers).toMatchObject({
        "x-content-type-options": "nosniff",
        "referrer-policy": "no-referrer",
        "x-frame-options": "DENY",
        "cross-origin-resource-policy": "same-origin",
      });
      expect(headers["content-security-policy"]).toContain("default-src 'none'");
      expect(headers["x-powered-by"]).toBeUndefined();
      expect(headers.server).toBeUndefined();
    },
  );

  it("keeps the well-formed id of a trusted proxy, and passes it on", async () => {
    await fetch(world.url + options, {
      method: "POST",
      headers: { "content-type": "application/json", "x-request-id": "from-the-proxy-1" },
      body: "{}",
    });
    expect(world.users.seen.at(-1)?.requestId).toBe("from-the-proxy-1");
    for (const id of ["short", "with blanks in it", "a".repeat(65), "x<script>alert(1)"]) {
      expect((await ask("/", { "x-request-id": id })).headers.get("x-request-id")).not.toBe(id);
    }
  });

  it("has an id of its own where the client is no proxy", async () => {
    await using open = await startWorld();
    const answer = await fetch(`${open.url}/`, { headers: { "x-request-id": "made-by-a-client" } });
    expect(answer.headers.get("x-request-id")).not.toBe("made-by-a-client");
  });
});

describe("a client that wants versions on trial to answer", () => {
  it.each([
    ["1", "1"],
    ["yes", undefined],
    ["1, 1", undefined],
  ])("and says %s so is heard as %s by the service", async (said, heard) => {
    await fetch(world.url + options, {
      method: "POST",
      headers: { "content-type": "application/json", "x-docket-preview": said },
      body: "{}",
    });
    expect(world.users.seen.at(-1)?.preview).toBe(heard);
  });
});

describe("the client's address", () => {
  async function seen(forwarded: string, at = world): Promise<string | undefined> {
    await fetch(at.url + options, {
      method: "POST",
      headers: { "content-type": "application/json", "x-forwarded-for": forwarded },
      body: "{}",
    });
    return at.users.seen.at(-1)?.clientAddress;
  }

  it("is what a trusted proxy says, and not what its client wrote before", async () => {
    expect(await seen("203.0.113.7")).toBe("203.0.113.7");
    expect(await seen("10.0.0.1, 203.0.113.7")).toBe("203.0.113.7");
    expect(await seen("203.0.113.7, 127.0.0.1")).toBe("203.0.113.7");
    expect(await seen("2001:db8::5")).toBe("2001:db8::5");
    expect(await seen("nonsense")).toBe("127.0.0.1");
  });

  it("is the peer's where that is no proxy", async () => {
    await using open = await startWorld();
    expect(await seen("203.0.113.7", open)).toBe("127.0.0.1");
  });
});

describe("answers to GET", () => {
  const path = `${options}?encoding=json&message=${encodeURIComponent("{}")}&connect=v1`;

  it("carry a validator and are private", async () => {
    const answer = await ask(path);
    expect(answer.status).toBe(200);
    expect(answer.headers.get("cache-control")).toBe("private, no-cache");
    const etag = answer.headers.get("etag") ?? "";
    expect((await ask(path, { "if-none-match": etag })).status).toBe(304);
  });

  it("leave no query in the log", async () => {
    await ask(`${path}&secret=hidden-in-the-query`);
    await eventually(() => expect(world.lines.some((line) => line.includes("GetSignInOptions"))).toBe(true));
    expect(world.lines.filter((line) => line.includes("hidden-in-the-query") || line.includes("message="))).toEqual([]);
  });
});

describe("the published RPCs", () => {
  it("are all there, and each needs its session where the contract says so", async () => {
    const answers = await Promise.all(
      edgeRpcs()
        .filter(({ method }) => method.methodKind === "unary")
        .map(async ({ name, policy }) => {
          const answer = await fetch(`${world.url}/${name}`, {
            method: "POST",
            headers: { "content-type": "application/json" },
            body: "{}",
          });
          return { name, status: answer.status, anonymous: policy.access.case === "anonymous" };
        }),
    );
    expect(answers.length).toBeGreaterThan(40);
    for (const { name, status, anonymous } of answers) {
      if (anonymous) expect([name, status]).not.toEqual([name, 401]);
      else expect([name, status]).toEqual([name, 401]);
    }
  });

  it("may be any list: none is written by hand", async () => {
    const [only] = edgeRpcs().filter(({ name }) => name.endsWith("/GetSignInOptions"));
    if (only === undefined) throw new Error("the contract has changed");
    await using narrow = await startWorld({}, { rpcs: [only], identity: await testIdentity(Workload.GATEWAY) });
    const post = (path: string) =>
      fetch(narrow.url + path, { method: "POST", headers: { "content-type": "application/json" }, body: "{}" });
    expect((await post(options)).status).toBe(200);
    expect((await post("/docket.user.v1.SessionService/GetSession")).status).toBe(404);
  });
});

describe("with a certificate", () => {
  it("the port speaks HTTP/1.1 and HTTP/2 over TLS by negotiation", async () => {
    await using folder = await temporaryFolder();
    const { certificate, key, ca } = (await testIdentity(Workload.GATEWAY)).current();
    const files = { TLS_CERT: join(folder.path, "cert.pem"), TLS_KEY: join(folder.path, "key.pem") };
    writeFileSync(files.TLS_CERT, certificate);
    writeFileSync(files.TLS_KEY, key);
    await using secure = await startWorld(files);
    const trust = { ca, checkServerIdentity: () => undefined };
    const status = await new Promise((resolve, reject) => {
      https
        .get(`${secure.url}/healthz`, { ...trust, agent: false }, (answer) => resolve(answer.resume().statusCode))
        .once("error", reject);
    });
    expect(status).toBe(200);
    const client = createClient(ChangeService, createGrpcTransport({ baseUrl: secure.url, nodeOptions: trust }));
    const { secret } = secure.users.signIn();
    for await (const answer of client.watchChanges({} as never, { headers: { authorization: `Bearer ${secret}` } })) {
      expect(answer).toBeDefined();
      break;
    }
    const plain = await new Promise((resolve) =>
      http.get(secure.url.replace("https", "http"), resolve).once("error", () => resolve("closed")),
    );
    expect(plain).toBe("closed");
    expect(readFileSync(files.TLS_CERT, "utf8")).toContain("BEGIN CERTIFICATE");
  });
});

describe("too many at once", () => {
  it("are refused with OVERLOADED at once, and let in again later", async () => {
    await using small = await startWorld({ EDGE_MAX_STREAMS: "1" });
    const { secret } = small.users.signIn();
    const client = createClient(ChangeService, createGrpcTransport({ baseUrl: small.url }));
    const leave = new AbortController();
    const open = (signal?: AbortSignal) =>
      client
        .watchChanges({} as never, { headers: { authorization: `Bearer ${secret}` }, ...(signal ? { signal } : {}) })
        [Symbol.asyncIterator]();
    await open(leave.signal).next();
    const refused = await open()
      .next()
      .then(
        () => undefined,
        (error) => ConnectError.from(error).findDetails(ErrorInfoSchema)[0],
      );
    expect(refused).toMatchObject({ reason: Reason.OVERLOADED });
    expect(refused?.retryAfter).toBeDefined();
    leave.abort();
    await eventually(async () => expect((await open().next()).done).toBe(false));
  });
});

describe("one client", () => {
  it("cannot take the streams of all others, whether signed in or not", async () => {
    await using small = await startWorld({ EDGE_MAX_STREAMS_PER_CLIENT: "1" });
    const transport = createGrpcTransport({ baseUrl: small.url });
    const changes = createClient(ChangeService, transport);
    const health = createClient(Health, transport);
    const leave = new AbortController();
    const { signal } = leave;
    const watch = (secret: string) =>
      changes
        .watchChanges({} as never, { headers: { authorization: `Bearer ${secret}` }, signal })
        [Symbol.asyncIterator]()
        .next();
    const [first, second] = [small.users.signIn().secret, small.users.signIn().secret];
    const reason = (error: unknown) => ConnectError.from(error).findDetails(ErrorInfoSchema)[0]?.reason;
    await watch(first);
    await expect(watch(first).catch(reason)).resolves.toBe(Reason.OVERLOADED);
    await watch(second);
    const look = () => health.watch({}, { signal })[Symbol.asyncIterator]().next();
    await look();
    await expect(look().catch(reason)).resolves.toBe(Reason.OVERLOADED);
    leave.abort();
    await eventually(() => expect(small.gateway.gauges().inFlight).toBe(0));
  });
});

describe("a drain", () => {
  it("ends streams with RESUME, lets calls finish, and then takes nothing more", async () => {
    const draining = await startWorld({ EDGE_DRAIN_TIMEOUT: "5s" });
    const { secret } = draining.users.signIn();
    const client = createClient(ChangeService, createGrpcTransport({ baseUrl: draining.url }));
    const stream = client
      .watchChanges({} as never, { headers: { authorization: `Bearer ${secret}` } })
      [Symbol.asyncIterator]();
    await stream.next();
    const documentId = newId();
    const call = fetch(`${draining.url}/docket.document.v1.DocumentService/GetDocument`, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${secret}` },
      body: JSON.stringify({ documentId }),
    });
    const ended = stream.next().then(
      () => undefined,
      (error) => ConnectError.from(error).findDetails(ErrorInfoSchema)[0]?.reason,
    );
    await eventually(() => expect(draining.documents.openWatches).toBe(1));
    const answer = await call;
    const disposed = draining.gateway[Symbol.asyncDispose]();
    expect(await ended).toBe(Reason.RESUME);
    expect(answer.status).toBe(200);
    await answer.text();
    await disposed;
    await expect(fetch(`${draining.url}/healthz`)).rejects.toThrow();
    await draining[Symbol.asyncDispose]();
  });

  it("tells HTTP/2 peers to go elsewhere", async () => {
    const draining = await startWorld();
    const session = http2.connect(draining.url);
    const goaway = new Promise((resolve) => session.once("goaway", resolve));
    await new Promise((resolve) => session.request({ ":path": "/healthz" }).resume().once("close", resolve));
    await draining[Symbol.asyncDispose]();
    expect(await goaway).toBe(http2.constants.NGHTTP2_NO_ERROR);
    session.destroy();
  });
});

describe("a port that is taken", () => {
  it("is one sentence that names the variable", async () => {
    await expect(startWorld({ PORT: String(world.port) })).rejects.toMatchObject({
      name: "StartError",
      message: `The edge cannot listen on 127.0.0.1:${world.port}: the port is taken (set PORT to another one).`,
    });
  });
});
