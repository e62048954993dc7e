// What can be said without a proxy: everything that is rendered, as istioctl and Istio's analyzers see it. Schemas of Kubernetes and
// of custom resources are `npm run argocd:check`.

import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Checks } from "./checks.ts";
import { isIstio, type KubernetesObject, printObjects, withNamespace } from "./objects.ts";
import type { Rendered } from "./render.ts";
import type { Tools } from "./tools.ts";

const run = promisify(execFile);

/** Messages of the analyzers that say nothing here, each with why. */
const expected: readonly (readonly [code: string, why: string])[] = [
  ["IST0162", "ports of a Gateway that the Service maps to others"],
  ["IST0146", "the webhook of the injection is Istio's own, and not rendered here"],
  ["IST0147", "the webhook of the injection is Istio's own, and not rendered here"],
];

export async function checkStatically(tools: Tools, environments: readonly Rendered[], checks: Checks): Promise<void> {
  const check = checks.suite("static");
  const folder = await mkdtemp(join(tmpdir(), "docket-mesh-static-"));
  try {
    for (const rendered of environments) {
      const { environment, namespace, mesh, workloads, meshConfig } = rendered;
      const all = [...mesh, ...workloads, ...madeElsewhere(rendered)].map((object) => withNamespace(object, namespace));
      const path = join(folder, `${environment}.yaml`);
      const config = join(folder, `${environment}-mesh.yaml`);
      await writeFile(config, meshConfig);
      const istio = join(folder, `${environment}-istio.yaml`);
      await writeFile(istio, printObjects(all.filter(isIstio)));
      const validated = await outputOf(tools.istioctl, ["validate", "-f", istio]);
      check(
        `${environment}: istioctl validate, ${all.filter(isIstio).length} objects`,
        validated.code === 0,
        validated.text,
      );
      await writeFile(path, printObjects(all));
      const analyzed = await outputOf(tools.verify, ["analyze", config, path]);
      const messages = analyzed.text.split("\n").filter((line) => /^(Error|Warning) \[/.test(line));
      const left = messages.filter((line) => !expected.some(([code]) => line.includes(code)));
      const summary = analyzed.text.split("\n").find((line) => / analyzers, /.test(line)) ?? "";
      check(
        `${environment}: ${summary.split(",").slice(0, 2).join(",")}`,
        left.length === 0 && / 0 skipped/.test(summary),
        left,
      );
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** What others make in a cluster: the analyzers would miss it. */
function madeElsewhere({ namespace, workloads }: Rendered): KubernetesObject[] {
  const templates = workloads.filter(({ kind }) => kind === "Deployment" || kind === "Job");
  return [
    ...templates.map(({ metadata: { name }, spec: { template } }) => ({
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name, namespace, labels: template.metadata.labels, annotations: template.metadata.annotations },
      spec: {
        ...template.spec,
        containers: [...template.spec.containers, { name: "istio-proxy", image: "istio-proxy" }],
      },
    })),
    { apiVersion: "v1", kind: "Namespace", metadata: { name: "istio-system" } },
    {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: "collector", namespace: "observability" },
      spec: { ports: [{ name: "grpc-otlp", port: 4317 }] },
    },
    { apiVersion: "v1", kind: "Namespace", metadata: { name: "observability" } },
    {
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: "edge-certificate", namespace },
      type: "kubernetes.io/tls",
    },
  ];
}

async function outputOf(command: string, parameters: readonly string[]): Promise<{ code: number; text: string }> {
  try {
    const { stdout, stderr } = await run(command, parameters, { maxBuffer: 64 << 20 });
    return { code: 0, text: stdout + stderr };
  } catch (error) {
    const { code, stdout = "", stderr = "" } = error as { code?: number; stdout?: string; stderr?: string };
    return { code: code ?? 1, text: `${stdout}${stderr}` };
  }
}
