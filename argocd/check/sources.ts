// What others publish and we install or are checked by, pinned: as Go modules, which hold their repositories' files under a
// checksum. It knows where things are, and not what they are for.

import { execFile } from "node:child_process";
import { access, mkdir, readdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { cacheFolder } from "../../mesh/verify/tools.ts";

const run = promisify(execFile);

/** A published repository, as Argo CD names it and as the Go proxy does. */
export interface Source {
  /** `argoproj/argo-cd`, at GitHub. */
  readonly repository: string;
  readonly module: string;
  /** The tag; the same in both. */
  readonly version: string;
  /** Files, or folders of files, with definitions of kinds. */
  readonly definitions: readonly string[];
}

/** All of them. A test compares the versions with those that argocd/ installs. */
export const sources: readonly Source[] = [
  {
    repository: "argoproj/argo-cd",
    module: "github.com/argoproj/argo-cd/v3",
    version: "v3.5.7",
    definitions: ["manifests/crds"],
  },
  {
    repository: "argoproj/argo-rollouts",
    module: "github.com/argoproj/argo-rollouts",
    version: "v1.10.1",
    definitions: ["manifests/crds"],
  },
  {
    repository: "kedacore/keda",
    module: "github.com/kedacore/keda/v2",
    version: "v2.21.0",
    definitions: ["config/crd/bases"],
  },
  {
    repository: "external-secrets/external-secrets",
    module: "github.com/external-secrets/external-secrets",
    version: "v1.3.2",
    definitions: ["config/crds/bases"],
  },
  {
    repository: "kubernetes-sigs/gateway-api",
    module: "sigs.k8s.io/gateway-api",
    version: "v1.6.0",
    definitions: ["config/crd/standard"],
  },
];

/** The chart of External Secrets is in its repository; Istio's are in Istio's. */
const helmVersion = "v4.2.0";

/** The folder of a module, fetched where it is missing. */
export async function folderOf({ module, version }: Pick<Source, "module" | "version">): Promise<string> {
  const { stdout } = await run("go", ["mod", "download", "-json", `${module}@${version}`], { maxBuffer: 16 << 20 });
  return (JSON.parse(stdout) as { Dir: string }).Dir;
}

/** The folder of Istio, at the revision that mesh/verify is built of. */
export async function istioFolder(): Promise<string> {
  const text = await readFile(join(import.meta.dirname, "../../mesh/verify/istio/go.mod"), "utf8");
  const version = text.match(/istio\.io\/istio (v\S+)/)?.[1];
  if (version === undefined) throw new Error("mesh/verify/istio/go.mod names no version of istio.io/istio.");
  return await folderOf({ module: "istio.io/istio", version });
}

/** Every file with definitions of kinds that we use. */
export async function definitionFiles(): Promise<string[]> {
  const files = [join(await istioFolder(), "manifests/charts/base/files/crd-all.gen.yaml")];
  for (const source of sources) {
    const folder = await folderOf(source);
    for (const place of source.definitions) {
      const names = await readdir(join(folder, place));
      const yaml = names.filter((name) => /\.ya?ml$/.test(name) && name !== "kustomization.yaml").sort();
      files.push(...yaml.map((name) => join(folder, place, name)));
    }
  }
  return files;
}

/** Helm, built once into the cache. */
export async function ensureHelm(say: (line: string) => void): Promise<string> {
  const folder = join(cacheFolder, `helm-${helmVersion}`);
  const path = join(folder, "helm");
  const there = await access(path).then(
    () => true,
    () => false,
  );
  if (there) return path;
  say("Building helm (about 3 minutes with cold caches)");
  const bin = join(folder, `.bin-${process.pid}`);
  await mkdir(bin, { recursive: true });
  try {
    await run("env", [`GOBIN=${bin}`, "go", "install", `helm.sh/helm/v4/cmd/helm@${helmVersion}`], {
      maxBuffer: 64 << 20,
    });
    await rename(join(bin, "helm"), path);
  } finally {
    await rm(bin, { recursive: true, force: true });
  }
  return path;
}
