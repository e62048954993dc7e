// What the Sidecars and the AuthorizationPolicies say by name, said again in pods, ports and addresses, where no Envoy can
// be talked round: whoever takes over a pod still reaches only this.

import type { Workload } from "@docket/contracts/gen/docket/policy/v1/policy_pb.ts";
import { workloadName } from "@docket/contracts/policy";
import type { CallGraph } from "./call_graph.ts";
import type { Commented } from "./manifest.ts";
import type { Environment, MeshOptions } from "./options.ts";
import { migrationOf, podsOf } from "./pods.ts";
import { type Need, outsides, privateRanges, rowOf, specialRanges } from "./workloads.ts";

/** Envoy's and the application's metrics, merged. */
const metricsPort = 15020;
/** Where a gateway says that it is ready. */
const readinessPort = 15021;
/** Where certificates and configuration come from. */
const istiodPort = 15012;

/** One NetworkPolicy for each kind of pod that the workload runs as. */
export function networkPolicies(
  workload: Workload,
  graph: CallGraph,
  options: MeshOptions,
  environment: Environment,
): Commented[] {
  const { needs } = rowOf(workload);
  const policy = (pods: string, ingress: unknown[], egress: unknown[]): Commented => ({
    manifest: {
      apiVersion: "networking.k8s.io/v1",
      kind: "NetworkPolicy",
      metadata: { name: pods, namespace: environment.namespace },
      spec: {
        podSelector: { matchLabels: { app: pods } },
        policyTypes: ["Ingress", "Egress"],
        ingress: [...ingress, fromObservability(options)],
        egress: [...toEverybody(options), ...egress],
      },
    },
  });
  const calls = graph.callees(workload).map((callee) => ({
    to: [{ podSelector: { matchLabels: { app: workloadName(callee) } } }],
    ports: doorsOf(callee, workload, graph).map(tcp),
  }));
  const outside = needs.map(toOutside);
  const [servers = "", ...workers] = podsOf(workload);
  const migration = migrationOf(workload);
  return [
    policy(servers, ingressOf(workload, graph), [...calls, ...outside]),
    ...workers.map((pods) => policy(pods, [], [...calls, ...outside])),
    ...(migration === undefined ? [] : [policy(migration, [], [toOutside("mysql")])]),
  ];
}

function ingressOf(workload: Workload, graph: CallGraph): unknown[] {
  const { publicPorts } = rowOf(workload);
  if (publicPorts !== undefined) return [{ ports: [...publicPorts, readinessPort].map(tcp) }];
  const byPorts = new Map<string, Workload[]>();
  for (const caller of graph.callers(workload)) {
    const key = doorsOf(workload, caller, graph).join();
    byPorts.set(key, [...(byPorts.get(key) ?? []), caller]);
  }
  return [...byPorts].map(([ports, callers]) => ({
    from: [{ podSelector: { matchExpressions: [{ key: "app", operator: "In", values: callers.flatMap(podsOf) }] } }],
    ports: ports.split(",").map(Number).map(tcp),
  }));
}

/** The ports of a workload that a caller uses. */
function doorsOf(callee: Workload, caller: Workload, graph: CallGraph): number[] {
  const { pages = [], grpcPort, foreignPort } = rowOf(callee);
  const doors = pages.filter(({ callers }) => callers.includes(caller)).map(({ port }) => port);
  const rpcPort = grpcPort ?? foreignPort;
  const rpcs = graph.served(callee).filter((rpc) => rpc.callers.includes(caller));
  // Health alone, which everybody may ask, is no reason: the pages' ports are all that such a caller uses.
  if (rpcPort !== undefined && rpcs.length > 0 && doors.length === 0) doors.push(rpcPort);
  return [...new Set(doors)];
}

function tcp(port: number) {
  return { protocol: "TCP", port };
}

function namespaced(namespace: string) {
  return { namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": namespace } } };
}

function toEverybody({ observability }: MeshOptions): unknown[] {
  return [
    {
      to: [{ ...namespaced("kube-system"), podSelector: { matchLabels: { "k8s-app": "kube-dns" } } }],
      ports: [{ protocol: "UDP", port: 53 }, tcp(53)],
    },
    {
      to: [{ ...namespaced("istio-system"), podSelector: { matchLabels: { app: "istiod" } } }],
      ports: [tcp(istiodPort)],
    },
    { to: [namespaced(observability)], ports: [4317, 4318].map(tcp) },
  ];
}

function fromObservability({ observability }: MeshOptions) {
  return { from: [namespaced(observability)], ports: [tcp(metricsPort)] };
}

function toOutside(need: Need) {
  const { ports, where } = outsides[need];
  const blocks = {
    private: privateRanges.map((cidr) => ({ ipBlock: { cidr } })),
    public: [{ ipBlock: { cidr: "0.0.0.0/0", except: specialRanges } }],
    anywhere: [{ ipBlock: { cidr: "0.0.0.0/0" } }],
  };
  return { to: blocks[where], ports: ports.length > 0 ? ports.map(tcp) : [{ protocol: "TCP" }] };
}
