// Pools, ejection and balancing: what the DestinationRules that are checked in say, as it stands in the Envoys of those who call.

import type { Checks } from "../checks.ts";
import type { KubernetesObject } from "../objects.ts";
import type { VerifiedMesh } from "../mesh.ts";

interface Cluster {
  readonly name: string;
  readonly connect_timeout?: string;
  readonly lb_policy?: string;
  readonly outlier_detection?: {
    readonly consecutive_gateway_failure?: number;
    readonly consecutive_5xx?: number;
    readonly max_ejection_percent?: number;
    readonly base_ejection_time?: string;
  };
  readonly circuit_breakers?: { readonly thresholds: readonly { max_requests?: number; max_retries?: number }[] };
  readonly upstream_connection_options?: { readonly tcp_keepalive?: { readonly keepalive_time?: number } };
}

/** Who calls a host: in its Envoy the rule must be found. */
const callers: Readonly<Record<string, string>> = { gateway: "ingress", "gateway-canary": "ingress", web: "gateway" };

export async function checkClusters(mesh: VerifiedMesh, checks: Checks): Promise<void> {
  const check = checks.suite("clusters");
  const dumps = new Map<string, readonly Cluster[]>();
  for (const rule of mesh.cluster.istio.filter(({ kind }) => kind === "DestinationRule")) {
    const caller = callers[rule.metadata.name] ?? "gateway";
    const clusters = dumps.get(caller) ?? (await clustersOf(mesh, caller));
    dumps.set(caller, clusters);
    const faults = faultsOf(rule, clusters);
    check(`${caller}'s Envoy has what the rule ${rule.metadata.name} says`, faults.length === 0, faults.slice(0, 3));
  }
}

async function clustersOf(mesh: VerifiedMesh, pod: string): Promise<readonly Cluster[]> {
  const dump = JSON.parse(await mesh.envoy(pod, "config_dump?resource=dynamic_active_clusters")) as {
    configs: { cluster: Cluster }[];
  };
  return dump.configs.map(({ cluster }) => cluster);
}

function faultsOf({ spec }: KubernetesObject, clusters: readonly Cluster[]): string[] {
  const faults: string[] = [];
  const { outlierDetection, connectionPool } = spec.trafficPolicy;
  const subsets: string[] = (spec.subsets ?? [{ name: "" }]).map(({ name }: { name: string }) => name);
  for (const subset of subsets) {
    const own = clusters.filter(({ name }) => new RegExp(`^outbound\\|\\d+\\|${subset}\\|${spec.host}$`).test(name));
    if (own.length === 0) faults.push(`no cluster of subset ${JSON.stringify(subset)}`);
    for (const cluster of own) {
      const { outlier_detection: ejection, circuit_breakers: breakers } = cluster;
      const [threshold] = breakers?.thresholds ?? [];
      const expect = (what: string, seen: unknown, wanted: unknown) => {
        if (wanted !== undefined && seen !== wanted) faults.push(`${cluster.name}: ${what} is ${seen}, not ${wanted}`);
      };
      expect("the balancer", cluster.lb_policy, "LEAST_REQUEST");
      expect("the ejection's percentage", ejection?.max_ejection_percent, outlierDetection.maxEjectionPercent);
      expect("the ejection's time", ejection?.base_ejection_time, outlierDetection.baseEjectionTime);
      expect("gateway errors", ejection?.consecutive_gateway_failure, outlierDetection.consecutiveGatewayErrors);
      expect("the connect timeout", cluster.connect_timeout, connectionPool.tcp.connectTimeout);
      expect("requests at once", threshold?.max_requests, connectionPool.http?.http2MaxRequests);
      expect("retries at once", threshold?.max_retries, connectionPool.http?.maxRetries);
      expect(
        "the keep-alive's time",
        cluster.upstream_connection_options?.tcp_keepalive?.keepalive_time,
        Number.parseInt(connectionPool.tcp.tcpKeepalive?.time ?? "", 10) || undefined,
      );
    }
  }
  return faults;
}
