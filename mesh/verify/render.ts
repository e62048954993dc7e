// What is shipped, as kustomize renders it: the mesh's policies and the workloads of one environment.

import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { parse, stringify } from "yaml";
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
  /** What mesh/control_plane and mesh/overlays say. */
  readonly mesh: readonly KubernetesObject[];
  /** What argocd/workloads/overlays says. */
  readonly workloads: readonly KubernetesObject[];
  /** The mesh config, as istiod's Helm values have it. */
  readonly meshConfig: string;
}

/** Renders one environment. Throws with what kustomize says. */
export async function render(kustomize: string, environment: Environment): Promise<Rendered> {
  const build = async (folder: string) => {
    const { stdout } = await run(kustomize, ["build", join(root, folder)], { maxBuffer: 64 << 20 });
    return parseObjects(stdout);
  };
  const [controlPlane, mesh, workloads, foundation] = await Promise.all([
    build("mesh/control_plane"),
    build(`mesh/overlays/${environment}`),
    build(`argocd/workloads/overlays/${environment}`),
    build(`argocd/workloads/overlays/${environment}/foundation`),
  ]);
  const values = parse(await readFile(join(root, "mesh/control_plane/istiod_values.yaml"), "utf8"));
  return {
    environment,
    namespace: namespaceOf(environment),
    mesh: [...controlPlane, ...mesh],
    workloads: [...workloads, ...foundation],
    meshConfig: stringify(values.meshConfig),
  };
}
