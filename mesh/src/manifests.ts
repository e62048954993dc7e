// All files of mesh/gen, by their paths in it.

import type { DescFile } from "@bufbuild/protobuf";
import type { Workload } from "@docket/contracts/gen/docket/policy/v1/policy_pb.ts";
import { workloadName, workloads } from "@docket/contracts/policy";
import { authorizationPolicy } from "./authorization_policy.ts";
import { type CallGraph, callGraphOf } from "./call_graph.ts";
import { callGraphPage } from "./call_graph_page.ts";
import { destinationRules } from "./destination_rule.ts";
import { type Commented, fileOf, kustomizationOf } from "./manifest.ts";
import { networkPolicies } from "./network_policy.ts";
import type { Environment, MeshOptions } from "./options.ts";
import { regionComponent } from "./region.ts";
import { requestAuthentication } from "./request_authentication.ts";
import { sidecars } from "./sidecar.ts";
import { virtualService } from "./virtual_service.ts";

/** The files by path: `dev/document.yaml`, `dev/kustomization.yaml`, `call-graph.md`. */
export function meshFiles(files: readonly DescFile[], options: MeshOptions): Map<string, string> {
  const graph = callGraphOf(files);
  const made = new Map<string, string>();
  for (const environment of options.environments) {
    const names = workloads.map((workload) => `${workloadName(workload)}.yaml`);
    for (const workload of workloads) {
      const objects = objectsOf(workload, graph, options, environment);
      made.set(`${environment.name}/${workloadName(workload)}.yaml`, fileOf(objects, headOf(workload, graph)));
    }
    made.set(
      `${environment.name}/kustomization.yaml`,
      kustomizationOf({ apiVersion: "kustomize.config.k8s.io/v1beta1", kind: "Kustomization", resources: names }),
    );
  }
  made.set("region/kustomization.yaml", regionComponent());
  made.set("call-graph.md", callGraphPage(graph));
  return made;
}

/** Everything that the mesh knows of a workload in an environment. */
function objectsOf(workload: Workload, graph: CallGraph, options: MeshOptions, environment: Environment): Commented[] {
  return [
    authorizationPolicy(workload, graph, options, environment),
    requestAuthentication(workload, environment),
    virtualService(workload, graph, environment),
    ...destinationRules(workload, graph, environment),
    ...sidecars(workload, graph, options, environment),
    ...networkPolicies(workload, graph, options, environment),
  ].filter((object) => object !== undefined);
}

function headOf(workload: Workload, graph: CallGraph): string[] {
  const words = (others: readonly Workload[]) => others.map(workloadName).join(", ") || "nobody";
  return [
    `${workloadName(workload)}: called by ${words(graph.callers(workload))}; calls ${words(graph.callees(workload))}.`,
  ];
}
