// A span and a count for each call to another service, and the header by which the trace goes there.

import { type Code, ConnectError, type Interceptor } from "@connectrpc/connect";
import { rpcNameOf } from "@docket/contracts/policy";
import { headerNames } from "../call.ts";
import { finishing } from "../interceptors/streams.ts";
import { type ClientCalls, statusName } from "./call_metrics.ts";
import { activeSpan, iterateWithin, type LiveSpan, within } from "./span.ts";
import { formatTraceparent } from "./traceparent.ts";

/** Outermost on the way out, so that a call with all its attempts is one. */
export function clientSpans(calls: ClientCalls | undefined): Interceptor {
  return (next) => async (request) => {
    const started = performance.now();
    const rpc = rpcNameOf(request.method);
    const here = activeSpan();
    const span = here?.child(rpc, "client", { "rpc.system.name": "grpc", "rpc.method": rpc });
    const from = span ?? here;
    if (from !== undefined) request.header.set(headerNames.trace, formatTraceparent(from));
    let over = false;
    const finish = (error?: unknown) => {
      if (over) return;
      over = true;
      const code = error === undefined ? undefined : ConnectError.from(error).code;
      calls?.ended(rpc, { code, seconds: (performance.now() - started) / 1000, span: from });
      if (span !== undefined) end(span, code);
    };
    try {
      const response = await within(span, () => next(request));
      if (response.stream) {
        // Whoever gives a stream up does not read it to its end; what the reading itself says of that comes first.
        const givenUp = () => setImmediate(finish, request.signal.reason);
        if (request.signal.aborted) givenUp();
        else request.signal.addEventListener("abort", givenUp, { once: true });
        return { ...response, message: finishing(iterateWithin(span, response.message), finish) };
      }
      finish();
      return response;
    } catch (error) {
      finish(error);
      throw error;
    }
  };
}

function end(span: LiveSpan, code: Code | undefined): void {
  span.set({ "rpc.response.status_code": statusName(code) });
  // For whoever called, every refusal is an error.
  if (code !== undefined) span.fail(statusName(code));
  span.end();
}
