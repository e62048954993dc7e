// A Connect transport over grpc-js, so that clients are typed by the same descriptors as handlers:
// createClient(DocumentService, createGrpcTransport(…)).

import {
  type DescMessage,
  type DescMethodStreaming,
  type DescMethodUnary,
  fromBinary,
  type MessageShape,
} from "@bufbuild/protobuf";
import {
  Code,
  ConnectError,
  createContextValues,
  type Interceptor,
  type StreamRequest,
  type StreamResponse,
  type Transport,
  type UnaryRequest,
  type UnaryResponse,
} from "@connectrpc/connect";
import { runStreamingCall, runUnaryCall } from "@connectrpc/connect/protocol";
import type { Client, ClientDuplexStream, ServiceError, StatusObject } from "@grpc/grpc-js";
import "./cut.ts";
import { chunkOf, encode, holdFewChunks } from "./encode.ts";
import "./order.ts";
import { pathOf } from "./server.ts";
import { fromStatus, toHeaders, toMetadata } from "./status.ts";

/** What a transport is made from. */
export interface GrpcTransportOptions {
  /** The channel; made anew by the owner when certificates are renewed, hence a function. */
  readonly client: () => Client;
  /** Client interceptors, as Connect orders them: the last is nearest to the caller. */
  readonly interceptors?: Interceptor[];
}

/** Makes a transport over a grpc-js channel. */
export function createGrpcTransport({ client, interceptors = [] }: GrpcTransportOptions): Transport {
  return {
    unary: (method, signal, timeoutMs, header, input, contextValues) =>
      runUnaryCall({
        interceptors,
        ...(signal ? { signal } : {}),
        ...(timeoutMs ? { timeoutMs } : {}),
        req: { ...requestOf(method, header, contextValues), stream: false, method, message: input },
        next: (request) => callUnary(client(), request, timeoutMs),
      }),
    stream: (method, signal, timeoutMs, header, input, contextValues) =>
      runStreamingCall({
        interceptors,
        ...(signal ? { signal } : {}),
        ...(timeoutMs ? { timeoutMs } : {}),
        req: { ...requestOf(method, header, contextValues), stream: true, method, message: input },
        next: (request) => callStream(client(), request, timeoutMs),
      }),
  };
}

function requestOf(
  method: DescMethodUnary | DescMethodStreaming,
  header: ConstructorParameters<typeof Headers>[0],
  contextValues = createContextValues(),
) {
  return {
    service: method.parent,
    requestMethod: "POST",
    url: pathOf(method),
    header: new Headers(header),
    contextValues,
  };
}

function deadlineOf(timeoutMs: number | undefined): { deadline?: number } {
  return timeoutMs === undefined ? {} : { deadline: Date.now() + timeoutMs };
}

function callUnary<I extends DescMessage, O extends DescMessage>(
  client: Client,
  request: UnaryRequest<I, O>,
  timeoutMs: number | undefined,
): Promise<UnaryResponse<I, O>> {
  const { method } = request;
  return new Promise((resolve, reject) => {
    let header = new Headers();
    let answer: MessageShape<O>;
    const options = deadlineOf(timeoutMs);
    const call = client.makeUnaryRequest(
      pathOf(method),
      (message: MessageShape<I>) => buffer(method.input, message),
      (bytes: Buffer) => fromBinary(method.output, bytes),
      request.message,
      toMetadata(request.header),
      options,
      (error: ServiceError | null, message?: MessageShape<O>) => {
        if (error) reject(fromStatus(error, { header, ...options }));
        else answer = message as MessageShape<O>;
      },
    );
    const abort = () => call.cancel();
    request.signal.addEventListener("abort", abort, { once: true });
    call.on("metadata", (metadata) => {
      header = toHeaders(metadata);
    });
    call.on("status", (status) => {
      request.signal.removeEventListener("abort", abort);
      if (status.code !== 0) return reject(fromStatus(status, { header, ...options }));
      const trailer = toHeaders(status.metadata);
      resolve({ stream: false, service: method.parent, method, header, trailer, message: answer });
    });
    if (request.signal.aborted) abort();
  });
}

