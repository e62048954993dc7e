// The service that connectconformance calls (proto/connectrpc/conformance/v1/service.proto says what each method does), as
// handlers like those of Docket's services.

import { setTimeout as pause } from "node:timers/promises";
import { create, type DescMessage, type MessageInitShape, type MessageShape } from "@bufbuild/protobuf";
import { type Any, anyPack } from "@bufbuild/protobuf/wkt";
import { Code, type HandlerContext, type ServiceImpl } from "@connectrpc/connect";
import { peerKey } from "@docket/runtime/grpc/server";
import { Asked } from "./asked.ts";
import {
  BidiStreamRequestSchema,
  ClientStreamRequestSchema,
  ConformancePayload_RequestInfoSchema,
  type ConformancePayloadSchema,
  type ConformanceService,
  type Error as ErrorDefinition,
  type Header,
  IdempotentUnaryRequestSchema,
  ServerStreamRequestSchema,
  type StreamResponseDefinition,
  UnaryRequestSchema,
  type UnaryResponseDefinition,
} from "./gen/connectrpc/conformance/v1/service_pb.ts";

type Payload = MessageInitShape<typeof ConformancePayloadSchema>;

export const conformanceHandlers: ServiceImpl<typeof ConformanceService> = {
  async unary(request, context) {
    return { payload: await single(request.responseDefinition, [anyPack(UnaryRequestSchema, request)], context) };
  },
  async idempotentUnary(request, context) {
    const requests = [anyPack(IdempotentUnaryRequestSchema, request)];
    return { payload: await single(request.responseDefinition, requests, context) };
  },
  async clientStream(messages, context) {
    const { first, requests } = await gather(ClientStreamRequestSchema, messages);
    return { payload: await single(first?.responseDefinition, requests, context) };
  },
  async *serverStream(request, context) {
    for await (const payload of several(request.responseDefinition, context, [
      anyPack(ServerStreamRequestSchema, request),
    ])) {
      yield { payload };
    }
  },
  async *bidiStream(messages, context) {
    const iterator = messages[Symbol.asyncIterator]();
    const head = await iterator.next();
    if (head.done) return;
    const all = { [Symbol.asyncIterator]: () => iterator };
    const opening = anyPack(BidiStreamRequestSchema, head.value);
    const payloads = head.value.fullDuplex
      ? inTurn(head.value.responseDefinition, context, opening, all)
      : afterAll(head.value.responseDefinition, context, opening, all);
    for await (const payload of payloads) yield { payload };
  },
  unimplemented() {
    throw new Asked("ConformanceService.Unimplemented is not implemented", Code.Unimplemented);
  },
};

/** The answer of a call that has one. */
async function single(
  definition: UnaryResponseDefinition | undefined,
  requests: Any[],
  context: HandlerContext,
): Promise<Payload> {
  const requestInfo = infoOf(context, requests);
  if (definition === undefined) return { requestInfo };
  announce(definition, context);
  await pause(definition.responseDelayMs, undefined, { signal: context.signal });
  const { response } = definition;
  if (response.case === "error") throw errorOf(response.value, requestInfo);
  return { requestInfo, ...(response.case === undefined ? {} : { data: response.value }) };
}

/** The answers from `at` on, and then the error. The first of all says what was received. */
async function* several(
  definition: StreamResponseDefinition | undefined,
  context: HandlerContext,
  requests: Any[],
  at = 0,
): AsyncGenerator<Payload> {
  if (definition === undefined) return;
  announce(definition, context);
  for (const [index, data] of definition.responseData.entries()) {
    if (index < at) continue;
    await pause(definition.responseDelayMs, undefined, { signal: context.signal });
    yield index === 0 ? { data, requestInfo: infoOf(context, requests) } : { data };
  }
  const answered = definition.responseData.length > 0;
  if (definition.error) throw errorOf(definition.error, answered ? undefined : infoOf(context, requests));
}

/** Half duplex: everything is read before anything is answered. */
async function* afterAll(
  definition: StreamResponseDefinition | undefined,
  context: HandlerContext,
  opening: Any,
  rest: AsyncIterable<MessageShape<typeof BidiStreamRequestSchema>>,
): AsyncGenerator<Payload> {
  const { requests } = await gather(BidiStreamRequestSchema, rest);
  yield* several(definition, context, [opening, ...requests]);
}

/** Full duplex: an answer to each message, as long as there are answers. */
async function* inTurn(
  definition: StreamResponseDefinition | undefined,
  context: HandlerContext,
  opening: Any,
  rest: AsyncIterable<MessageShape<typeof BidiStreamRequestSchema>>,
): AsyncGenerator<Payload> {
  if (definition === undefined) return;
  announce(definition, context);
  const iterator = rest[Symbol.asyncIterator]();
  let answered = 0;
  for (let request: Any | undefined = opening; request !== undefined; ) {
    const data = definition.responseData[answered];
    if (data === undefined) break;
    await pause(definition.responseDelayMs, undefined, { signal: context.signal });
    const requestInfo = answered === 0 ? infoOf(context, [request]) : { requests: [request] };
    answered += 1;
    yield { data, requestInfo };
    const next = await iterator.next();
    request = next.done ? undefined : anyPack(BidiStreamRequestSchema, next.value);
  }
  yield* several(definition, context, [opening], answered);
}

async function gather<Desc extends DescMessage>(desc: Desc, messages: AsyncIterable<MessageShape<Desc>>) {
  const requests: Any[] = [];
  let first: MessageShape<Desc> | undefined;
  for await (const message of messages) {
    first ??= message;
    requests.push(anyPack(desc, message));
  }
  return { first, requests };
}

/** Headers and trailers go with the answer, whatever becomes of it. */
function announce(
  { responseHeaders, responseTrailers }: UnaryResponseDefinition | StreamResponseDefinition,
  context: HandlerContext,
): void {
  fill(responseHeaders, context.responseHeader);
  fill(responseTrailers, context.responseTrailer);
}

function fill(from: readonly Header[], to: Headers): void {
  for (const { name } of from) to.delete(name);
  for (const { name, value } of from) for (const each of value) to.append(name, each);
}

function errorOf(
  { code, message, details }: ErrorDefinition,
  requestInfo: MessageShape<typeof ConformancePayload_RequestInfoSchema> | undefined,
): Asked {
  const error = new Asked(message ?? "", code as number as Code);
  const all = requestInfo ? [...details, anyPack(ConformancePayload_RequestInfoSchema, requestInfo)] : details;
  error.details = all.map(({ typeUrl, value }) => ({ type: typeUrl.slice(typeUrl.lastIndexOf("/") + 1), value }));
  return error;
}

function infoOf(context: HandlerContext, requests: Any[]) {
  const { deadline } = context.values.get(peerKey);
  return create(ConformancePayload_RequestInfoSchema, {
    requestHeaders: [...context.requestHeader].map(([name, value]) => ({ name, value: [value] })),
    requests,
    ...(deadline === undefined ? {} : { timeoutMs: BigInt(Math.max(0, Math.round(deadline - Date.now()))) }),
  });
}
