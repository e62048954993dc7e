// Plain HTTP inside the mesh, over real sockets and TLS.

import { once } from "node:events";
import { request as plainRequest } from "node:http";
import { TLSSocket } from "node:tls";
import { Workload } from "@docket/contracts/gen/docket/policy/v1/policy_pb.ts";
import { afterEach, describe, expect, it } from "@jest/globals";
import type { AppError } from "../errors.ts";
import { openAuthority } from "../identity/authority.ts";
import { developmentIdentity, type Identity, leafLifetimeMs, sidecarIdentity, spiffeId } from "../identity/identity.ts";
import { testIdentity, testMesh } from "../testing/identities.ts";
import { temporaryFolder } from "../testing/temporary_folder.ts";
import { type MeshHttpClient, openMeshHttpClient } from "./client.ts";
import { type MeshHttpServerOptions, startMeshHttpServer } from "./server.ts";

const started: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of started.splice(0)) await end();
});

async function serve(identity: Identity, options: Partial<MeshHttpServerOptions> = {}) {
  const refusals: AppError[] = [];
  const server = await startMeshHttpServer({
    identity,
    listen: { host: "127.0.0.1", port: 0, variable: "TEST_PORT" },
    callers: [Workload.GATEWAY],
    onRequest: (request, response) => response.end(`${request.method} ${request.url}`),
    refused: (error) => void refusals.push(error),
    ...options,
  });
  started.push(() => server.drain(100));
  return { ...server, refusals };
}

function clientOf(identity: Identity, address: string | undefined, workload = Workload.WEB): MeshHttpClient {
  const client = openMeshHttpClient({ identity, workload, address: () => address });
  started.push(async () => client[Symbol.dispose]());
  return client;
}

const one = { method: "GET", path: "/a?b=c", headers: {}, answerMs: 10_000 };

async function ask(client: MeshHttpClient, more: Partial<typeof one> & { readonly body?: Uint8Array } = {}) {
  const answer = await client.send({ ...one, ...more, signal: AbortSignal.timeout(10_000) });
  let body = "";
  for await (const piece of answer.setEncoding("utf8")) body += piece;
  // The connection is given back just after the end of its answer.
  await new Promise((resolve) => setImmediate(resolve));
  return { status: answer.statusCode, body };
}

describe("a server that does TLS itself", () => {
  it("answers the workloads that may call, and no other", async () => {
    const server = await serve(await testIdentity(Workload.WEB));
    expect(await ask(clientOf(await testIdentity(Workload.GATEWAY), server.address))).toEqual({
      status: 200,
      body: "GET /a?b=c",
    });
    expect((await ask(clientOf(await testIdentity(Workload.USER), server.address))).status).toBe(403);
    expect(server.refusals).toMatchObject([{ metadata: { workload: "user" } }]);
  });

  it("answers nobody of another authority", async () => {
    await using folder = await temporaryFolder();
    const foreign = await openAuthority(folder.path, testMesh.trustDomain, new Date());
    const impostor = developmentIdentity(foreign, testMesh, Workload.GATEWAY, () => new Date());
    const server = await serve(await testIdentity(Workload.WEB));
    await expect(ask(clientOf(impostor, server.address))).rejects.toMatchObject({ code: expect.any(String) });
    impostor[Symbol.dispose]();
  });

  it("says in one sentence that its port is taken", async () => {
    const { address } = await serve(await testIdentity(Workload.WEB));
    const port = Number(address.split(":")[1]);
    const second = serve(await testIdentity(Workload.WEB), {
      listen: { host: "127.0.0.1", port, variable: "TEST_PORT" },
    });
    await expect(second).rejects.toThrow(
      `Cannot listen on 127.0.0.1:${port}: the port is taken (set TEST_PORT to another one).`,
    );
  });

  it("takes renewed certificates, of both sides, with the next connection", async () => {
    await using folder = await temporaryFolder();
    // A day ago, so that what is issued today is valid now.
    let now = Date.now() - leafLifetimeMs * 0.9;
    const clock = () => new Date(now);
    const authority = await openAuthority(folder.path, testMesh.trustDomain, clock());
    const [web, gateway] = [Workload.WEB, Workload.GATEWAY].map((workload) =>
      developmentIdentity(authority, testMesh, workload, clock),
    ) as [Identity, Identity];
    const serials: string[] = [];
    const server = await serve(web, {
      onRequest: ({ socket }, response) => {
        if (socket instanceof TLSSocket) serials.push(socket.getPeerCertificate().serialNumber);
        response.setHeader("connection", "close").end();
      },
    });
    const client = clientOf(gateway, server.address);
    const serverSerial = async () => {
      const answer = await client.send({ ...one, signal: AbortSignal.timeout(10_000) });
      const { serialNumber } = (answer.socket as TLSSocket).getPeerCertificate();
      await once(answer.resume(), "end");
      return serialNumber;
    };
    const before = await serverSerial();
    now = Date.now();
    // Renewal is looked for by time, or when somebody asks.
    web.current();
    expect(await serverSerial()).not.toBe(before);
    expect(new Set(serials).size).toBe(2);
    web[Symbol.dispose]();
    gateway[Symbol.dispose]();
  });

  it("lets answers under way end when it drains", async () => {
    let finish: () => void = () => undefined;
    const server = await serve(await testIdentity(Workload.WEB), {
      onRequest: (_request, response) => {
        finish = () => response.end("whole");
        response.write("the ");
      },
    });
    const client = clientOf(await testIdentity(Workload.GATEWAY), server.address);
    const answer = await client.send({ ...one, signal: AbortSignal.timeout(10_000) });
    const drained = server.drain(10_000);
    await expect(ask(clientOf(await testIdentity(Workload.GATEWAY), server.address))).rejects.toMatchObject({
      code: "ECONNREFUSED",
    });
    finish();
    let body = "";
    for await (const piece of answer.setEncoding("utf8")) body += piece;
    expect(body).toBe("the whole");
    await drained;
  });
});

