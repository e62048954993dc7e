// Every protocol on the one port, against services that answer for real.

import { Code, ConnectError, createClient, type Transport } from "@connectrpc/connect";
import { createConnectTransport, createGrpcTransport, createGrpcWebTransport } from "@connectrpc/connect-node";
import { ChangeService } from "@docket/contracts/gen/docket/document/v1/change_service_pb.ts";
import { DocumentService } from "@docket/contracts/gen/docket/document/v1/document_service_pb.ts";
import { ErrorInfoSchema } from "@docket/contracts/gen/docket/error/v1/error_info_pb.ts";
import { Reason } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import { TransferService } from "@docket/contracts/gen/docket/storage/v1/transfer_service_pb.ts";
import { UploadService } from "@docket/contracts/gen/docket/storage/v1/upload_service_pb.ts";
import { SessionService } from "@docket/contracts/gen/docket/user/v1/session_service_pb.ts";
import { Health } from "@docket/contracts/gen/grpc/health/v1/health_pb.ts";
import { ServerReflection } from "@docket/contracts/gen/grpc/reflection/v1/reflection_pb.ts";
import { createGrpcTransport as createRuntimeTransport } from "@docket/runtime/grpc/transport";
import { newId } from "@docket/runtime/ids";
import { eventually } from "@docket/runtime/testing/eventually";
// biome-ignore lint/style/noRestrictedImports: this test is about being called by grpc-js.
import { Client as Channel, credentials } from "@grpc/grpc-js";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { startWorld, type World } from "./world.ts";

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
});

const protocols: [string, () => Transport][] = [
  [
    "Connect in JSON over HTTP/1.1",
    () => createConnectTransport({ baseUrl: world.url, httpVersion: "1.1", useBinaryFormat: false }),
  ],
  [
    "Connect in binary over HTTP/1.1",
    () => createConnectTransport({ baseUrl: world.url, httpVersion: "1.1", useBinaryFormat: true }),
  ],
  [
    "Connect with GET over HTTP/1.1",
    () => createConnectTransport({ baseUrl: world.url, httpVersion: "1.1", useHttpGet: true }),
  ],
  ["Connect over HTTP/2", () => createConnectTransport({ baseUrl: world.url, httpVersion: "2" })],
  ["gRPC-Web over HTTP/1.1", () => createGrpcWebTransport({ baseUrl: world.url, httpVersion: "1.1" })],
  ["gRPC-Web over HTTP/2", () => createGrpcWebTransport({ baseUrl: world.url, httpVersion: "2" })],
  ["gRPC", () => createGrpcTransport({ baseUrl: world.url })],
];

function bearer(secret: string, more: Record<string, string> = {}) {
  return { headers: { authorization: `Bearer ${secret}`, ...more } };
}

async function failureOf(call: Promise<unknown>): Promise<ConnectError> {
  return await call.then(
    () => Promise.reject(new Error("the call should have failed")),
    (error) => ConnectError.from(error),
  );
}

