// What is checked in, read as YAML: the manifests that decide in an environment, each with the file it stands in.

import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { isMap, parse, parseAllDocuments } from "yaml";
import type { Manifest } from "./manifest.ts";
import { type Environment, type MeshOptions, parseOptions } from "./options.ts";

const mesh = join(import.meta.dirname, "..");
const root = join(mesh, "..");

/** Istio's root namespace: what stands there holds in every other. */
export const rootNamespace = "istio-system";

/** A manifest and where it stands. */
export interface Located<Spec> {
  /** `mesh/gen/dev/document.yaml` */
  readonly file: string;
  readonly kind: string;
  readonly name: string;
  readonly namespace: string;
  readonly spec: Spec;
}

/** The options that mesh/gen is made with. */
export function meshOptions(): MeshOptions {
  const { plugins } = parse(readFileSync(join(root, "buf.gen.mesh.yaml"), "utf8")) as {
    plugins: readonly [{ opt: readonly string[] }];
  };
  return parseOptions(plugins[0].opt.join());
}

/** The mesh config that istiod and every proxy start with, as YAML. */
export function meshConfig(): string {
  const document = parseAllDocuments(readFileSync(join(mesh, "control_plane", "istiod_values.yaml"), "utf8"))[0];
  const config = document?.get("meshConfig", true);
  if (!isMap(config)) throw new Error("mesh/control_plane/istiod_values.yaml has no meshConfig.");
  return String(config);
}

/** Everything that Istio knows of an environment: what is generated, what is hand-written, and the root namespace's. */
export function configurationOf(environment: Environment): readonly Located<unknown>[] {
  return [
    ...manifestsIn(join(mesh, "gen", environment.name), environment.namespace),
    ...manifestsIn(join(mesh, "base"), environment.namespace),
    ...manifestsIn(join(mesh, "control_plane"), rootNamespace),
  ];
}

function manifestsIn(folder: string, namespace: string): Located<unknown>[] {
  const files = readdirSync(folder)
    .filter((name) => name.endsWith(".yaml") && name !== "kustomization.yaml")
    .sort();
  return files.flatMap((name) => {
    const path = join(folder, name);
    return parseAllDocuments(readFileSync(path, "utf8"))
      .map((document) => document.toJS() as Partial<Manifest>)
      .filter((manifest): manifest is Manifest => manifest?.kind !== undefined)
      .map(({ kind, metadata, spec }) => ({
        file: relative(root, path).replaceAll("\\", "/"),
        kind,
        name: metadata.name,
        namespace: metadata.namespace ?? namespace,
        spec: spec ?? {},
      }));
  });
}
