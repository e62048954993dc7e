// How long each call may take and how often it is tried again. Both are always said: Istio's own defaults are no deadline
// and two hidden retries. What no route names cannot be called.

import type { Workload } from "@docket/contracts/gen/docket/policy/v1/policy_pb.ts";
import { workloadName } from "@docket/contracts/policy";
import type { CallGraph, ServedRpc } from "./call_graph.ts";
import type { Commented } from "./manifest.ts";
import { type Environment, hostOf } from "./options.ts";
import { rowOf } from "./workloads.ts";

/** When a call is tried again. Not `cancelled` or `deadline-exceeded`: whoever called has given up by then. */
export const retryOn = "connect-failure,refused-stream,unavailable,reset";

/** The subsets that a canary moves weight between. */
export const subsets = ["stable", "canary"] as const;

/** The routes of a workload, one for all RPCs with the same deadline and retries; undefined where it serves none. */
export function virtualService(workload: Workload, graph: CallGraph, environment: Environment): Commented | undefined {
  const { grpcPort } = rowOf(workload);
  const rpcs = graph.served(workload);
  if (grpcPort === undefined || rpcs.length === 0) return undefined;
  const host = hostOf(workload, environment);
  const groups = new Map<string, ServedRpc[]>();
  for (const rpc of rpcs) groups.set(routeNameOf(rpc), [...(groups.get(routeNameOf(rpc)) ?? []), rpc]);
  const destination = (subset: string, weight: number) => ({
    destination: { host, subset, port: { number: grpcPort } },
    weight,
  });
  return {
    manifest: {
      apiVersion: "networking.istio.io/v1",
      kind: "VirtualService",
      metadata: { name: workloadName(workload), namespace: environment.namespace },
      spec: {
        exportTo: ["."],
        hosts: [host],
        http: [...groups.entries()]
          .sort(([, [a]], [, [b]]) => order(a as ServedRpc) - order(b as ServedRpc))
          .map(([name, same]) => {
            const [{ timeoutMs, retries }] = same as [ServedRpc];
            return {
              name,
              match: same.map((rpc) => ({ uri: { exact: `/${rpc.name}` } })),
              ...(timeoutMs === undefined ? {} : { timeout: durationOf(timeoutMs) }),
              retries: retries > 0 ? { attempts: retries, retryOn } : { attempts: 0 },
              route: [destination(subsets[0], 100), destination(subsets[1], 0)],
            };
          }),
      },
    },
  };
}

/** `unary-2s-retry-2`, `unary-5s` or `streams`. Argo Rollouts names the routes that it moves weight in. */
export function routeNameOf({ timeoutMs, retries }: Pick<ServedRpc, "timeoutMs" | "retries">): string {
  if (timeoutMs === undefined) return "streams";
  const unary = `unary-${durationOf(timeoutMs).replace(".", "-")}`;
  return retries > 0 ? `${unary}-retry-${retries}` : unary;
}

/** Streams last, since a route without an end is the exception. */
function order({ timeoutMs, retries }: ServedRpc): number {
  return (timeoutMs ?? Number.MAX_SAFE_INTEGER / 100) * 10 + retries;
}

function durationOf(milliseconds: number): string {
  return milliseconds % 1000 === 0 ? `${milliseconds / 1000}s` : `${milliseconds}ms`;
}
