/**
 * Every service and every RPC of Docket, from the generated descriptors. Whoever must treat all of them alike (edge, access
 * matrix, reflection, mesh policies) loops over this list, so that a new RPC needs no edit elsewhere.
 */
import type { DescFile, DescMethod, DescService } from "@bufbuild/protobuf";
import type { Policy } from "./gen/docket/policy/v1/policy_pb.ts";
import { allFiles, allRpcs, allServices, type RpcName } from "./gen/services.ts";
import { policyOf } from "./policy.ts";

export type { RpcName } from "./gen/services.ts";

/** The typed descriptor of one RPC by its name. */
export type RpcMethod<Name extends RpcName> = (typeof allRpcs)[Name];

/** One RPC with what belongs to it. */
export interface Rpc {
  /** For example `docket.document.v1.DocumentService/GetDocument`; the gRPC path is this with a slash before it. */
  name: RpcName;
  service: DescService;
  method: DescMethod;
  policy: Policy;
}

/** Every file of proto/docket. */
export const files: readonly DescFile[] = allFiles;

/** Every service of Docket. Health and reflection are in `foreignServices` of policy.ts. */
export const services: readonly DescService[] = allServices;

/** Every RPC of Docket, in the order of the protos. */
export const rpcs: readonly Rpc[] = Object.entries(allRpcs as Record<string, DescMethod>).map(([name, method]) => ({
  name: name as RpcName,
  service: method.parent,
  method,
  policy: policyOf(method),
}));

const byName = new Map<string, Rpc>(rpcs.map((rpc) => [rpc.name, rpc]));

/** The RPC of a name or of a gRPC path (`/service/Method`), or undefined. */
export function findRpc(path: string): Rpc | undefined {
  return byName.get(path.startsWith("/") ? path.slice(1) : path);
}

/** The RPCs that the edge publishes. */
export function edgeRpcs(): Rpc[] {
  return rpcs.filter(({ policy }) => policy.edge);
}
