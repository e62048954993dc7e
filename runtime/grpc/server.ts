// Mounts ServiceImpl handlers on grpc-js: all four call kinds, backpressure both ways, cancellation, deadlines and
// typed errors. Messages are decoded here and not in grpc-js, so that a malformed one gets a typed error as well.

import { create, type DescMethod, type DescService, fromBinary, type Message } from "@bufbuild/protobuf";
import {
  type ConnectError,
  createContextKey,
  createContextValues,
  createHandlerContext,
  createMethodImplSpec,
  type Interceptor,
  type ServiceImpl,
} from "@connectrpc/connect";
import { invokeUnaryImplementation, transformInvokeImplementation } from "@connectrpc/connect/protocol";
import { Reason } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import type {
  MethodDefinition,
  sendUnaryData,
  Server,
  ServerDuplexStream,
  ServerUnaryCall,
  UntypedHandleCall,
} from "@grpc/grpc-js";
import { maxRequestBytesOf } from "@docket/contracts/policy";
import { callKey } from "../call.ts";
import { AppError, toConnectError } from "../errors.ts";
import "./cut.ts";
import { chunkOf, type EncodedChunk, encode, holdFewChunks } from "./encode.ts";
import { toHeaders, toMetadata, toStatus, toTrailer } from "./status.ts";

/** Where a call came from, for the `caller` link of the chain. */
export interface Peer {
  /** The peer's IP address. */
  readonly address: string;
  /** The subject alternative names of the peer's certificate as Node prints them; empty without TLS. */
  readonly subjectAltName: string;
  /** When the caller stops waiting, in milliseconds since 1970; undefined when it did not say. */
  readonly deadline: number | undefined;
}

/** Where the adapter leaves the peer of a call. */
export const peerKey = createContextKey<Peer>(
  { address: "", subjectAltName: "", deadline: undefined },
  { description: "docket.peer" },
);

/** Where the adapter leaves what was wrong with a unary request's bytes; the chain's validation link throws it. */
export const malformedKey = createContextKey<AppError | undefined>(undefined, { description: "docket.malformed" });

/** A service and its handlers, bound together with matching types. */
export interface Implementation {
  readonly service: DescService;
  readonly handlers: Record<string, unknown>;
}

/** Binds a service to its handlers; all of its methods must be there. */
export function implement<Service extends DescService>(
  service: Service,
  handlers: ServiceImpl<Service>,
): Implementation {
  return { service, handlers };
}

/** How calls of a server are treated. */
export interface MountOptions {
  /** The chain, outermost first. */
  readonly interceptors: Interceptor[];
  /** What goes over the wire for what a call failed with. Default: an error with a reason, always. */
  readonly failure?: (error: unknown) => ConnectError;
}

type AnyCall = ServerUnaryCall<Buffer, Buffer> | ServerDuplexStream<Buffer, Buffer>;

/** Adds a service to a grpc-js server. */
export function mount(server: Server, { service, handlers }: Implementation, options: MountOptions): void {
  const definition: Record<string, MethodDefinition<Buffer, Buffer>> = {};
  const calls: Record<string, UntypedHandleCall> = {};
  for (const method of service.methods) {
    const handler = handlers[method.localName];
    if (typeof handler !== "function") throw new TypeError(`${service.typeName}/${method.name} has no handler`);
    definition[method.localName] = {
      path: pathOf(method),
      requestStream: method.methodKind === "client_streaming" || method.methodKind === "bidi_streaming",
      responseStream: method.methodKind === "server_streaming" || method.methodKind === "bidi_streaming",
      requestSerialize: identity,
      requestDeserialize: identity,
      responseSerialize: identity,
      responseDeserialize: identity,
    };
    const serve = createCallHandler(method, handler.bind(handlers) as never, options);
    calls[method.localName] = ((call: AnyCall, callback?: sendUnaryData<Buffer>) => {
      void serve(call, callback);
    }) as UntypedHandleCall;
  }
  server.addService(definition, calls);
}

/** The path of a method on the wire. */
export function pathOf(method: DescMethod): string {
  return `/${method.parent.typeName}/${method.name}`;
}

