// The edge in memory. It answers the page's own fetch, so that what a call looks like on the wire is tried as well.

import type { DescMessage, DescMethod, MessageShape } from "@bufbuild/protobuf";
import { Code, ConnectError, type ConnectRouter, createConnectRouter, type Interceptor } from "@connectrpc/connect";
import { type UniversalHandler, universalServerResponseToFetch } from "@connectrpc/connect/protocol";
import { ErrorInfoSchema } from "@docket/contracts/gen/docket/error/v1/error_info_pb.ts";
import { type Reason, ReasonSchema } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";

export type Routes = (router: ConnectRouter) => void;

/** A call that reached the edge. */
export interface EdgeCall {
  /** The method's name, for example `ListTasks`. */
  readonly name: string;
  readonly method: DescMethod;
  /** The message; of a client stream: undefined. */
  readonly request: unknown;
}

/** What the page fetches, as far as a call has it. */
type Fetch = (path: string, init: RequestInit) => Promise<Response>;

// Modules are loaded anew for each file of tests, after its set-up: what both need to know is kept here.
const kept = globalThis as { docketEdge?: Fetch };

/** Puts the edge in the place of the network. */
export function answerInMemory(): void {
  const before = globalThis.fetch;
  globalThis.fetch = async (input, init = {}) => {
    const { pathname } = new URL(input instanceof Request ? input.url : String(input), "http://localhost:3000");
    if (!pathname.startsWith("/docket.") && !pathname.startsWith("/files/")) return await before(input, init);
    if (kept.docketEdge === undefined) throw new TypeError("Failed to fetch");
    return await kept.docketEdge(pathname, init);
  };
}

/** Answers with these handlers from now on, and says what was asked. Undefined: nothing is reached. */
export function openEdge(routes: Routes | undefined): EdgeCall[] {
  const calls: EdgeCall[] = [];
  if (routes === undefined) {
    kept.docketEdge = undefined;
    return calls;
  }
  const recording: Interceptor = (next) => async (request) => {
    calls.push({
      name: request.method.name,
      method: request.method,
      request: request.stream ? undefined : request.message,
    });
    return await next(request);
  };
  const router = createConnectRouter({ connect: true, interceptors: [recording] });
  routes(router);
  const handlers = new Map(router.handlers.map((handler) => [handler.requestPath, handler]));
  kept.docketEdge = async (path, init) => {
    const handler = handlers.get(path);
    if (handler === undefined) return refused();
    return universalServerResponseToFetch(await handler(requestOf(path, init)));
  };
  return calls;
}

/** By hand, because the window's own Request loses the type of its contents. */
function requestOf(
  path: string,
  { method = "GET", headers, body, signal }: RequestInit,
): Parameters<UniversalHandler>[0] {
  return {
    httpVersion: "1.1",
    method,
    url: `http://localhost:3000${path}`,
    header: new Headers(headers),
    body: bytesOf(body),
    signal: signal ?? new AbortController().signal,
  };
}

async function* bytesOf(body: RequestInit["body"]): AsyncIterable<Uint8Array> {
  if (typeof body === "string") yield new TextEncoder().encode(body);
  else if (body instanceof Uint8Array) yield body;
  else if (body) throw new TypeError("The edge in memory takes text and bytes only");
}

function refused(): Response {
  const body = JSON.stringify({ code: "unimplemented", message: "nothing answers this in the test" });
  return new Response(body, { status: 404, headers: { "content-type": "application/json" } });
}

/** An error as the edge gives it; thrown by handlers. */
export function refusal(
  reason: Reason,
  {
    code = Code.FailedPrecondition,
    ...info
  }: { code?: Code; metadata?: Record<string, string>; requestId?: string } = {},
): ConnectError {
  const words = `${ReasonSchema.value[reason]?.localName ?? "?"} in a test`;
  return new ConnectError(words, code, undefined, [{ desc: ErrorInfoSchema, value: { reason, ...info } }]);
}

/** The requests of one kind among the calls, in order. */
export function requestsOf<Input extends DescMessage>(
  calls: readonly EdgeCall[],
  method: { readonly name: string; readonly input: Input },
): MessageShape<Input>[] {
  return calls.filter(({ name }) => name === method.name).map(({ request }) => request as MessageShape<Input>);
}
