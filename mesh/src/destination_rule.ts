// How connections to a workload behave: how many, to whom, and what happens to a pod that fails. No `tls` block, since that
// would override the mesh's own mTLS.

import type { Workload } from "@docket/contracts/gen/docket/policy/v1/policy_pb.ts";
import { workloadName } from "@docket/contracts/policy";
import type { CallGraph } from "./call_graph.ts";
import type { Commented } from "./manifest.ts";
import { type Environment, hostOf } from "./options.ts";
import { subsets } from "./virtual_service.ts";
import { rowOf } from "./workloads.ts";

/** The rule of each Service of a workload that others call. Overlays patch what an environment needs otherwise. */
export function destinationRules(workload: Workload, graph: CallGraph, environment: Environment): Commented[] {
  if (graph.callers(workload).length === 0) return [];
  const { grpcPort, canaryService } = rowOf(workload);
  const app = workloadName(workload);
  const rule = (name: string): Commented => ({
    manifest: {
      apiVersion: "networking.istio.io/v1",
      kind: "DestinationRule",
      metadata: { name, namespace: environment.namespace },
      spec: {
        exportTo: ["."],
        host: hostOf(workload, environment).replace(app, name),
        trafficPolicy,
        // Both hold all pods until a rollout gives each the hash of its version.
        ...(grpcPort === undefined ? {} : { subsets: subsets.map((subset) => ({ name: subset, labels: { app } })) }),
      },
    },
  });
  return [rule(app), ...(canaryService ? [rule(`${app}-canary`)] : [])];
}

const trafficPolicy = {
  loadBalancer: {
    simple: "LEAST_REQUEST",
    // The same zone first, others when its pods are ejected; that needs the outlier detection below.
    localityLbSetting: { enabled: true },
  },
  connectionPool: {
    tcp: {
      maxConnections: 1024,
      connectTimeout: "1s",
      // Below the 350 s after which load balancers and NAT forget a silent connection.
      tcpKeepalive: { time: "60s", interval: "20s", probes: 3 },
    },
    http: {
      // Above the edge's own limit of streams (EDGE_MAX_STREAMS), which says so in a better sentence.
      http2MaxRequests: 20000,
      http1MaxPendingRequests: 1024,
      // Never: a connection with a long stream on it must not be closed for its age.
      maxRequestsPerConnection: 0,
      maxRetries: 64,
    },
  },
  outlierDetection: {
    // An answer INTERNAL is a defect of one call, not of a pod: only those that say that the pod is away count.
    consecutive5xxErrors: 0,
    consecutiveGatewayErrors: 10,
    splitExternalLocalOriginErrors: true,
    consecutiveLocalOriginFailures: 5,
    interval: "10s",
    baseEjectionTime: "30s",
    maxEjectionPercent: 50,
  },
} as const;
