// Docket's edge, publishing the suite's service instead of Docket's RPCs.

import { createRegistry, type DescService } from "@bufbuild/protobuf";
import { policyOf, rpcNameOf } from "@docket/contracts/policy";
import type { Rpc } from "@docket/contracts/registry";
import { DocumentService } from "@docket/contracts/gen/docket/document/v1/document_service_pb.ts";
import { readConfig } from "@docket/gateway/config";
import { type RunningGateway, startGateway } from "@docket/gateway/service";
import type { Identity } from "@docket/runtime/identity/identity";
import { createLogger } from "@docket/runtime/logger";
import {
  ConformanceService,
  file_connectrpc_conformance_v1_service,
} from "./gen/connectrpc/conformance/v1/service_pb.ts";
import { beneath, outside } from "./passage.ts";

export interface SuiteEdgeOptions {
  readonly identity?: Identity;
  /** Where the suite's service listens, as the workload `document`. */
  readonly service: string;
  readonly host: string;
  readonly port: number;
  /** PEM files. Without them it speaks plaintext. */
  readonly tls?: { readonly cert: string; readonly key: string } | undefined;
}

/** Starts the edge in front of the suite's service. */
export async function startSuiteEdge({
  identity,
  service,
  host,
  port,
  tls,
}: SuiteEdgeOptions): Promise<RunningGateway> {
  const config = readConfig({
    ...process.env,
    HOST: host,
    PORT: String(port),
    DOCUMENT_ADDRESS: service,
    // One client sends thousands of calls as fast as it can; that is no overload and no abuse here.
    RATE_LIMIT_PERCENT: "0",
    EDGE_MAX_LOOP_DELAY: "0s",
    EDGE_DRAIN_TIMEOUT: "500ms",
    ...(tls ? { TLS_CERT: tls.cert, TLS_KEY: tls.key } : {}),
  });
  return await startGateway(config, {
    ...(identity ? { identity } : {}),
    logger: createLogger({ level: "silent" }),
    rpcs: published(ConformanceService),
    // The package of the suite's service names no workload of Docket; its calls go where those of documents go.
    transport: (mesh) => (called) =>
      called.typeName === ConformanceService.typeName ? beneath(mesh(DocumentService)) : mesh(called),
    // Docket's contract has no google.protobuf.Any, whose JSON needs to know the messages in it.
    library: {
      interceptors: [outside],
      jsonOptions: { registry: createRegistry(file_connectrpc_conformance_v1_service) },
    },
  });
}

function published(service: DescService): Rpc[] {
  return service.methods.map((method) => ({
    name: rpcNameOf(method) as Rpc["name"],
    service,
    method,
    policy: policyOf(method),
  }));
}
