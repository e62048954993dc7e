// The client under test, as connectconformance starts it: it reads calls to make from its standard input, makes each with a
// client of the mesh (runtime/mesh.ts over grpc-js), and writes down what came of it.

import { setTimeout as pause } from "node:timers/promises";
import { create, createRegistry, type Message } from "@bufbuild/protobuf";
import { AnySchema, anyUnpack } from "@bufbuild/protobuf/wkt";
import { type CallOptions, type Client, ConnectError, createClient } from "@connectrpc/connect";
import { DocumentService } from "@docket/contracts/gen/docket/document/v1/document_service_pb.ts";
import { Workload } from "@docket/contracts/gen/docket/policy/v1/policy_pb.ts";
import { connectMesh, type Mesh } from "@docket/runtime/mesh";
import { readMessages, writeMessage } from "./framing.ts";
import {
  type ClientCompatRequest,
  ClientCompatRequestSchema,
  ClientCompatResponseSchema,
  ClientResponseResultSchema,
} from "./gen/connectrpc/conformance/v1/client_compat_pb.ts";
import type { Code as SuiteCode } from "./gen/connectrpc/conformance/v1/config_pb.ts";
import {
  type ConformancePayload,
  ConformancePayloadSchema,
  ConformanceService,
  ErrorSchema,
  file_connectrpc_conformance_v1_service,
} from "./gen/connectrpc/conformance/v1/service_pb.ts";
import { Requests } from "./requests.ts";
import { suiteIdentity } from "./suite_identity.ts";

const registry = createRegistry(file_connectrpc_conformance_v1_service);
const meshes = new Map<string, Mesh>();

const calls: Promise<void>[] = [];
for await (const request of readMessages(ClientCompatRequestSchema, process.stdin)) {
  calls.push(
    perform(request).then(
      (response) => answer(request, { case: "response", value: response }),
      (error) => answer(request, { case: "error", value: { message: String(error) } }),
    ),
  );
}
await Promise.all(calls);
for (const mesh of meshes.values()) await mesh[Symbol.asyncDispose]();

type Answer = NonNullable<Parameters<typeof create<typeof ClientCompatResponseSchema>>[1]>;

function answer({ testName }: ClientCompatRequest, result: Answer["result"]): void {
  writeMessage(
    ClientCompatResponseSchema,
    create(ClientCompatResponseSchema, { testName, ...(result ? { result } : {}) }),
    process.stdout,
  );
}

/** What is observed of a call. */
interface Observed {
  readonly header: Headers;
  readonly trailer: Headers;
  readonly payloads: ConformancePayload[];
}

async function perform(request: ClientCompatRequest) {
  const observed: Observed = { header: new Headers(), trailer: new Headers(), payloads: [] };
  let error: ConnectError | undefined;
  try {
    await call(request, observed);
  } catch (fault) {
    error = ConnectError.from(fault);
    // A call without an answer has its headers there as well.
    copy(error.metadata, observed.trailer);
  }
  return create(ClientResponseResultSchema, {
    payloads: observed.payloads,
    responseHeaders: listOf(observed.header),
    responseTrailers: listOf(observed.trailer),
    ...(error ? { error: errorOf(error) } : {}),
  });
}

