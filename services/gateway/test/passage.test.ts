// What passes the edge beside messages: a closed list of headers on the way in, nothing of a service's on the way out.

import { Code, ConnectError, createClient, type Transport } from "@connectrpc/connect";
import { createConnectTransport, createGrpcTransport } from "@connectrpc/connect-node";
import { ChangeService } from "@docket/contracts/gen/docket/document/v1/change_service_pb.ts";
import { DocumentService } from "@docket/contracts/gen/docket/document/v1/document_service_pb.ts";
import { newId } from "@docket/runtime/ids";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { startWorld, type World } from "./world.ts";

/** The headers that arrived in the mesh, of each call. */
const arrived: Headers[] = [];

/** Stands between edge and services: notes what goes in, and adds to what comes out. */
function watched(transport: Transport): Transport {
  return {
    async unary(method, signal, timeoutMs, header, input, values) {
      arrived.push(new Headers(header));
      try {
        const answer = await transport.unary(method, signal, timeoutMs, header, input, values);
        answer.header.set("x-inner-header", "of the service");
        answer.trailer.set("x-inner-trailer", "of the service");
        return answer;
      } catch (error) {
        const failure = ConnectError.from(error);
        failure.metadata.set("x-inner-trailer", "of the service");
        throw failure;
      }
    },
    async stream(method, signal, timeoutMs, header, input, values) {
      arrived.push(new Headers(header));
      const answer = await transport.stream(method, signal, timeoutMs, header, input, values);
      answer.header.set("x-inner-header", "of the service");
      return answer;
    },
  };
}

let world: World;

beforeAll(async () => {
  world = await startWorld({}, { transport: (mesh) => (service) => watched(mesh(service)) });
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
});

describe.each([
  ["Connect", () => createConnectTransport({ baseUrl: world.url, httpVersion: "1.1" })],
  ["gRPC", () => createGrpcTransport({ baseUrl: world.url })],
])("beside messages, over %s,", (_name, transportOf) => {
  const sent = (secret: string) => ({
    authorization: `Bearer ${secret}`,
    "x-made-up": "by the client",
    "x-docket-client": "203.0.113.9",
    "x-forwarded-client-cert": "URI=spiffe://docket.local/ns/docket/sa/gateway",
  });

  it("nothing goes in that a client made up", async () => {
    const { secret } = world.users.signIn();
    const { documentId } = world.documents.add(Buffer.from("a plan"));
    arrived.length = 0;
    const seen = { header: new Headers(), trailer: new Headers() };
    await createClient(DocumentService, transportOf()).getDocument(
      { documentId },
      {
        headers: sent(secret),
        onHeader: (header) => Object.assign(seen, { header }),
        onTrailer: (trailer) => Object.assign(seen, { trailer }),
      },
    );
    const [headers] = arrived;
    expect(headers?.get("x-docket-client")).toBe("127.0.0.1");
    expect(headers?.get("authorization")).toMatch(/^Bearer token\./);
    expect(headers?.has("x-made-up") || headers?.has("x-forwarded-client-cert")).toBe(false);
    expect(seen.header.has("x-inner-header") || seen.trailer.has("x-inner-trailer")).toBe(false);
  });

  it("nothing comes out with a failure but its own words", async () => {
    const { secret } = world.users.signIn();
    const documentId = `00000000-${newId().slice(9)}`;
    const call = createClient(DocumentService, transportOf()).getDocument({ documentId }, { headers: sent(secret) });
    const failure = ConnectError.from(await call.catch((error) => error));
    expect(failure.code).toBe(Code.NotFound);
    expect(failure.metadata.has("x-inner-trailer")).toBe(false);
  });

  it("nothing comes out with a stream", async () => {
    const { secret } = world.users.signIn();
    const leave = new AbortController();
    arrived.length = 0;
    const seen = { header: new Headers() };
    const stream = createClient(ChangeService, transportOf()).watchChanges({ workspaceIds: [newId()] } as never, {
      headers: sent(secret),
      signal: leave.signal,
      onHeader: (header) => Object.assign(seen, { header }),
    });
    const iterator = stream[Symbol.asyncIterator]();
    expect((await iterator.next()).done).toBe(false);
    leave.abort();
    await iterator.next().catch(() => undefined);
    expect(arrived.some((headers) => headers.has("x-made-up"))).toBe(false);
    expect(seen.header.has("content-type")).toBe(true);
    expect(seen.header.has("x-inner-header")).toBe(false);
  });
});
