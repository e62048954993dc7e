// The portal's own door to the edge: who may use it, and that what it asks counts as the visitor's.

import https from "node:https";
import { Workload } from "@docket/contracts/gen/docket/policy/v1/policy_pb.ts";
import { openMeshHttpClient } from "@docket/runtime/http/client";
import { testIdentity } from "@docket/runtime/testing/identities";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { type PortalWorld, startPortalWorld } from "./portal_world.ts";

let world: PortalWorld;
beforeAll(async () => {
  world = await startPortalWorld();
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
});

const options = "/docket.user.v1.SessionService/GetSignInOptions";
const session = "/docket.user.v1.SessionService/GetSession";

interface Answer {
  readonly status: number | undefined;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

async function call(
  path: string,
  headers: Record<string, string> = {},
  { workload = Workload.WEB, at = world }: { workload?: Workload; at?: PortalWorld } = {},
): Promise<Answer> {
  using client = openMeshHttpClient({
    identity: await testIdentity(workload),
    workload: Workload.GATEWAY,
    address: () => at.inner,
  });
  const answer = await client.send({
    method: "POST",
    path,
    headers: { "content-type": "application/json", "connect-protocol-version": "1", ...headers },
    body: Buffer.from("{}"),
    signal: AbortSignal.timeout(10_000),
    answerMs: 10_000,
  });
  let body = "";
  for await (const piece of answer.setEncoding("utf8")) body += piece;
  return { status: answer.statusCode, headers: answer.headers, body };
}

const visitor = { "x-forwarded-for": "203.0.113.7", "x-request-id": "request-of-a-page" };

describe("a call of the portal", () => {
  it("is answered with the visitor's id and address", async () => {
    const answer = await call(options, visitor);
    expect([answer.status, answer.headers["x-request-id"]]).toEqual([200, "request-of-a-page"]);
    expect(world.users.seen.at(-1)).toMatchObject({ requestId: "request-of-a-page", clientAddress: "203.0.113.7" });
  });

  it("is the visitor's by their cookie", async () => {
    const { secret } = world.users.signIn();
    expect((await call(session, { ...visitor, cookie: `docket=${secret}` })).status).toBe(200);
    expect((await call(session, visitor)).status).toBe(401);
  });

  it("may be a GET", async () => {
    using client = openMeshHttpClient({
      identity: await testIdentity(Workload.WEB),
      workload: Workload.GATEWAY,
      address: () => world.inner,
    });
    const path = `${options}?encoding=json&message=${encodeURIComponent("{}")}&connect=v1`;
    const signal = AbortSignal.timeout(10_000);
    const answer = await client.send({ method: "GET", path, headers: visitor, signal, answerMs: 10_000 });
    expect(answer.resume().statusCode).toBe(200);
  });

  it("is judged by the host that the visitor addressed", async () => {
    const origin = { origin: "https://docket.example.com", "sec-fetch-site": "same-origin" };
    const host = { "x-forwarded-host": "docket.example.com" };
    expect((await call(options, { ...visitor, ...origin, ...host })).status).toBe(200);
    expect((await call(options, { ...visitor, ...origin })).status).toBe(403);
  });

  it("counts against the visitor's limits, not against the portal's", async () => {
    await using narrow = await startPortalWorld({ RATE_LIMIT_PERCENT: "1" });
    const from = (address: string) => call(options, { "x-forwarded-for": address }, { at: narrow });
    let last = await from("203.0.113.1");
    for (let asked = 1; asked < 20 && last.status === 200; asked += 1) last = await from("203.0.113.1");
    expect(last.status).toBe(429);
    expect((await from("203.0.113.2")).status).toBe(200);
  });

  it("reaches RPCs and nothing else", async () => {
    for (const path of ["/", "/files/uploads", "/healthz"])
      expect([path, (await call(path)).status]).toEqual([path, 404]);
  });

  it("leaves a line of its own in the log", async () => {
    await call(options, { ...visitor, "x-request-id": "request-in-the-log" });
    const lines = world.lines.filter((line) => line.includes("request-in-the-log")).map((line) => JSON.parse(line));
    expect(lines).toMatchObject([{ via: "web", client: "203.0.113.7", status: 200 }]);
  });
});

describe("the door", () => {
  it("is closed to every other workload", async () => {
    for (const workload of [Workload.USER, Workload.DOCUMENT, Workload.STORAGE, Workload.OPERATOR]) {
      expect((await call(options, {}, { workload })).status).toBe(403);
    }
    // Nor does the edge believe that it calls itself.
    expect((await call(options, {}, { workload: Workload.GATEWAY })).status).toBe(403);
    expect(world.lines.some((line) => line.includes("caller refused"))).toBe(true);
  });

  it("is closed to those who show no certificate", async () => {
    const [host, port] = world.inner.split(":");
    const asked = new Promise((resolve, reject) => {
      https.get({ host, port, path: options, rejectUnauthorized: false, agent: false }, resolve).once("error", reject);
    });
    await expect(asked).rejects.toMatchObject({ code: expect.any(String) });
  });

  it("names its own setting when the port is taken", async () => {
    await expect(startPortalWorld({ EDGE_INNER_PORT: String(world.port) })).rejects.toMatchObject({
      name: "StartError",
      message: `Cannot listen on 127.0.0.1:${world.port}: the port is taken (set EDGE_INNER_PORT to another one).`,
    });
  });
});
