// biome-ignore-all lint/suspicious/noExplicitAny: as in rules.ts.
// The rules find each fault that they are for: an environment in which all is well, and one thing changed at a time.

import { describe, expect, it } from "@jest/globals";
import type { KubernetesObject } from "../../mesh/verify/objects.ts";
import { type EnvironmentObjects, faultsOf } from "./rules.ts";

const namespace = "docket-dev";
const object = (kind: string, name: string, spec: object, apiVersion = "v1"): KubernetesObject => ({
  apiVersion,
  kind,
  metadata: { name, namespace },
  spec,
});

/** A service with a server and a worker, complete. */
function environment() {
  const pod = (app: string, role: string) => ({
    metadata: { labels: { app, "docket.role": role } },
    spec: {
      serviceAccountName: "document",
      automountServiceAccountToken: false,
      terminationGracePeriodSeconds: 45,
      securityContext: { runAsNonRoot: true, runAsUser: 65532, seccompProfile: { type: "RuntimeDefault" } },
      volumes: [{ name: "authority", secret: { secretName: "database-authority" } }],
      containers: [
        {
          name: "docket",
          image: `1.dkr.ecr.r.amazonaws.com/docket/document@sha256:${"a".repeat(64)}`,
          lifecycle: { preStop: { sleep: { seconds: 5 } } },
          ports: [{ containerPort: 7102 }],
          env: [
            { name: "MESH_NAMESPACE", valueFrom: { fieldRef: { fieldPath: "metadata.namespace" } } },
            { name: "USER_ADDRESS", value: "user.$(MESH_NAMESPACE).svc.cluster.local:7101" },
            { name: "DATABASE_URL", valueFrom: { secretKeyRef: { name: "document-database", key: "DATABASE_URL" } } },
          ],
          securityContext: {
            allowPrivilegeEscalation: false,
            readOnlyRootFilesystem: true,
            capabilities: { drop: ["ALL"] },
          },
          resources: { requests: { cpu: "1", memory: "1Gi" }, limits: { memory: "1Gi" } },
        },
      ],
    },
  });
  const budget = (app: string) =>
    object("PodDisruptionBudget", app, { selector: { matchLabels: { app } } }, "policy/v1");
  const istio = {
    virtualService: { name: "document", routes: ["unary-2s", "streams"] },
    destinationRule: { name: "document", stableSubsetName: "stable", canarySubsetName: "canary" },
  };
  const steps = [{ analysis: { templates: [{ templateName: "calls" }] } }];
  return {
    namespace,
    workloads: [
      object("Deployment", "document", { replicas: 0, template: pod("document", "server") }, "apps/v1"),
      object("Deployment", "document-worker", { template: pod("document-worker", "worker") }, "apps/v1"),
      object("Service", "document", { selector: { app: "document" }, ports: [{ port: 7102, targetPort: 7102 }] }),
      object(
        "Rollout",
        "document",
        { workloadRef: { name: "document" }, strategy: { canary: { steps, trafficRouting: { istio } } } },
        "argoproj.io/v1alpha1",
      ),
      object("AnalysisTemplate", "calls", {}, "argoproj.io/v1alpha1"),
      object(
        "HorizontalPodAutoscaler",
        "document",
        { scaleTargetRef: { kind: "Rollout", name: "document" } },
        "autoscaling/v2",
      ),
      object("ScaledObject", "document-worker", { scaleTargetRef: { name: "document-worker" } }, "keda.sh/v1alpha1"),
      budget("document"),
      budget("document-worker"),
    ],
    foundation: [
      object("ServiceAccount", "document", {}),
      object(
        "ExternalSecret",
        "document-database",
        { target: { template: { data: { DATABASE_URL: "" } } }, data: [] },
        "external-secrets.io/v1",
      ),
      object("ExternalSecret", "database-authority", { data: [{ secretKey: "pem" }] }, "external-secrets.io/v1"),
    ],
    mesh: [
      object(
        "VirtualService",
        "document",
        { http: [{ name: "unary-2s" }, { name: "streams" }] },
        "networking.istio.io/v1",
      ),
      object(
        "DestinationRule",
        "document",
        { subsets: [{ name: "stable" }, { name: "canary" }] },
        "networking.istio.io/v1",
      ),
      ...["document", "document-worker"].map((app) =>
        object("NetworkPolicy", app, { podSelector: { matchLabels: { app } } }, "networking.k8s.io/v1"),
      ),
    ],
    project: object("AppProject", "docket-dev", {
      clusterResourceWhitelist: [],
      namespaceResourceWhitelist: [
        ["apps", "Deployment"],
        ["", "Service"],
        ["", "ServiceAccount"],
        ["argoproj.io", "Rollout"],
        ["argoproj.io", "AnalysisTemplate"],
        ["autoscaling", "HorizontalPodAutoscaler"],
        ["keda.sh", "ScaledObject"],
        ["policy", "PodDisruptionBudget"],
        ["external-secrets.io", "ExternalSecret"],
        ["networking.istio.io", "VirtualService"],
        ["networking.istio.io", "DestinationRule"],
        ["networking.k8s.io", "NetworkPolicy"],
      ].map(([group, kind]) => ({ group, kind })),
    }),
  } satisfies EnvironmentObjects;
}

