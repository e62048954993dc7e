// What is shipped, as kustomize renders it: the mesh's policies and the workloads of one environment.

import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { type KubernetesObject, parseObjects } from "./objects.ts";

const run = promisify(execFile);
const root = join(import.meta.dirname, "..", "..");

/** The environments, in the order of promotion. */
export const environments = ["dev", "stage", "prod"] as const;
export type Environment = (typeof environments)[number];

/** The namespace of an environment. */
export function namespaceOf(environment: Environment): string {
  return `docket-${environment}`;
}

/** Everything that belongs to one environment. */
export interface Rendered {
  readonly environment: Environment;
  readonly namespace: string;
  /** What mesh/overlays says. */
  readonly mesh: readonly KubernetesObject[];
  /** What argocd/workloads/overlays says. */
  readonly workloads: readonly KubernetesObject[];
}

/** Renders one environment. Throws with what kustomize says. */
export async function render(kustomize: string, environment: Environment): Promise<Rendered> {
  const build = async (folder: string) => {
    const { stdout } = await run(kustomize, ["build", join(root, folder, environment)], { maxBuffer: 64 << 20 });
    return parseObjects(stdout);
  };
  const [mesh, workloads] = await Promise.all([build("mesh/overlays"), build("argocd/workloads/overlays")]);
  return { environment, namespace: namespaceOf(environment), mesh, workloads };
}