describe("a client", () => {
  it("talks to the workload that it means, whoever sits at the address", async () => {
    const server = await serve(await testIdentity(Workload.STORAGE));
    const asked = ask(clientOf(await testIdentity(Workload.GATEWAY), server.address));
    await expect(asked).rejects.toMatchObject({ message: `The server is not ${spiffeId(Workload.WEB, testMesh)}.` });
  });

  it("says what went wrong: no address, nobody there, no answer in time, given up", async () => {
    const identity = await testIdentity(Workload.GATEWAY);
    await expect(ask(clientOf(identity, undefined))).rejects.toMatchObject({ code: "ENOENT" });
    await expect(ask(clientOf(identity, "127.0.0.1:1"))).rejects.toMatchObject({ code: "ECONNREFUSED" });
    const silent = await serve(await testIdentity(Workload.WEB), { onRequest: () => undefined });
    const client = clientOf(identity, silent.address);
    await expect(ask(client, { answerMs: 20 })).rejects.toMatchObject({ code: "ETIMEDOUT" });
    const gone = new AbortController();
    const given = client.send({ ...one, signal: gone.signal });
    gone.abort();
    await expect(given).rejects.toMatchObject({ code: "ABORT_ERR" });
  });

  it("sends a body, and keeps connections for the next request", async () => {
    const ports = new Set<number | undefined>();
    const server = await serve(await testIdentity(Workload.WEB), {
      onRequest: (request, response) => {
        ports.add(request.socket.remotePort);
        request.pipe(response);
      },
    });
    const client = clientOf(await testIdentity(Workload.GATEWAY), server.address);
    for (const body of ["first", "second"]) {
      expect(await ask(client, { method: "POST", body: Buffer.from(body) })).toEqual({ status: 200, body });
    }
    expect(ports.size).toBe(1);
  });

  it("asks once more when a kept connection was closed just then, unless that could do something twice", async () => {
    let asked = 0;
    const server = await serve(await testIdentity(Workload.WEB), {
      onRequest: (request, response) => {
        asked += 1;
        // Only the second request finds the connection closed under it.
        if (asked === 2) (request.socket as TLSSocket).destroy();
        else response.end("here");
      },
    });
    const client = clientOf(await testIdentity(Workload.GATEWAY), server.address);
    await ask(client);
    expect((await ask(client)).body).toBe("here");
    asked = 0;
    await ask(client);
    await expect(ask(client, { method: "POST", body: Buffer.from("x") })).rejects.toMatchObject({ code: "ECONNRESET" });
  });
});

describe("behind a sidecar", () => {
  const web = sidecarIdentity({ ...testMesh, workload: Workload.WEB });
  const from = (workload: Workload) => ({
    "x-forwarded-client-cert": `By=${web.id};URI=${spiffeId(workload, testMesh)}`,
  });

  function statusOf(address: string, localAddress: string, headers: Record<string, string>, path = "/") {
    const [host, port] = address.split(":");
    return new Promise((resolve, reject) => {
      plainRequest({ host, port, path, localAddress, headers, agent: false }, (answer) =>
        resolve(answer.resume().statusCode),
      )
        .once("error", reject)
        .end();
    });
  }

  it("the caller is who the sidecar says, and only the sidecar may say it", async () => {
    const { address } = await serve(web);
    expect(await statusOf(address, "127.0.0.6", from(Workload.GATEWAY))).toBe(200);
    expect(await statusOf(address, "127.0.0.6", from(Workload.USER))).toBe(403);
    expect(await statusOf(address, "127.0.0.6", {})).toBe(403);
    expect(await statusOf(address, "127.0.0.1", from(Workload.GATEWAY))).toBe(403);
  });

  it("probes, which have no identity, are answered on open paths", async () => {
    const { address } = await serve(web, { open: ["/healthz"] });
    expect(await statusOf(address, "127.0.0.1", {}, "/healthz")).toBe(200);
    expect(await statusOf(address, "127.0.0.1", {}, "/healthz?x")).toBe(403);
  });

  it("the client speaks plain HTTP, for its own sidecar to encrypt", async () => {
    const { address } = await serve(web, { open: ["/a?b=c"] });
    const gateway = sidecarIdentity({ ...testMesh, workload: Workload.GATEWAY });
    expect((await ask(clientOf(gateway, address))).status).toBe(200);
  });
});
