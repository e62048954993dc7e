// What the pods of a workload may reach: the workloads it calls and what it needs outside, by name. The NetworkPolicy says
// the same in addresses.

import type { Workload } from "@docket/contracts/gen/docket/policy/v1/policy_pb.ts";
import type { CallGraph } from "./call_graph.ts";
import type { Commented } from "./manifest.ts";
import { type Environment, hostOf, type MeshOptions } from "./options.ts";
import { migrationOf, podsOf } from "./pods.ts";
import { outsides, rowOf } from "./workloads.ts";

/** One Sidecar for each kind of pod that the workload runs as; none for the ingress, which is an Envoy itself. */
export function sidecars(
  workload: Workload,
  graph: CallGraph,
  { observability }: MeshOptions,
  environment: Environment,
): Commented[] {
  const { needs, gateway } = rowOf(workload);
  if (gateway) return [];
  const callees = graph.callees(workload).map((callee) => `./${hostOf(callee, environment)}`);
  // Where spans and metrics go, and names too long for a datagram.
  const everybody = [`${observability}/*`, "kube-system/kube-dns.kube-system.svc.cluster.local"];
  const outside = needs.flatMap((need) => outsides[need].hosts).map((host) => `./${host}`);
  const sidecar = (name: string, hosts: readonly string[], open: boolean): Commented => ({
    manifest: {
      apiVersion: "networking.istio.io/v1",
      kind: "Sidecar",
      metadata: { name, namespace: environment.namespace },
      spec: {
        workloadSelector: { labels: { app: name } },
        outboundTrafficPolicy: { mode: open ? "ALLOW_ANY" : "REGISTRY_ONLY" },
        egress: [{ hosts: [...new Set(hosts)] }],
      },
    },
    remarks: open
      ? [
          {
            at: ["spec", "outboundTrafficPolicy"],
            text: "Webhooks go wherever their makers say; the NetworkPolicy keeps private addresses out.",
          },
        ]
      : [],
  });
  const all = [...callees, ...outside, ...everybody];
  const migration = migrationOf(workload);
  const database = outsides.mysql.hosts.map((host) => `./${host}`);
  return [
    ...podsOf(workload).map((name) => sidecar(name, all, needs.includes("internet"))),
    ...(migration === undefined ? [] : [sidecar(migration, [...database, ...everybody], false)]),
  ];
}
