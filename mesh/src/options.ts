// What the plugin is told by buf.gen.mesh.yaml: in which mesh and which environments the workloads live.

import type { Workload } from "@docket/contracts/gen/docket/policy/v1/policy_pb.ts";
import { workloadName } from "@docket/contracts/policy";

/** One environment: a namespace of its own, so that its principals are nobody in the others. */
export interface Environment {
  /** `dev`, `stage` or `prod`. */
  readonly name: string;
  /** `docket-dev`. */
  readonly namespace: string;
}

/** The options of the plugin, checked. */
export interface MeshOptions {
  /** The first part of every principal. */
  readonly trustDomain: string;
  /** Where the Collector and Prometheus are. */
  readonly observability: string;
  readonly environments: readonly Environment[];
}

const name = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;
const domain = /^[a-z0-9]([a-z0-9.-]{0,253}[a-z0-9])?$/;

/** Reads the `opt` of buf.gen.mesh.yaml, which buf joins with commas. Throws with a sentence about the first that is wrong. */
export function parseOptions(parameter: string): MeshOptions {
  const environments: Environment[] = [];
  let trustDomain: string | undefined;
  let observability: string | undefined;
  for (const option of parameter.split(",").filter((text) => text !== "")) {
    const [key, value = ""] = option.split("=", 2);
    if (key === "trust_domain") trustDomain = checked(option, value, domain);
    else if (key === "observability") observability = checked(option, value, name);
    else if (key === "environment") {
      const [environment = "", namespace = ""] = value.split(":", 2);
      environments.push({
        name: checked(option, environment, name),
        namespace: checked(option, namespace, name),
      });
    } else
      throw new Error(`${JSON.stringify(option)} is no option; there are trust_domain, observability, environment.`);
  }
  if (trustDomain === undefined) throw new Error("trust_domain must be set, for example trust_domain=cluster.local.");
  if (observability === undefined) throw new Error("observability must be set to the namespace of the Collector.");
  if (environments.length === 0) throw new Error("environment must be set, for example environment=dev:docket-dev.");
  return { trustDomain, observability, environments };
}

function checked(option: string, value: string, pattern: RegExp): string {
  if (pattern.test(value)) return value;
  throw new Error(`${JSON.stringify(option)} does not name what it should in lower-case letters, digits and hyphens.`);
}

/** The principal of a workload, as AuthorizationPolicy writes it: its SPIFFE id without the scheme. */
export function principalOf(workload: Workload, { trustDomain }: MeshOptions, { namespace }: Environment): string {
  return `${trustDomain}/ns/${namespace}/sa/${workloadName(workload)}`;
}

/** The address of a workload's Service. */
export function hostOf(workload: Workload, { namespace }: Environment): string {
  return `${workloadName(workload)}.${namespace}.svc.cluster.local`;
}
