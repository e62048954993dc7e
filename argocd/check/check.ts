// `npm run argocd:check`: renders all that Argo CD would apply, and reads it as the API server would: Kubernetes' own kinds by
// its strict decoder, all others by their makers' definitions, and then by our own rules. What has no definition is named.

import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { environments, namespaceOf } from "../../mesh/verify/render.ts";
import { ensureTools } from "../../mesh/verify/tools.ts";
import { type Render, renderCharts, renderFolders } from "./renders.ts";
import { faultsOf } from "./rules.ts";
import { definitionFiles, ensureHelm } from "./sources.ts";

const run = promisify(execFile);
const say = (line: string) => process.stdout.write(`${line}\n`);

/** Kinds that have no definition of ours to be read by: named, and why that is all right. */
const unread: Readonly<Record<string, string>> = {
  "apiextensions.k8s.io/v1 CustomResourceDefinition": "which is what others are read by; its makers' own",
  "apiregistration.k8s.io/v1 APIService": "KEDA's own, unchanged",
};

if (!(await hasGo())) {
  process.stderr.write(
    "Go is missing: what is checked with is built by it, and others' repositories are fetched as its modules.\n",
  );
  process.exit(1);
}
const tools = await ensureTools(say, { dynamic: false });
const renders = [...(await renderFolders(tools.kustomize)), ...(await renderCharts(await ensureHelm(say)))];
const faults = [...(await readStrictly(renders)), ...placeholders(renders), ...(await byRules(renders))];
for (const fault of faults) say(`FAULT   ${fault}`);
const objects = renders.reduce((sum, render) => sum + render.objects.length, 0);
say(`${objects} objects in ${renders.length} renders, ${faults.length} faults`);
process.exitCode = faults.length === 0 ? 0 : 1;

async function hasGo(): Promise<boolean> {
  return await run("go", ["version"]).then(
    () => true,
    () => false,
  );
}

async function readStrictly(all: readonly Render[]): Promise<string[]> {
  const folder = await mkdtemp(join(tmpdir(), "docket-strict-"));
  try {
    const files = await Promise.all(
      all.map(async ({ name, text }) => {
        const path = join(folder, `${name.replaceAll(/[^a-z-]/g, "_")}.yaml`);
        await writeFile(path, text);
        return path;
      }),
    );
    const definitions = (await definitionFiles()).flatMap((file) => ["-definitions", file]);
    const core = await verify("strict", files);
    const custom = await verify("crds", [...definitions, ...files]);
    say(`Kubernetes' own kinds: ${core.summary}`);
    say(`Kinds with definitions: ${custom.summary}`);
    // What neither reader knows was read by nobody.
    const nobody = core.others.filter((kind) => custom.others.includes(kind));
    for (const kind of nobody.filter((each) => unread[each])) say(`Not read: ${kind}, ${unread[kind]}`);
    return [
      ...core.faults,
      ...custom.faults,
      ...nobody.filter((kind) => !unread[kind]).map((kind) => `${kind} was read by nobody: it has no definition here`),
    ];
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

interface Reading {
  readonly summary: string;
  readonly faults: readonly string[];
  /** Kinds that the reader does not know. */
  readonly others: readonly string[];
}

async function verify(command: "strict" | "crds", args: readonly string[]): Promise<Reading> {
  // It ends with 1 where something is invalid, and says what on its output all the same.
  const output = await run(tools.verify, [command, ...args], { maxBuffer: 64 << 20 }).then(
    ({ stdout }) => stdout,
    (error: { stdout?: string; message: string }) => error.stdout || Promise.reject(new Error(error.message)),
  );
  const lines = output.trim().split("\n");
  const summary = lines.find((line) => /^\d+ valid, \d+ invalid$/.test(line));
  if (summary === undefined) throw new Error(`${command} said nothing that can be understood: ${output.slice(0, 500)}`);
  return {
    summary,
    others: lines.flatMap((line) => line.match(/^no schema here: \d+ (.+)$/)?.[1] ?? []),
    // Istio's logging says where it was not built; that is no finding.
    faults: lines
      .slice(0, lines.indexOf(summary))
      .filter((line) => !/^\S+Z\twarn\t/.test(line))
      .map((line) => line.replace(/^.*\/(?=[^/]+\.yaml: )/, "")),
  };
}

/** Words that stand in YAML for values, and must be gone when it is rendered. */
function placeholders(all: readonly Render[]): string[] {
  const words =
    /(^|[\s"'/:@.=-])(account\.dkr|arn:aws:iam::account|region\.amazonaws|environment\/|-environment\b|github\.com\/repository|domain\.invalid|https:\/\/(\w+\.)?domain\b|clusters\/cluster|: (domain|cluster|region|prometheus)$)/;
  return all
    .filter(({ name }) => !name.startsWith("chart ") && !/controllers\/(keda|gateway-api|rollouts)/.test(name))
    .flatMap(({ name, text }) =>
      text
        .split("\n")
        .filter((line) => words.test(line) && !/^\s*(#|description:|app:)/.test(line))
        .map((line) => `${name}: a word stands where a value should: ${line.trim()}`),
    );
}

async function byRules(all: readonly Render[]): Promise<string[]> {
  const objectsOf = (name: string) => {
    const found = all.find((render) => render.name === name);
    if (found === undefined) throw new Error(`${name} was not rendered.`);
    return found.objects;
  };
  return environments.flatMap((environment) => {
    const cluster = environment === "prod" ? "prod" : "nonprod";
    const project = objectsOf(`argocd/clusters/${cluster}`).find(
      ({ kind, metadata }) => kind === "AppProject" && metadata.name === `docket-${environment}`,
    );
    if (project === undefined) return [`${environment}: it has no AppProject`];
    const found = faultsOf({
      namespace: namespaceOf(environment),
      workloads: objectsOf(`argocd/workloads/overlays/${environment}`),
      foundation: objectsOf(`argocd/workloads/overlays/${environment}/foundation`),
      mesh: objectsOf(`mesh/overlays/${environment}`),
      project,
    });
    return found.map((fault) => `${environment}: ${fault}`);
  });
}