async function callStream<I extends DescMessage, O extends DescMessage>(
  client: Client,
  request: StreamRequest<I, O>,
  timeoutMs: number | undefined,
): Promise<StreamResponse<I, O>> {
  const { method } = request;
  const requests = request.message[Symbol.asyncIterator]();
  const arguments_ = [
    pathOf(method),
    (message: MessageShape<I>) => buffer(method.input, message),
    (bytes: Buffer) => fromBinary(method.output, bytes),
  ] as const;
  const header = new Headers();
  const trailer = new Headers();
  const metadata = toMetadata(request.header);
  const options = deadlineOf(timeoutMs);
  // A bidirectional call serves every kind of stream: on the wire they are the same.
  const call: ClientDuplexStream<MessageShape<I>, MessageShape<O>> = client.makeBidiStreamRequest(
    ...arguments_,
    metadata,
    options,
  );
  holdFewChunks(method.output, call);
  const ended = new Promise<StatusObject>((resolve) => call.once("status", resolve));
  // The status is reported above and by iteration; an 'error' without a listener would end the process.
  call.on("error", () => undefined);
  const abort = () => call.cancel();
  request.signal.addEventListener("abort", abort, { once: true });
  if (request.signal.aborted) abort();
  void ended.then((status) => {
    request.signal.removeEventListener("abort", abort);
    copy(toHeaders(status.metadata), trailer);
  });
  const sending = send(call, requests, ended, (message) => chunkOf(method.input, message) !== undefined);
  const headersIn = new Promise<void>((resolve) =>
    call.once("metadata", (received) => resolve(copy(toHeaders(received), header))),
  );
  await Promise.race([headersIn, ended]);
  return {
    stream: true,
    service: method.parent,
    method,
    header,
    trailer,
    message: receive(call, ended, sending, options),
  };
}

/**
 * Writes the requests as fast as the peer takes them; ends when the peer has ended. The next one is asked for when a chunk
 * has been taken: grpc-js would otherwise gather sixteen of them, and a chunk's memory may be used again.
 */
async function send<T, O>(
  call: ClientDuplexStream<T, O>,
  requests: AsyncIterator<T>,
  ended: Promise<unknown>,
  isChunk: (message: T) => boolean,
): Promise<void> {
  let over = false;
  // Not Promise.race against `ended` itself: it would keep each message until the call ends.
  let wake: (end: undefined) => void = () => undefined;
  void ended.then(() => {
    over = true;
    wake(undefined);
  });
  const nextOrEnded = () =>
    new Promise<IteratorResult<T> | undefined>((resolve, reject) => {
      wake = resolve;
      requests.next().then(resolve, reject);
    });
  try {
    while (!over) {
      const next = await nextOrEnded();
      if (next === undefined || over) break;
      if (next.done) {
        call.end();
        return;
      }
      const message = next.value;
      if (isChunk(message)) {
        await new Promise<void>((resolve) => {
          wake = () => resolve();
          call.write(message, () => resolve());
        });
      } else if (!call.write(message)) {
        await new Promise<void>((resolve) => {
          wake = () => resolve();
          if (over) return resolve();
          call.once("drain", resolve);
        });
      }
    }
    // Not awaited: a source that hangs must not hold back the answer; its own failure has nobody left to tell.
    requests.return?.()?.catch(() => undefined);
  } catch (error) {
    call.cancel();
    throw error;
  }
}

async function* receive<I, T>(
  call: ClientDuplexStream<I, T>,
  ended: Promise<StatusObject>,
  sending: Promise<void>,
  options: { readonly deadline?: number },
): AsyncGenerator<T> {
  let fault: unknown;
  sending.catch((error) => {
    fault = error;
  });
  let complete = false;
  try {
    const messages = call.iterator({ destroyOnReturn: false });
    while (true) {
      // A failed call ends the iteration with grpc-js's own error; the status below says it in our terms.
      const next = await messages.next().catch(() => ({ done: true as const, value: undefined }));
      if (next.done) break;
      yield next.value;
    }
    complete = true;
    const status = await ended;
    if (fault !== undefined) throw fault;
    if (status.code !== 0) throw fromStatus(status, options);
  } finally {
    if (!complete) call.cancel();
  }
}

function copy(from: Headers, to: Headers): void {
  from.forEach((value, key) => {
    to.append(key, value);
  });
}

function buffer<Desc extends DescMessage>(desc: Desc, message: MessageShape<Desc>): Buffer {
  try {
    return (chunkOf(desc, message) as Buffer | undefined) ?? encode(desc, message);
  } catch (cause) {
    throw new ConnectError("the request cannot be encoded", Code.InvalidArgument, undefined, undefined, cause);
  }
}
