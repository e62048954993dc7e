// Which workload calls, by its certificate, and whether the RPC names it among its callers.

import type { Interceptor, StreamRequest, UnaryRequest } from "@connectrpc/connect";
import { Reason } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import { callersOf, workloadName } from "@docket/contracts/policy";
import { callKey } from "../call.ts";
import { AppError } from "../errors.ts";
import { peerKey } from "../grpc/server.ts";
import { forwardedCertificateHeader } from "../identity/forwarded.ts";
import type { ChainOptions, OpenCall } from "./options.ts";

export function caller({ identity }: ChainOptions): Interceptor {
  return (next) => (request) => {
    const call = request.contextValues.get(callKey) as OpenCall;
    call.caller = identity.workloadOf(request.contextValues.get(peerKey), request.header);
    if (!callersOf(request.method).includes(call.caller)) {
      throw new AppError(Reason.CALLER_DENIED, {
        metadata: { workload: workloadName(call.caller) },
        refusedBy: "caller",
      });
    }
    return next(request);
  };
}

/**
 * The same for health, with one exception: what probes the pod from inside it, past the certificates of its sidecar, has
 * no name and is answered. Nobody else comes without one, since the sidecar writes a name for each call that it lets in.
 */
export function callerOrProbe(options: ChainOptions): Interceptor {
  const named = caller(options);
  return (next) => {
    const asNamed = named(next);
    return (request) => (isProbe(request, options) ? next(request) : asNamed(request));
  };
}

function isProbe(request: UnaryRequest | StreamRequest, { identity }: ChainOptions): boolean {
  if (identity.mode !== "sidecar" || request.stream || request.header.has(forwardedCertificateHeader)) return false;
  return /^(127\.|::1$|::6$)/.test(request.contextValues.get(peerKey).address);
}
