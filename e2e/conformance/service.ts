// The suites' services on the runtime's gRPC server, behind the whole chain of a service of Docket. What differs from
// runtime/service.ts is said here: errors that a test asked for reach the client as they are (asked.ts).

import { allowed } from "@docket/runtime/access";
import { AppError } from "@docket/runtime/errors";
import { bind, close, createServer } from "@docket/runtime/grpc/listener";
import { implement, mount } from "@docket/runtime/grpc/server";
import type { Identity } from "@docket/runtime/identity/identity";
import { chain } from "@docket/runtime/interceptors/chain";
import { warmValidation } from "@docket/runtime/interceptors/validation";
import { createLogger } from "@docket/runtime/logger";
import { LiveStreams } from "@docket/runtime/service";
import { Reason } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import { asAsked, failureOf } from "./asked.ts";
import { conformanceHandlers } from "./conformance_service.ts";
import { ConformanceService } from "./gen/connectrpc/conformance/v1/service_pb.ts";
import { TestService } from "./gen/grpc/testing/test_pb.ts";
import { interopHandlers } from "./interop_service.ts";

/** The services of both suites, listening. */
export interface SuiteService extends AsyncDisposable {
  readonly port: number;
}

/** Starts them, or throws a StartError with one sentence. */
export async function startSuiteService(
  identity: Identity,
  listen: { readonly host: string; readonly port: number },
): Promise<SuiteService> {
  warmValidation([ConformanceService, TestService]);
  const server = createServer();
  const links = chain({
    identity,
    logger: createLogger({ level: "silent" }),
    authorizer: { check: async () => allowed },
    verifyToken: async () => {
      throw new AppError(Reason.SESSION_INVALID);
    },
    liveStreams: new LiveStreams(),
  });
  const options = { interceptors: [asAsked, ...links], failure: failureOf };
  mount(server, implement(ConformanceService, conformanceHandlers), options);
  mount(server, implement(TestService, interopHandlers), options);
  const port = await bind(server, listen, identity);
  return { port, [Symbol.asyncDispose]: () => close(server, 500) };
}