function createCallHandler(method: DescMethod, handler: never, options: MountOptions) {
  const spec = createMethodImplSpec(method, handler);
  return async (call: AnyCall, callback?: sendUnaryData<Buffer>): Promise<void> => {
    const cancelled = new AbortController();
    call.once("cancelled", () => cancelled.abort(new AppError(Reason.CANCELLED)));
    const context = createHandlerContext({
      service: method.parent,
      method,
      protocolName: "grpc",
      requestMethod: "POST",
      url: pathOf(method),
      requestHeader: toHeaders(call.metadata),
      requestSignal: cancelled.signal,
      contextValues: createContextValues().set(peerKey, peerOf(call)),
    });
    let begun = false;
    const begin = () => {
      if (!begun) call.sendMetadata(toMetadata(context.responseHeader));
      begun = true;
    };
    // Without an answer, headers are sent only where a handler has set some: most failures then fit into one frame.
    const beginUnanswered = () => {
      if (!context.responseHeader.keys().next().done) begin();
    };
    const finish = (error: unknown) => {
      beginUnanswered();
      const known = options.failure?.(error) ?? toConnectError(error, "");
      const failed = toStatus(known, context.responseTrailer);
      if (callback) callback(failed);
      else call.emit("error", failed);
    };
    try {
      if (spec.kind === "unary") {
        const unary = call as ServerUnaryCall<Buffer, Buffer>;
        const request = decodeUnary(method, unary.request, (fault) => context.values.set(malformedKey, fault));
        const response = await invokeUnaryImplementation(spec, context, request, options.interceptors);
        begin();
        callback?.(null, encode(method.output, response), toTrailer(context.responseTrailer));
        return;
      }
      const stream = call as ServerDuplexStream<Buffer, Buffer>;
      const requests = "request" in call ? single(decode(method, call.request)) : incoming(method, stream);
      const responses = transformInvokeImplementation(spec, context, options.interceptors)(requests);
      if (callback) {
        for await (const response of responses) {
          begin();
          callback(null, encode(method.output, response), toTrailer(context.responseTrailer));
        }
        return;
      }
      for await (const response of responses) {
        begin();
        // A reader that has stopped reading must not outlive its session, its age or a drain.
        const live = context.values.get(callKey)?.signal ?? context.signal;
        const chunk = chunkOf(method.output, response);
        if (chunk !== undefined) await sent(stream, chunk, live);
        else if (!stream.write(encode(method.output, response))) await drained(stream, live);
        if (cancelled.signal.aborted) return;
      }
      beginUnanswered();
      stream.end(toTrailer(context.responseTrailer));
    } catch (error) {
      finish(error);
    } finally {
      context.abort();
    }
  };
}

function identity(bytes: Buffer): Buffer {
  return bytes;
}

function decode(method: DescMethod, bytes: Buffer): Message {
  const limit = maxRequestBytesOf(method);
  if (bytes.length > limit) throw new AppError(Reason.MESSAGE_TOO_LARGE, { metadata: { limit: String(limit) } });
  try {
    return fromBinary(method.input, bytes);
  } catch (cause) {
    throw new AppError(Reason.MALFORMED, { cause });
  }
}

function decodeUnary(method: DescMethod, bytes: Buffer, onFault: (fault: AppError) => void): Message {
  try {
    return decode(method, bytes);
  } catch (fault) {
    onFault(fault as AppError);
    return create(method.input);
  }
}

async function* single<T>(value: T): AsyncGenerator<T> {
  yield value;
}

/** Leaving early must not destroy the call, since the answer is still to be sent. */
async function* incoming(method: DescMethod, stream: ServerDuplexStream<Buffer, Buffer>): AsyncGenerator<Message> {
  holdFewChunks(method.input, stream);
  for await (const bytes of stream.iterator({ destroyOnReturn: false })) yield decode(method, bytes);
}

/**
 * Writes a chunk and waits until the peer's window has taken it: grpc-js would otherwise gather sixteen of them for a slow
 * peer, and a handler may use a chunk's memory again once it is asked for the next one.
 */
function sent(stream: ServerDuplexStream<Buffer, Buffer>, chunk: EncodedChunk, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      signal.removeEventListener("abort", done);
      resolve();
    };
    if (signal.aborted) return resolve();
    signal.addEventListener("abort", done, { once: true });
    stream.write(chunk as unknown as Buffer, done);
  });
}

function drained(stream: ServerDuplexStream<Buffer, Buffer>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      stream.off("drain", done);
      signal.removeEventListener("abort", done);
      resolve();
    };
    if (signal.aborted) return resolve();
    stream.once("drain", done);
    signal.addEventListener("abort", done, { once: true });
  });
}

function peerOf(call: AnyCall): Peer {
  const address = call
    .getPeer()
    .replace(/:\d+$/, "")
    .replace(/^\[(.*)\]$/, "$1")
    .replace(/^::ffff:/, "");
  const deadline = Number(call.getDeadline());
  return {
    address,
    subjectAltName: call.getAuthContext().sslPeerCertificate?.subjectaltname ?? "",
    deadline: Number.isFinite(deadline) ? deadline : undefined,
  };
}