type Environment = ReturnType<typeof environment>;
const at = (list: readonly KubernetesObject[], kind: string, name: string) =>
  list.find((each) => each.kind === kind && each.metadata.name === name)?.spec;
const server = ({ workloads }: Environment) => at(workloads, "Deployment", "document").template.spec;
const container = (all: Environment) => server(all).containers[0];
const without = (all: Environment, part: "workloads" | "foundation" | "mesh", kind: string, name: string) => {
  all[part].splice(
    all[part].findIndex((each) => each.kind === kind && each.metadata.name === name),
    1,
  );
};

const faults: [string, (all: Environment) => void, RegExp][] = [
  [
    "a spread that the API server refuses",
    (all) =>
      Object.assign(server(all), {
        topologySpreadConstraints: [{ labelSelector: { matchLabels: { app: "x" } }, matchLabelKeys: ["app"] }],
      }),
    /in its keys/,
  ],
  [
    "an image without a digest",
    (all) => Object.assign(container(all), { image: "a.b/docket/document:latest" }),
    /no digest/,
  ],
  [
    "a secret that nobody makes",
    (all) => without(all, "foundation", "ExternalSecret", "document-database"),
    /document-database/,
  ],
  [
    "a key that its secret does not have",
    (all) => Object.assign(container(all).env[2].valueFrom.secretKeyRef, { key: "URL" }),
    /URL/,
  ],
  [
    "a volume of a secret that nobody makes",
    (all) => without(all, "foundation", "ExternalSecret", "database-authority"),
    /mounts/,
  ],
  [
    "an account that is not there",
    (all) => without(all, "foundation", "ServiceAccount", "document"),
    /no ServiceAccount/,
  ],
  [
    "a setting that is none",
    (all) => container(all).env.push({ name: "DOCUMENT_HOTS", value: "0.0.0.0" }),
    /no setting/,
  ],
  [
    "a setting that is refused",
    (all) => container(all).env.push({ name: "DOCUMENT_PORT", value: "many" }),
    /DOCUMENT_PORT must/,
  ],
  ["a variable named before it is set", (all) => container(all).env.reverse(), /does not stand before it/],
  [
    "a process with rights of root",
    (all) => Object.assign(server(all).securityContext, { runAsUser: 0 }),
    /runs as nobody/,
  ],
  [
    "a file system that can be written",
    (all) => Object.assign(container(all).securityContext, { readOnlyRootFilesystem: false }),
    /volumes only/,
  ],
  ["a folder of the node", (all) => server(all).volumes.push({ name: "x", hostPath: { path: "/" } }), /of its node/],
  ["memory without an end", (all) => Object.assign(container(all).resources, { limits: {} }), /most memory/],
  [
    "no time to drain in",
    (all) => Object.assign(server(all), { terminationGracePeriodSeconds: 15 }),
    /too few to drain/,
  ],
  [
    "a worker that nothing scales",
    (all) => without(all, "workloads", "ScaledObject", "document-worker"),
    /no ScaledObject/,
  ],
  [
    "a server without a budget",
    (all) => without(all, "workloads", "PodDisruptionBudget", "document"),
    /no PodDisruptionBudget/,
  ],
  [
    "a Deployment beside its Rollout",
    (all) => Object.assign(at(all.workloads, "Deployment", "document"), { replicas: 2 }),
    /beside its Rollout/,
  ],
  [
    "an autoscaler of what is not there",
    (all) =>
      Object.assign(at(all.workloads, "HorizontalPodAutoscaler", "document").scaleTargetRef, {
        kind: "Deployment",
        name: "x",
      }),
    /not there/,
  ],
  [
    "a port on which nobody listens",
    (all) => Object.assign(at(all.workloads, "Service", "document").ports[0], { targetPort: 1 }),
    /do not listen on 1/,
  ],
  [
    "a route that is not the mesh's",
    (all) => at(all.mesh, "VirtualService", "document").http.push({ name: "unary-5s" }),
    /its routes are/,
  ],
  [
    "a subset that the mesh lacks",
    (all) => at(all.mesh, "DestinationRule", "document").subsets.pop(),
    /no subset canary/,
  ],
  [
    "an analysis that is not there",
    (all) => without(all, "workloads", "AnalysisTemplate", "calls"),
    /no AnalysisTemplate calls/,
  ],
  [
    "a pod that no NetworkPolicy is for",
    (all) => without(all, "mesh", "NetworkPolicy", "document-worker"),
    /no NetworkPolicy/,
  ],
  ["a kind that the project refuses", (all) => all.workloads.push(object("ConfigMap", "x", {})), /does not let it in/],
  [
    "an object of another namespace",
    (all) => Object.assign(all.workloads[2]?.metadata ?? {}, { namespace: "docket-prod" }),
    /not in docket-dev/,
  ],
];

describe("the rules", () => {
  it("find nothing where all is well", () => expect(faultsOf(environment())).toEqual([]));

  it.each(faults)("find %s", (_, spoil, expected) => {
    const all = environment();
    spoil(all);
    const found = faultsOf(all);
    expect(found.length).toBeGreaterThan(0);
    for (const fault of found) expect(fault).toMatch(expected);
  });
});
