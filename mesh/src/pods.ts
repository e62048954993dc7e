// The kinds of pods that a workload runs as, by their label `app`.

import type { Workload } from "@docket/contracts/gen/docket/policy/v1/policy_pb.ts";
import { workloadName } from "@docket/contracts/policy";
import { rowOf } from "./workloads.ts";

/** The pods that make a workload's calls: those that serve, and its workers. */
export function podsOf(workload: Workload): string[] {
  const name = workloadName(workload);
  return rowOf(workload).worker ? [name, `${name}-worker`] : [name];
}

/** The pods that bring a workload's schema up to date, and reach its database alone; undefined where it has none. */
export function migrationOf(workload: Workload): string | undefined {
  const { grpcPort, needs } = rowOf(workload);
  return grpcPort !== undefined && needs.includes("mysql") ? `${workloadName(workload)}-migration` : undefined;
}