describe.each(protocols)("%s", (name, transportOf) => {
  it("hands on a call with its subject and its client's address", async () => {
    const { secret, subject } = world.users.signIn();
    const answer = await createClient(SessionService, transportOf()).getSession({}, bearer(secret));
    expect(answer.session?.userId).toBe(subject.id);
    expect(world.users.seen.at(-1)).toMatchObject({ subject: subject.id, clientAddress: "127.0.0.1" });
  });

  it("takes an API key", async () => {
    const { secret, subject } = world.users.addKey();
    const documentId = newId();
    const answer = await createClient(DocumentService, transportOf()).getDocument({ documentId }, bearer(secret));
    expect(answer.document?.id).toBe(documentId);
    expect(subject.kind).toBe("application");
  });

  it("passes a service's error with reason, metadata and request id", async () => {
    const { secret } = world.users.signIn();
    const documentId = `00000000-${newId().slice(9)}`;
    const failure = await failureOf(
      createClient(DocumentService, transportOf()).getDocument({ documentId }, bearer(secret)),
    );
    expect(failure.code).toBe(Code.NotFound);
    const [info] = failure.findDetails(ErrorInfoSchema);
    expect(info).toMatchObject({ reason: Reason.NOT_FOUND, metadata: { kind: "document", id: documentId } });
    expect(info?.requestId).toMatch(/^[0-9a-f-]{36}$/);
  });

  it("passes the fields of a refused request", async () => {
    const { secret } = world.users.signIn();
    const failure = await failureOf(
      createClient(DocumentService, transportOf()).getDocument({ documentId: "../etc" }, bearer(secret)),
    );
    expect(failure.code).toBe(Code.InvalidArgument);
    expect(failure.findDetails(ErrorInfoSchema)[0]?.violations[0]?.field).toBe("document_id");
  });

  it("says who must sign in", async () => {
    const client = createClient(SessionService, transportOf());
    const none = await failureOf(client.getSession({}));
    expect(none.code).toBe(Code.Unauthenticated);
    expect(none.findDetails(ErrorInfoSchema)[0]?.reason).toBe(Reason.SESSION_REQUIRED);
    const wrong = await failureOf(client.getSession({}, bearer("nobody-has-this-secret-here")));
    expect(wrong.findDetails(ErrorInfoSchema)[0]?.reason).toBe(Reason.SESSION_INVALID);
  });

  it("streams answers as they come, and ends the service's stream when the client leaves", async () => {
    const { secret } = world.users.signIn();
    const before = world.documents.openWatches;
    const leave = new AbortController();
    const client = createClient(ChangeService, transportOf());
    const stream = client.watchChanges({ workspaceIds: [newId()] } as never, {
      ...bearer(secret),
      signal: leave.signal,
    });
    const iterator = stream[Symbol.asyncIterator]();
    expect((await iterator.next()).done).toBe(false);
    expect(world.documents.openWatches).toBe(before + 1);
    leave.abort();
    await iterator.next().catch(() => undefined);
    await eventually(() => expect(world.documents.openWatches).toBe(before));
  });

  it("takes a client stream", async () => {
    if (name.includes("gRPC-Web")) return; // The protocol has none.
    const { secret } = world.users.signIn();
    const transport = transportOf();
    const { upload } = await createClient(UploadService, transport).createUpload(
      { workspaceId: newId(), name: "a.bin" },
      bearer(secret),
    );
    const piece = Buffer.alloc(200_000, 7);
    async function* requests() {
      yield { part: { case: "start" as const, value: { uploadId: upload?.id ?? "" } } };
      for (let n = 0; n < 10; n += 1) yield { part: { case: "chunk" as const, value: piece } };
    }
    const answer = await createClient(TransferService, transport).writeBlob(requests(), bearer(secret));
    expect(answer.offset).toBe(2_000_000n);
  });

  it("reads a blob as a stream", async () => {
    const { secret } = world.users.signIn();
    const bytes = Buffer.alloc(300_000, 5);
    const { documentId } = world.documents.add(bytes);
    let size = 0;
    for await (const { part } of createClient(TransferService, transportOf()).readBlob(
      { ticket: `${documentId}/1` },
      bearer(secret),
    )) {
      if (part.case === "chunk") size += part.value.length;
    }
    expect(size).toBe(bytes.length);
  });

  it("gives up in time when the client's deadline passes", async () => {
    const { secret } = world.users.signIn();
    const stream = createClient(ChangeService, transportOf()).watchChanges({} as never, {
      ...bearer(secret),
      timeoutMs: 200,
    });
    const failure = await failureOf(
      (async () => {
        for await (const _ of stream);
      })(),
    );
    expect(failure.code).toBe(Code.DeadlineExceeded);
  });
});

describe("gRPC's own client for Node", () => {
  it("is served like any other", async () => {
    const channel = new Channel(world.url.replace("http://", ""), credentials.createInsecure());
    const transport = createRuntimeTransport({ client: () => channel });
    const { secret, subject } = world.users.signIn();
    const answer = await createClient(SessionService, transport).getSession({}, bearer(secret));
    expect(answer.session?.userId).toBe(subject.id);
    const failure = await failureOf(createClient(SessionService, transport).getSession({}));
    expect(failure.findDetails(ErrorInfoSchema)[0]?.reason).toBe(Reason.SESSION_REQUIRED);
    let chunks = 0;
    const { documentId } = world.documents.add(Buffer.alloc(5_000_000, 1));
    for await (const { part } of createClient(TransferService, transport).readBlob(
      { ticket: `${documentId}/1` },
      bearer(secret),
    )) {
      if (part.case === "chunk") chunks += 1;
    }
    expect(chunks).toBe(77);
    channel.close();
  });
});

describe("health and reflection", () => {
  it("tells the health of the edge and of its services", async () => {
    const health = createClient(Health, createGrpcTransport({ baseUrl: world.url }));
    expect((await health.check({})).status).toBe(1);
    expect((await health.check({ service: "docket.document.v1.DocumentService" })).status).toBe(1);
    const unknown = await failureOf(health.check({ service: "docket.user.v1.TokenService" }));
    expect(unknown.code).toBe(Code.NotFound);
  });

  it("lists the published services, and of their descriptors only what is published", async () => {
    const reflection = createClient(ServerReflection, createGrpcTransport({ baseUrl: world.url }));
    async function* ask() {
      yield { messageRequest: { case: "listServices" as const, value: "" } };
      yield { messageRequest: { case: "fileContainingSymbol" as const, value: "docket.user.v1.SessionService" } };
      yield { messageRequest: { case: "fileContainingSymbol" as const, value: "docket.user.v1.TokenService" } };
    }
    const answers = [];
    for await (const { messageResponse } of reflection.serverReflectionInfo(ask())) answers.push(messageResponse);
    const [list, found, hidden] = answers;
    const names = list?.case === "listServicesResponse" ? list.value.service.map(({ name }) => name) : [];
    expect(names).toContain("docket.user.v1.SessionService");
    expect(names).toContain("grpc.health.v1.Health");
    expect(names).not.toContain("docket.user.v1.TokenService");
    expect(found?.case).toBe("fileDescriptorResponse");
    expect(hidden?.case).toBe("errorResponse");
  });
});
