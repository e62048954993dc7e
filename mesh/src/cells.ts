/**
 * The matrix of the mesh: every caller, every RPC, every state of a token, and what the contract says of each. What decides
 * here is the policy options alone; explain.ts reads the manifests and mesh/verify asks Envoy, and all three agree.
 */
import type { DescMethod, DescService } from "@bufbuild/protobuf";
import type { Workload } from "@docket/contracts/gen/docket/policy/v1/policy_pb.ts";
import { Health } from "@docket/contracts/gen/grpc/health/v1/health_pb.ts";
import { ServerReflection } from "@docket/contracts/gen/grpc/reflection/v1/reflection_pb.ts";
import { ServerReflection as ServerReflectionAlpha } from "@docket/contracts/gen/grpc/reflection/v1alpha/reflection_pb.ts";
import { callersOf, foreignService, rpcNameOf, workloadName, workloadOf, workloads } from "@docket/contracts/policy";
import { rpcs } from "@docket/contracts/registry";
import { demandOf } from "./call_graph.ts";
import type { Outcome } from "./evaluate.ts";
import { rowOf } from "./workloads.ts";

/** What token a call carries: none, a sound one of a person or of an application, or one that is not to be believed. */
export const tokenStates = ["none", "person", "key", "expired", "forged", "wrong-audience"] as const;
export type TokenState = (typeof tokenStates)[number];

/** Who calls: a workload of an environment. */
export interface Caller {
  readonly environment: string;
  readonly workload: Workload;
}

/** One RPC at the workload that serves it; health and reflection are served by several. */
export interface ServedMethod {
  readonly workload: Workload;
  readonly method: DescMethod;
}

/** One cell of the matrix. */
export interface Cell extends ServedMethod {
  readonly environment: string;
  readonly caller: Caller;
  readonly token: TokenState;
}

const foreign: readonly DescService[] = [Health, ServerReflection, ServerReflectionAlpha];

/** The workloads that have a gRPC port, and which. */
export function servers(): { readonly workload: Workload; readonly name: string; readonly port: number }[] {
  return workloads.flatMap((workload) => {
    const { grpcPort: port } = rowOf(workload);
    return port === undefined ? [] : [{ workload, name: workloadName(workload), port }];
  });
}

/** Every RPC of the contract, and health and reflection at every workload that has a gRPC port. */
export function servedMethods(): ServedMethod[] {
  return [
    ...rpcs.map(({ method, service }) => ({ method, workload: workloadOf(service) })),
    ...servers().flatMap(({ workload }) =>
      foreign.flatMap((service) => service.methods.map((method) => ({ method, workload }))),
    ),
  ];
}

/** Every cell of an environment; of the others only the edge calls, since a principal is nobody elsewhere whatever its name. */
export function cells(environment: string, others: readonly string[]): Cell[] {
  const callers: Caller[] = [
    ...workloads.map((workload) => ({ environment, workload })),
    ...others.flatMap((other) => workloads.slice(0, 1).map((workload) => ({ environment: other, workload }))),
  ];
  return servedMethods().flatMap((served) =>
    callers.flatMap((caller) => tokenStates.map((token) => ({ ...served, environment, caller, token }))),
  );
}

/** What the contract says of a cell, in the order in which the mesh looks: the token's truth, the caller, what it needs. */
export function decideByContract({ environment, caller, workload, method, token }: Cell): Outcome {
  if (token === "expired" || token === "forged") return "unauthenticated";
  if (token === "wrong-audience") return "denied";
  const known = caller.environment === environment && caller.workload !== workload;
  if (!known || !callersOf(method).includes(caller.workload)) return "denied";
  const demand = demandOf(method);
  if (demand === "none") return "allowed";
  if (token === "none") return "denied";
  return demand === "any" || demand === (token === "person" ? "person" : "application") ? "allowed" : "denied";
}

/** A cell in words: `gateway → document docket.document.v1.DocumentService/GetDocument, person`. */
export function cellName({ environment, caller, workload, method, token }: Cell): string {
  const from = `${caller.environment === environment ? "" : `${caller.environment}/`}${workloadName(caller.workload)}`;
  const at = foreignService(method.parent.typeName) ? `@${workloadName(workload)}` : "";
  return `${from} → ${rpcNameOf(method)}${at}, ${token}`;
}
