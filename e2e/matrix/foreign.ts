// The cells of health and reflection, whose contracts are not ours: who may call them stands in a table of
// contracts/policy.ts, and each service of the mesh serves them.

import { create, type DescMethod, type DescService } from "@bufbuild/protobuf";
import { DocumentService } from "@docket/contracts/gen/docket/document/v1/document_service_pb.ts";
import { ReasonSchema } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import { UploadService } from "@docket/contracts/gen/docket/storage/v1/upload_service_pb.ts";
import { UserService } from "@docket/contracts/gen/docket/user/v1/user_service_pb.ts";
import { Health } from "@docket/contracts/gen/grpc/health/v1/health_pb.ts";
import { ServerReflection } from "@docket/contracts/gen/grpc/reflection/v1/reflection_pb.ts";
import { ServerReflection as ServerReflectionAlpha } from "@docket/contracts/gen/grpc/reflection/v1alpha/reflection_pb.ts";
import { callersOf, enumName, rpcNameOf, workloadName, workloadOf, workloads } from "@docket/contracts/policy";
import type { World } from "./world.ts";

/** One cell of a foreign service after it was played. */
export interface ForeignCell {
  readonly name: string;
  readonly declared: string;
  readonly observed: string;
}

const list = { messageRequest: { case: "listServices", value: "" } };
const requests: readonly [DescMethod, object][] = [
  [Health.method.check, {}],
  [Health.method.watch, {}],
  [ServerReflection.method.serverReflectionInfo, list],
  [ServerReflectionAlpha.method.serverReflectionInfo, list],
];
/** One service of each process of the mesh. */
const hosts: readonly DescService[] = [UserService, DocumentService, UploadService];

/** Calls each foreign RPC of each host as every workload. Nobody need stand behind these calls. */
export async function playForeign(world: World): Promise<ForeignCell[]> {
  const cells: ForeignCell[] = [];
  for (const host of hosts) {
    for (const [method, request] of requests) {
      for (const workload of workloads) {
        const { error, record } = await world.callers.call({
          workload,
          method,
          host,
          messages: [create(method.input, request as never)],
          token: undefined,
        });
        const refusal = `refused with ${record?.reason === undefined ? error?.message : enumName(ReasonSchema, record.reason)}`;
        cells.push({
          name: `${rpcNameOf(method)} of ${workloadName(workloadOf(host))} by ${workloadName(workload)}`,
          declared: declared(method, host, workload),
          observed: error === undefined ? "allowed" : refusal,
        });
      }
    }
  }
  return cells;
}

function declared(method: DescMethod, host: DescService, workload: (typeof workloads)[number]): string {
  // A process never calls itself: whoever shows a server its own name is somebody else.
  if (workload === workloadOf(host)) return "refused with CALLER_UNKNOWN";
  return callersOf(method).includes(workload) ? "allowed" : "refused with CALLER_DENIED";
}
