// Which workload calls, by its certificate, and whether the RPC names it among its callers.

import type { Interceptor } from "@connectrpc/connect";
import { Reason } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import { callersOf, workloadName } from "@docket/contracts/policy";
import { callKey } from "../call.ts";
import { AppError } from "../errors.ts";
import { peerKey } from "../grpc/server.ts";
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
