// Hands an RPC on to the service that serves it, whatever its kind: the client's message, identity, deadline and
// cancellation go in, and what comes back passes as it is, errors and their details included.

import type { DescMethod, DescMethodStreaming, DescMethodUnary, Message } from "@bufbuild/protobuf";
import { durationMs } from "@bufbuild/protobuf/wkt";
import { ConnectError, type HandlerContext, type MethodImpl, type Transport } from "@connectrpc/connect";
import { ErrorInfoSchema } from "@docket/contracts/gen/docket/error/v1/error_info_pb.ts";
import { Reason, ReasonSchema } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import { enumName } from "@docket/contracts/policy";
import { AppError, reasonOf, toConnectError } from "@docket/runtime/errors";
import { endingWith } from "@docket/runtime/interceptors/streams";
import type { OpenStreams } from "../session/open_streams.ts";
import { type EdgeCall, edgeCallOf, meshHeaders } from "./edge_call.ts";
import { inOurTerms } from "./reasons.ts";
import type { SessionAnswers } from "./session_answers.ts";

export interface ForwardOptions {
  readonly transport: (service: DescMethod["parent"]) => Transport;
  readonly streams: OpenStreams;
  readonly answers: SessionAnswers;
}

type AnyHandler = (input: never, context: HandlerContext) => unknown;

/** The handler of one RPC. */
export function forwarder(method: DescMethod, options: ForwardOptions): MethodImpl<DescMethod> {
  return handlerOf(method, options) as MethodImpl<DescMethod>;
}

function handlerOf(method: DescMethod, options: ForwardOptions): AnyHandler {
  if (isUnary(method)) {
    return (message: Message, context) => translating(context, () => unary(method, message, context, options));
  }
  const streaming = method as DescMethodStreaming;
  switch (streaming.methodKind) {
    case "server_streaming":
      return (message: Message, context) => stream(streaming, single(message), context, options);
    case "client_streaming":
      return (messages: AsyncIterable<Message>, context) =>
        translating(context, () => only(stream(streaming, messages, context, options)));
    case "bidi_streaming":
      return (messages: AsyncIterable<Message>, context) => stream(streaming, messages, context, options);
  }
}

function isUnary(method: DescMethod): method is DescMethodUnary {
  return method.methodKind === "unary";
}

async function unary(
  method: DescMethodUnary,
  message: Message,
  context: HandlerContext,
  options: ForwardOptions,
): Promise<Message> {
  const call = edgeCallOf(context);
  const headers = meshHeaders(call.exchange, call.admission ?? {});
  const answer = await options
    .transport(method.parent)
    .unary(method, context.signal, context.timeoutMs(), headers, message, context.values);
  return options.answers.finish(method, answer.message, call, context.protocolName);
}

async function* stream(
  method: DescMethodStreaming,
  messages: AsyncIterable<Message>,
  context: HandlerContext,
  options: ForwardOptions,
): AsyncGenerator<Message> {
  const call = edgeCallOf(context);
  const { subject, credential } = call.admission ?? {};
  const live = subject === undefined ? undefined : options.streams.open(credential, subject);
  const signal = live === undefined ? context.signal : AbortSignal.any([context.signal, live.signal]);
  try {
    const headers = meshHeaders(call.exchange, call.admission ?? {});
    const transport = options.transport(method.parent);
    const answer = await transport.stream(
      method,
      signal,
      context.timeoutMs(),
      headers,
      messages as AsyncIterable<never>,
      context.values,
    );
    yield* endingWith(answer.message as AsyncIterable<Message>, signal, () => undefined);
  } catch (error) {
    // What ended the stream here says more than the cancellation that it caused further in.
    throw translate(
      live?.signal.aborted ? live.signal.reason : context.signal.aborted ? context.signal.reason : error,
      call,
    );
  } finally {
    live?.close();
  }
}

async function* single<T>(value: T): AsyncGenerator<T> {
  yield value;
}

/** The one answer of a client stream. */
async function only<T>(messages: AsyncIterable<T>): Promise<T> {
  let answer: { readonly message: T } | undefined;
  for await (const message of messages) {
    if (answer !== undefined) throw new AppError(Reason.INTERNAL, { message: "A call with one answer gave two." });
    answer = { message };
  }
  if (answer === undefined) throw new AppError(Reason.INTERNAL, { message: "A call ended without its answer." });
  return answer.message;
}

async function translating<T>(context: HandlerContext, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw translate(error, edgeCallOf(context));
  }
}

/** What the client is told: the error of the service as it is, or ours; never what its trailers held besides. */
export function translate(fault: unknown, { exchange }: EdgeCall): ConnectError {
  const error = inOurTerms(fault);
  const known = toConnectError(error, exchange.requestId);
  const told = new ConnectError(known.rawMessage, known.code, undefined, undefined, known.cause);
  told.details = known.details;
  const reason = reasonOf(known) ?? Reason.INTERNAL;
  exchange.outcome.reason = enumName(ReasonSchema, reason);
  exchange.outcome.told = true;
  if (reason === Reason.INTERNAL && !(error instanceof ConnectError))
    exchange.logger.error({ err: error }, "call failed");
  const retryAfter = known.findDetails(ErrorInfoSchema)[0]?.retryAfter;
  if (retryAfter !== undefined)
    told.metadata.set("retry-after", String(Math.max(1, Math.ceil(durationMs(retryAfter) / 1000))));
  return told;
}
