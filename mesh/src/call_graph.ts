// Who may call which RPC with what, read from the policies: the one model that every manifest is made from.

import type { DescFile, DescMethod, DescService } from "@bufbuild/protobuf";
import { Permission, Principal, type Workload } from "@docket/contracts/gen/docket/policy/v1/policy_pb.ts";
import {
  callersOf,
  deadlineMsOf,
  foreignService,
  policyOf,
  retriesOf,
  rpcNameOf,
  workloadOf,
  workloads,
} from "@docket/contracts/policy";
import { rowOf } from "./workloads.ts";

/** What token a call must carry: none, anybody's, or one of a person or of an application (an API key) alone. */
export type Demand = "none" | "any" | "person" | "application";

/** One RPC as the mesh sees it at the workload that serves it. */
export interface ServedRpc {
  /** `docket.document.v1.DocumentService/GetDocument`. */
  readonly name: string;
  /** The workloads that may call it, without the one that serves it. */
  readonly callers: readonly Workload[];
  readonly demand: Demand;
  /** The longest time of a unary call, in milliseconds; undefined for streams, which have none. */
  readonly timeoutMs: number | undefined;
  /** How often the mesh tries again. */
  readonly retries: number;
  /** Health or reflection. */
  readonly foreign: boolean;
}

/** All calls of the mesh. */
export interface CallGraph {
  /** What a workload serves over gRPC, in the order of the protos; foreign services last. */
  served(workload: Workload): readonly ServedRpc[];
  /** The workloads that it calls or whose pages it asks for. */
  callees(workload: Workload): readonly Workload[];
  /** The workloads that call it or ask for its pages. */
  callers(workload: Workload): readonly Workload[];
}

/** Reads the graph of these files. Throws with a sentence where a workload serves RPCs and has no port for them. */
export function callGraphOf(files: readonly DescFile[]): CallGraph {
  const services = files.flatMap((file) => file.services);
  const own = services.filter((service) => service.typeName.startsWith("docket."));
  const foreign = services.filter((service) => foreignService(service.typeName) !== undefined);
  const served = new Map(workloads.map((workload) => [workload, servedBy(workload, own, foreign)]));
  const calls = (caller: Workload, callee: Workload) =>
    (served.get(callee) ?? []).some((rpc) => rpc.callers.includes(caller) && isMeant(rpc)) ||
    (rowOf(callee).pages ?? []).some(({ callers }) => callers.includes(caller));
  return {
    served: (workload) => served.get(workload) ?? [],
    callees: (workload) => workloads.filter((callee) => calls(workload, callee)),
    callers: (workload) => workloads.filter((caller) => calls(caller, workload)),
  };
}

/** What everybody may ask (health) is no reason to open the network between two workloads. */
function isMeant(rpc: ServedRpc): boolean {
  return !rpc.foreign || rpc.callers.length < workloads.length - 1;
}

function servedBy(workload: Workload, own: readonly DescService[], foreign: readonly DescService[]): ServedRpc[] {
  const services = own.filter((service) => workloadOf(service) === workload);
  const row = rowOf(workload);
  if (services.length > 0 && row.grpcPort === undefined) {
    throw new Error(`${services[0]?.typeName} is served at no port: give its workload one in mesh/src/workloads.ts.`);
  }
  const port = row.grpcPort ?? row.foreignPort;
  return [...services, ...(port === undefined ? [] : foreign)].flatMap((service) =>
    service.methods.map((method) => servedRpc(method, workload)),
  );
}

function servedRpc(method: DescMethod, workload: Workload): ServedRpc {
  const unary = method.methodKind === "unary";
  return {
    name: rpcNameOf(method),
    callers: callersOf(method).filter((caller) => caller !== workload),
    demand: demandOf(method),
    timeoutMs: unary ? deadlineMsOf(method) : undefined,
    retries: unary ? retriesOf(method) : 0,
    foreign: foreignService(method.parent.typeName) !== undefined,
  };
}

/** The token that an RPC demands, by the same reading of its policy as the runtime's (runtime/interceptors/session.ts). */
export function demandOf(method: DescMethod): Demand {
  if (foreignService(method.parent.typeName)) return "none";
  const { access, principals } = policyOf(method);
  if (access.case === "system" || access.case === "anonymous" || access.case === undefined) return "none";
  if (principals === Principal.PERSON) return "person";
  if (principals === Principal.KEY) return "application";
  // Without a scope that a key could carry, such an RPC is not for keys at all.
  const keyless = access.case !== "permission" && access.value.keyScope === Permission.UNSPECIFIED;
  return keyless ? "person" : "any";
}
