// Everything that Argo CD would apply, rendered here: our folders with what they take from others' repositories, and charts.

import { execFile } from "node:child_process";
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { promisify } from "node:util";
import { type KubernetesObject, parseObjects } from "../../mesh/verify/objects.ts";
import { environments } from "../../mesh/verify/render.ts";
import { folderOf, istioFolder, type Source, sources } from "./sources.ts";

const run = promisify(execFile);
const root = join(import.meta.dirname, "../..");

/** Something that is applied as a whole. */
export interface Render {
  /** Its folder, or the name of its chart. */
  readonly name: string;
  readonly text: string;
  readonly objects: readonly KubernetesObject[];
}

/** The clusters, by their folders. */
export const clusters = ["nonprod", "prod"] as const;

/** What is in Git as folders of its own, beside the controllers. */
const folders = [
  ...clusters.flatMap((name) => [`argocd/clusters/${name}`, `argocd/observability/${name}`]),
  "mesh/control_plane",
  ...environments.flatMap((name) => [
    `mesh/overlays/${name}`,
    `argocd/workloads/overlays/${name}/foundation`,
    `argocd/workloads/overlays/${name}`,
  ]),
];

/** Folders, rendered from a copy in which others' repositories are the folders of their modules. */
export async function renderFolders(kustomize: string): Promise<Render[]> {
  const copy = await mkdtemp(join(tmpdir(), "docket-argocd-"));
  try {
    for (const name of ["argocd", "mesh", "observability"]) {
      const yaml = (path: string) => !/\/(node_modules|verify|src|check)(\/|$)/.test(path.slice(root.length));
      await cp(join(root, name), join(copy, name), { recursive: true, filter: yaml });
    }
    await takeModules(copy);
    const all = [...folders, ...(await controllers())];
    return await Promise.all(
      all.map(async (name) => {
        const { stdout } = await run(kustomize, ["build", join(copy, name)], { maxBuffer: 64 << 20 });
        return { name, text: stdout, objects: parseObjects(stdout) };
      }),
    );
  } finally {
    await rm(copy, { recursive: true, force: true });
  }
}

/** The folders of controllers that are rendered by kustomize; the others hold values of charts. */
async function controllers(): Promise<string[]> {
  const found: string[] = [];
  const names = await readdir(join(root, "argocd/controllers"), { recursive: true });
  for (const name of names.sort()) {
    if (!name.endsWith("/kustomization.yaml")) continue;
    const folder = join("argocd/controllers", name, "..");
    // Components are part of others.
    if (!(await readFile(join(root, folder, "kustomization.yaml"), "utf8")).includes("kind: Component"))
      found.push(folder);
  }
  return found;
}

async function takeModules(copy: string): Promise<void> {
  const names = await readdir(copy, { recursive: true });
  for (const name of names.filter((each) => each.endsWith("kustomization.yaml"))) {
    const path = join(copy, name);
    const text = await readFile(path, "utf8");
    let local = text;
    for (const [whole = "", repository, place = "", version] of text.matchAll(remote)) {
      const source = sources.find((each) => each.repository === repository && each.version === version);
      if (source === undefined) throw new Error(`${name} takes ${whole}, which argocd/check/sources.ts does not pin.`);
      local = local.replace(whole, relative(join(path, ".."), join(await folderOf(source), place)));
    }
    if (local !== text) await writeFile(path, local);
  }
}

const remote = /https:\/\/github\.com\/([\w-]+\/[\w-]+)\/\/([\w./-]+)\?ref=(\S+)/g;

/** Charts whose files are in a module: what the Application would be given, at the version that it names or as near as there is. */
export async function renderCharts(helm: string): Promise<Render[]> {
  const istio = join(await istioFolder(), "manifests/charts");
  const { module, version } = sources.find((each) => each.repository.startsWith("external-secrets/")) as Source;
  const secrets = await folderOf({ module, version });
  const charts = [
    { name: "istio-base", chart: join(istio, "base"), namespace: "istio-system", values: [] },
    {
      name: "istiod",
      chart: join(istio, "istio-control/istio-discovery"),
      namespace: "istio-system",
      values: ["mesh/control_plane/istiod_values.yaml", "argocd/controllers/istio/istiod.yaml"],
    },
    {
      name: "istio-cni",
      chart: join(istio, "istio-cni"),
      namespace: "istio-system",
      values: ["argocd/controllers/istio/cni.yaml"],
    },
    {
      name: "external-secrets",
      chart: join(secrets, "deploy/charts/external-secrets"),
      namespace: "external-secrets",
      values: ["argocd/controllers/external-secrets/values.yaml"],
    },
  ];
  return await Promise.all(charts.map((chart) => template(helm, chart)));
}

interface Chart {
  readonly name: string;
  readonly chart: string;
  readonly namespace: string;
  readonly values: readonly string[];
}

async function template(helm: string, { name, chart, namespace, values }: Chart): Promise<Render> {
  const copy = await mkdtemp(join(tmpdir(), "docket-chart-"));
  try {
    await run("cp", ["-r", `${chart}/.`, copy]);
    await run("chmod", ["-R", "u+w", copy]);
    // Charts that are part of it only where a value says so are not fetched.
    const path = join(copy, "Chart.yaml");
    await writeFile(path, (await readFile(path, "utf8")).replace(/^dependencies:\n(?:[ -].*\n?)*/m, ""));
    const options = values.flatMap((file) => ["--values", join(root, file)]);
    const args = ["template", name, copy, "--namespace", namespace, ...options];
    const { stdout } = await run(helm, args, { maxBuffer: 64 << 20 });
    return { name: `chart ${name}`, text: stdout, objects: parseObjects(stdout) };
  } finally {
    await rm(copy, { recursive: true, force: true });
  }
}
