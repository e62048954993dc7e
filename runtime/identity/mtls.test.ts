// Identities through grpc-js itself: several of them in one process, as `npm start` has them.

import { once } from "node:events";
import { connect } from "node:tls";
import { describe, expect, it } from "@jest/globals";
import { Code, createClient } from "@connectrpc/connect";
import { Workload } from "@docket/contracts/gen/docket/policy/v1/policy_pb.ts";
import { Health, HealthCheckResponse_ServingStatus as Status } from "@docket/contracts/gen/grpc/health/v1/health_pb.ts";
import { Client as Channel, type ChannelCredentials, credentials, Server } from "@grpc/grpc-js";
import { channelCredentials, serverCredentials } from "../grpc/credentials.ts";
import { implement, mount, peerKey } from "../grpc/server.ts";
import { createGrpcTransport } from "../grpc/transport.ts";
import { testIdentities, testIdentity, testMesh } from "../testing/identities.ts";
import { temporaryFolder } from "../testing/temporary_folder.ts";
import { openAuthority } from "./authority.ts";
import { developmentIdentity, type Identity, leafLifetimeMs } from "./identity.ts";

/** A server that notes who called, by its identity's judgement. */
async function serve(identity: Identity) {
  const callers: Workload[] = [];
  const server = new Server();
  const handlers = implement(Health, {
    check(_request, { values, requestHeader }) {
      callers.push(identity.workloadOf(values.get(peerKey), requestHeader));
      return { status: Status.SERVING };
    },
    // biome-ignore lint/correctness/useYield: never called
    async *watch() {
      throw new Error("not here");
    },
  });
  mount(server, handlers, { interceptors: [] });
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", serverCredentials(identity), (error, bound) =>
      error ? reject(error) : resolve(bound),
    );
  });
  return { callers, address: `127.0.0.1:${port}`, [Symbol.dispose]: () => server.forceShutdown() };
}

/** Calls once over a connection of its own; the code of the failure, or "ok". */
async function call(address: string, channelCredential: ChannelCredentials): Promise<Code | "ok"> {
  const channel = new Channel(address, channelCredential, { "grpc.use_local_subchannel_pool": 1 });
  try {
    await createClient(Health, createGrpcTransport({ client: () => channel })).check({}, { timeoutMs: 10_000 });
    return "ok";
  } catch (error) {
    return (error as { code: Code }).code;
  } finally {
    channel.close();
  }
}

/** The certificate that a server shows to new connections. */
async function shown(address: string, identity: Identity): Promise<string> {
  const { certificate, key, ca } = identity.current();
  const port = Number(address.split(":")[1]);
  const socket = connect({
    port,
    cert: certificate,
    key,
    ca,
    ALPNProtocols: ["h2"],
    checkServerIdentity: () => undefined,
  });
  await once(socket, "secureConnect");
  const seen = socket.getPeerX509Certificate()?.toString() ?? "";
  socket.destroy();
  return seen;
}

describe("mTLS between identities of one process", () => {
  it("never takes one workload for another, however they alternate", async () => {
    const [user, document, gateway, storage] = await testIdentities(
      Workload.USER,
      Workload.DOCUMENT,
      Workload.GATEWAY,
      Workload.STORAGE,
    );
    using users = await serve(user);
    using documents = await serve(document);
    const expected: Workload[] = [];
    for (let round = 0; round < 20; round += 1) {
      const callers = [gateway, storage, document].slice(round % 3).concat(gateway);
      const calls = callers.map((caller) => call(users.address, channelCredentials(caller, Workload.USER)));
      calls.push(call(documents.address, channelCredentials(gateway, Workload.DOCUMENT)));
      expect(await Promise.all(calls)).toEqual(calls.map(() => "ok"));
      expected.push(...callers.map(({ workload }) => workload));
      // Calls of one round may arrive in any order.
      expect([...users.callers].sort()).toEqual([...expected].sort());
      expect(documents.callers).toEqual(documents.callers.map(() => Workload.GATEWAY));
    }
  });

  it("connects neither to another workload than it means to, nor without a certificate, nor across meshes", async () => {
    const [user, gateway] = await testIdentities(Workload.USER, Workload.GATEWAY);
    await using folder = await temporaryFolder();
    const foreign = await openAuthority(folder.path, testMesh.trustDomain, new Date());
    using stranger = developmentIdentity(foreign, testMesh, Workload.GATEWAY, () => new Date());
    using server = await serve(user);
    expect(await call(server.address, channelCredentials(gateway, Workload.DOCUMENT))).toBe(Code.Unavailable);
    expect(await call(server.address, channelCredentials(stranger, Workload.USER))).toBe(Code.Unavailable);
    expect(await call(server.address, credentials.createInsecure())).toBe(Code.Unavailable);
    const nobody = credentials.createSsl(Buffer.from(gateway.current().ca), null, null, {
      checkServerIdentity: () => undefined,
    });
    expect(await call(server.address, nobody)).toBe(Code.Unavailable);
    expect(server.callers).toEqual([]);
  });

  it("refuses a caller that shows the server's own identity", async () => {
    const user = await testIdentity(Workload.USER);
    using server = await serve(user);
    expect(await call(server.address, channelCredentials(user, Workload.USER))).toBe(Code.Unauthenticated);
  });

  it("goes on with renewed certificates, without a restart", async () => {
    await using folder = await temporaryFolder();
    const authority = await openAuthority(folder.path, testMesh.trustDomain, new Date());
    let now = Date.now() - 0.9 * leafLifetimeMs;
    const clock = () => new Date(now);
    using user = developmentIdentity(authority, testMesh, Workload.USER, clock);
    using gateway = developmentIdentity(authority, testMesh, Workload.GATEWAY, clock);
    using server = await serve(user);
    const first = user.current().certificate;
    expect(await shown(server.address, gateway)).toBe(first);
    now = Date.now();
    const second = user.current().certificate;
    expect(second).not.toBe(first);
    expect(await shown(server.address, gateway)).toBe(second);
    expect(await call(server.address, channelCredentials(gateway, Workload.USER))).toBe("ok");
  });
});
