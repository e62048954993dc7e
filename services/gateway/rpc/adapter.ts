// Serves the published RPCs over Connect, gRPC-Web and gRPC. The routes are a loop over the contract: publishing an RPC
// needs no edit here.

import type { DescMethod } from "@bufbuild/protobuf";
import {
  Code,
  type ConnectRouter,
  type ConnectRouterOptions,
  createConnectRouter,
  createContextValues,
  type HandlerContext,
  type Interceptor,
} from "@connectrpc/connect";
import type { UniversalHandler, UniversalServerRequest } from "@connectrpc/connect/protocol";
import {
  compressionBrotli,
  compressionGzip,
  universalRequestFromNodeRequest,
  universalResponseToNodeResponse,
} from "@connectrpc/connect-node";
import { Reason } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import { RateClass } from "@docket/contracts/gen/docket/policy/v1/policy_pb.ts";
import { maxRequestBytesOf, rateClassOf } from "@docket/contracts/policy";
import type { Rpc } from "@docket/contracts/registry";
import { AppError } from "@docket/runtime/errors";
import { mappingErrors } from "@docket/runtime/interceptors/streams";
import type { Demand, Gate } from "../guard/gate.ts";
import { type BodyLimits, watched } from "../http/body_watch.ts";
import { bodyOf, type Exchange } from "../http/exchange.ts";
import { sendProblem } from "../http/problem.ts";
import type { Account, ByteBudget } from "../limits/byte_budget.ts";
import type { EdgeRequest } from "../listener/listener.ts";
import { finishAnswer } from "./answers.ts";
import { type EdgeCall, edgeCallOf, edgeKey } from "./edge_call.ts";
import { type ForwardOptions, forwarder, translate } from "./forward.ts";

type NodeResponse = Parameters<typeof universalResponseToNodeResponse>[1];

export interface RpcAdapterOptions extends ForwardOptions {
  readonly rpcs: readonly Rpc[];
  /** What the protocol library is given besides. Its interceptors are the outermost. Default: nothing. */
  readonly library?: LibraryOptions | undefined;
  /** Health and reflection, which the edge answers itself. */
  readonly own: (router: ConnectRouter, options: Partial<ConnectRouterOptions>) => void;
  readonly gate: Gate;
  readonly budget: ByteBudget;
  /** The largest answer, or message of an answering stream, in bytes. */
  readonly maxAnswerBytes: number;
  readonly messageLimits: BodyLimits;
  readonly streamIdleMs: number;
  /** Aborts when the edge drains; ends its own streams. */
  readonly draining: AbortSignal;
}

/** For tests of the protocols themselves, with services that are none of Docket's. */
export type LibraryOptions = Pick<ConnectRouterOptions, "interceptors" | "jsonOptions">;

export interface RpcAdapter {
  /** Answers when the path is that of an RPC (known or not), and says whether it was. */
  serve(exchange: Exchange): boolean;
}

export function createRpcAdapter(options: RpcAdapterOptions): RpcAdapter {
  const byPath = new Map<string, Rpc>(options.rpcs.map((rpc) => [`/${rpc.name}`, rpc]));
  const { interceptors = [], ...library } = options.library ?? {};
  const router = createConnectRouter({
    ...library,
    acceptCompression: [compressionGzip, compressionBrotli],
    writeMaxBytes: options.maxAnswerBytes,
    interceptors: [...interceptors, ourErrors],
  });
  for (const rpc of options.rpcs) mount(router, rpc, options);
  const demand: Demand = { costClass: RateClass.READ, anonymous: true, kind: "stream" };
  options.own(router, {
    readMaxBytes: ownMaxBytes,
    requestGate: gateOf(demand, options),
    shutdownSignal: options.draining,
  });
  const handlers = new Map<string, UniversalHandler>(router.handlers.map((handler) => [handler.requestPath, handler]));
  return {
    serve(exchange) {
      const handler = handlers.get(exchange.path);
      if (handler === undefined && !looksLikeRpc(exchange.path)) return false;
      // Even telling of a failure may fail, when the client goes away just then; that ends its answer and nothing else.
      answer(handler, byPath.get(exchange.path), exchange, options).catch(() => exchange.response.destroy());
      return true;
    },
  };
}

/** The largest message of health and reflection, in bytes. */
const ownMaxBytes = 1 << 16;

/** Whatever is thrown, a message that cannot be read included, in the words of all other errors. */
const ourErrors: Interceptor = (next) => async (request) => {
  const mend = (error: unknown) => translate(error, edgeCallOf({ values: request.contextValues }));
  try {
    const answer = await next(request);
    return answer.stream ? { ...answer, message: mappingErrors(answer.message, mend) } : answer;
  } catch (error) {
    throw mend(error);
  }
};