async function call(request: ClientCompatRequest, observed: Observed): Promise<void> {
  const client = clientOf(request);
  const aborting = new AbortController();
  const headers = new Headers();
  for (const { name, value } of request.requestHeaders) for (const each of value) headers.append(name, each);
  const options: CallOptions = {
    headers,
    signal: aborting.signal,
    ...(request.timeoutMs === undefined ? {} : { timeoutMs: request.timeoutMs }),
    onHeader: (header) => copy(header, observed.header),
    onTrailer: (trailer) => copy(trailer, observed.trailer),
  };
  const timing = request.cancel?.cancelTiming;
  /** All is sent: now is when the suite's clock starts. */
  const sent = () => {
    if (request.cancel === undefined || timing?.case === "afterNumResponses") return;
    setTimeout(() => aborting.abort(), timing?.case === "afterCloseSendMs" ? timing.value : 0);
  };
  const received = (payload: ConformancePayload | undefined) => {
    observed.payloads.push(payload ?? create(ConformancePayloadSchema));
    if (timing?.case === "afterNumResponses" && observed.payloads.length === timing.value) aborting.abort();
  };
  const messages = request.requestMessages.map((any) => anyUnpack(any, registry) as Message);
  const only = messages[0] as never;
  switch (request.method) {
    case "Unary":
    case "IdempotentUnary":
    case "Unimplemented": {
      await pause(request.requestDelayMs);
      sent();
      const method = { Unary: "unary", IdempotentUnary: "idempotentUnary", Unimplemented: "unimplemented" } as const;
      const response = await client[method[request.method]](only, options);
      return received("payload" in response ? response.payload : undefined);
    }
    case "ServerStream": {
      await pause(request.requestDelayMs);
      const responses = client.serverStream(only, options);
      sent();
      for await (const { payload } of responses) received(payload);
      return;
    }
    case "ClientStream": {
      const requests = new Requests<never>();
      const response = client.clientStream(requests, options);
      // Awaited below.
      response.catch(() => undefined);
      await sendAll(requests, messages as never[], request);
      if (timing?.case !== "beforeCloseSend") requests.end();
      sent();
      return received((await response).payload);
    }
    case "BidiStream":
      return await bidi(client, messages as never[], request, options, sent, received);
    default:
      throw new Error(`There is no method ${request.method}.`);
  }
}

async function bidi(
  client: Client<typeof ConformanceService>,
  messages: readonly never[],
  request: ClientCompatRequest,
  options: CallOptions,
  sent: () => void,
  received: (payload: ConformancePayload | undefined) => void,
): Promise<void> {
  const requests = new Requests<never>();
  const responses = client.bidiStream(requests, options)[Symbol.asyncIterator]();
  const fullDuplex = (messages[0] as { fullDuplex?: boolean } | undefined)?.fullDuplex ?? false;
  for (const message of messages) {
    await sendAll(requests, [message], request);
    if (!fullDuplex) continue;
    const next = await responses.next();
    if (next.done) break;
    received(next.value.payload);
  }
  if (request.cancel?.cancelTiming.case !== "beforeCloseSend") requests.end();
  sent();
  for (let next = await responses.next(); !next.done; next = await responses.next()) received(next.value.payload);
}

async function sendAll<T>(to: Requests<T>, messages: readonly T[], { requestDelayMs }: ClientCompatRequest) {
  for (const message of messages) {
    await pause(requestDelayMs);
    await to.send(message);
  }
}

function clientOf({ host, port, serverTlsCert, clientTlsCreds }: ClientCompatRequest) {
  const address = `${host}:${port}`;
  const known = meshes.get(address);
  const identity = suiteIdentity(Workload.GATEWAY, {
    tls: serverTlsCert.length > 0,
    ca: serverTlsCert,
    certificate: clientTlsCreds?.cert,
    key: clientTlsCreds?.key,
  });
  const mesh = known ?? connectMesh({ identity, addresses: { document: [address] } });
  meshes.set(address, mesh);
  // The package of the suite's service names no workload of Docket; its calls go where those of documents go.
  return createClient(ConformanceService, mesh.transport(DocumentService));
}

function errorOf({ code, rawMessage, details }: ConnectError) {
  return create(ErrorSchema, {
    code: code as number as SuiteCode,
    message: rawMessage,
    details: details.flatMap((detail) =>
      "type" in detail
        ? [create(AnySchema, { typeUrl: `type.googleapis.com/${detail.type}`, value: detail.value })]
        : [],
    ),
  });
}

function listOf(headers: Headers) {
  return [...headers].map(([name, value]) => ({ name, value: [value] }));
}

function copy(from: Headers, to: Headers): void {
  from.forEach((value, key) => {
    to.append(key, value);
  });
}
