// Puts the region into the names that Sidecars let pass. A part of every overlay, made here, since only the table of what
// workloads need knows which Sidecar has which name.

import { workloads } from "@docket/contracts/policy";
import { kustomizationOf } from "./manifest.ts";
import { podsOf } from "./pods.ts";
import { outsides, rowOf } from "./workloads.ts";

/** The text of mesh/gen/region/kustomization.yaml. */
export function regionComponent(): string {
  const sidecars = new Map<string, string[]>();
  for (const workload of workloads) {
    const hosts = rowOf(workload).needs.flatMap((need) => outsides[need].hosts);
    for (const host of hosts.filter((name) => name.split(".").includes("region"))) {
      sidecars.set(host, [...(sidecars.get(host) ?? []), ...podsOf(workload)]);
    }
  }
  const targets = [...sidecars].map(([host, names]) => ({
    select: { kind: "Sidecar", name: names.join("|") },
    fieldPaths: [`spec.egress.0.hosts.[=./${host}]`],
    options: { delimiter: ".", index: `./${host}`.split(".").indexOf("region") },
  }));
  const source = { kind: "ConfigMap", name: "platform", fieldPath: "data.region" };
  return kustomizationOf({
    apiVersion: "kustomize.config.k8s.io/v1alpha1",
    kind: "Component",
    replacements: [{ source, targets }],
  });
}