/** Paths of the form `/package.Service/Method`. */
function looksLikeRpc(path: string): boolean {
  return /^\/(docket|grpc)(\.[A-Za-z0-9_]+)+\/[A-Za-z0-9_]*$/.test(path);
}

function mount(router: ConnectRouter, { method, policy }: Rpc, options: RpcAdapterOptions): void {
  const costClass = rateClassOf(method);
  const demand: Demand = {
    costClass,
    anonymous: policy.access.case === "anonymous",
    kind: method.methodKind === "unary" ? "unary" : "stream",
  };
  router.rpc(method, forwarder(method, options), {
    readMaxBytes: maxRequestBytesOf(method),
    requestGate: gateOf(demand, options),
    // File contents are mostly compressed already, and compressing them would cost more than it saves.
    ...(costClass === RateClass.TRANSFER ? { acceptCompression: [] } : {}),
  });
}

function gateOf(demand: Demand, { gate }: RpcAdapterOptions): (context: HandlerContext) => Promise<void> {
  return async (context) => {
    const call = edgeCallOf(context);
    try {
      call.admission = await gate.admit(call.exchange, demand);
    } catch (error) {
      throw translate(error, call);
    }
  };
}

async function answer(
  handler: UniversalHandler | undefined,
  rpc: Rpc | undefined,
  exchange: Exchange,
  options: RpcAdapterOptions,
): Promise<void> {
  const { request, response, outcome, logger } = exchange;
  outcome.route = handler === undefined ? "unknown rpc" : exchange.path.slice(1);
  try {
    const answered =
      handler === undefined ? unknownMethod(exchange) : await handler(universal(exchange, handler.method, options));
    const finished = await finishAnswer(answered, exchange, rpc);
    await universalResponseToNodeResponse(finished, response as NodeResponse);
  } catch (error) {
    // The client has gone, or its bytes were no request; nobody is left to tell.
    const gone = response.destroyed || response.headersSent || request.destroyed;
    if (gone) response.destroy();
    else sendProblem(exchange, new AppError(Reason.MALFORMED, { cause: error }));
    logger.debug({ err: error }, "an answer could not be sent");
  }
}

function universal(exchange: Exchange, method: DescMethod, options: RpcAdapterOptions): UniversalServerRequest {
  const { request, response, signal } = exchange;
  const call: EdgeCall = { exchange, admission: undefined };
  const values = createContextValues().set(edgeKey, call);
  const made = universalRequestFromNodeRequest(request, response as NodeResponse, undefined, values);
  const body = bodyOf(request);
  switch (method.methodKind) {
    case "bidi_streaming":
      return { ...made, body };
    case "client_streaming":
      return { ...made, body: inOurWords(watched(body, { idleMs: options.streamIdleMs }, signal), call) };
    default: {
      const slowly = watched(body, options.messageLimits, signal);
      // Opened and bound to the answer's end at once: the client may be gone before its first byte is read.
      const account = options.budget.open();
      response.once("close", account.close);
      return { ...made, body: inOurWords(budgeted(slowly, request, maxBytes(method), account), call) };
    }
  }
}

/** The protocol library knows no errors but its own. */
async function* inOurWords(body: AsyncIterable<Uint8Array>, call: EdgeCall): AsyncGenerator<Uint8Array> {
  try {
    yield* body;
  } catch (error) {
    throw translate(error, call);
  }
}

function maxBytes(method: DescMethod): number {
  return method.parent.typeName.startsWith("docket.") ? maxRequestBytesOf(method) : ownMaxBytes;
}

/** Counts what waits in memory; what is compressed counts with all that it may become. */
async function* budgeted(
  body: AsyncIterable<Uint8Array>,
  { headers }: EdgeRequest,
  limit: number,
  account: Account,
): AsyncGenerator<Uint8Array> {
  if (headers["content-encoding"] !== undefined || headers["grpc-encoding"] !== undefined) account.hold(limit);
  let seen = 0;
  for await (const piece of body) {
    seen += piece.byteLength;
    // Beyond its own limit the message is refused anyway.
    if (seen <= limit) account.hold(piece.byteLength);
    yield piece;
  }
}

/** In the words of the protocol that was spoken. */
function unknownMethod({ request, outcome }: Exchange) {
  outcome.reason = "UNIMPLEMENTED";
  const type = request.headers["content-type"] ?? "";
  if (!/^application\/grpc($|[+;])/.test(type)) return { status: 404 };
  const { message } = new AppError(Reason.UNIMPLEMENTED);
  const header = new Headers({
    "content-type": type,
    "grpc-status": String(Code.Unimplemented),
    "grpc-message": encodeURIComponent(message),
  });
  return { status: 200, header };
}
