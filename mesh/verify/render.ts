// What is shipped, as kustomize renders it: the mesh's policies and the workloads of one environment.

import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { parse, stringify } from "yaml";
import { meshOptions } from "../src/configuration.ts";
import { type KubernetesObject, parseObjects } from "./objects.ts";

const run = promisify(execFile);
const root = join(import.meta.dirname, "..", "..");

const made = meshOptions().environments;

/** The environments that mesh/gen is made for, in the order of promotion. */
export const environments: readonly string[] = made.map(({ name }) => name);

/** The namespace of an environment. Throws where there is no such environment. */
export function namespaceOf(environment: string): string {
  const found = made.find(({ name }) => name === environment);
  if (found === undefined) throw new Error(`There is no environment ${environment}.`);
  return found.namespace;
}

/** Everything that belongs to one environment. */
export interface Rendered {
  readonly environment: string;
  readonly namespace: string;
  /** What mesh/control_plane and mesh/overlays say. */
  readonly mesh: readonly KubernetesObject[];
  /** What argocd/workloads/overlays says. */
  readonly workloads: readonly KubernetesObject[];
  /** The mesh config, as istiod's Helm values have it. */
  readonly meshConfig: string;
}

/** Renders one environment. Throws with what kustomize says. */
export async function render(kustomize: string, environment: string): Promise<Rendered> {
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
