// Other services are faked at the gateway's clients, over real gRPC and mTLS: only what a test needs is there.

import type { DescService } from "@bufbuild/protobuf";
import type { ServiceImpl } from "@connectrpc/connect";
import { Reason } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import { AppError } from "@docket/runtime/errors";
import { implement } from "@docket/runtime/service";

/** A service of which only some RPCs are there; the others answer UNIMPLEMENTED. */
export function partly<Service extends DescService>(service: Service, handlers: Partial<ServiceImpl<Service>>) {
  const missing = () => {
    throw new AppError(Reason.UNIMPLEMENTED);
  };
  const all = Object.fromEntries(service.methods.map(({ localName }) => [localName, missing]));
  return implement(service, { ...all, ...handlers } as ServiceImpl<Service>);
}
