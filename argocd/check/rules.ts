// biome-ignore-all lint/suspicious/noExplicitAny: what stands in a spec is its kind's, and is read strictly elsewhere.

// What no schema knows: that what one object names is there in another, that processes get settings which they declare, and
// that nobody runs with rights. Pure: it reads what is rendered and answers with sentences; none means that all is well.

import { readSettings, settingsReference } from "@docket/runtime/config";
import { declaredSettings } from "../../e2e/settings_reference.ts";
import type { KubernetesObject } from "../../mesh/verify/objects.ts";

/** One environment, as rendered. */
export interface EnvironmentObjects {
  readonly namespace: string;
  readonly workloads: readonly KubernetesObject[];
  readonly foundation: readonly KubernetesObject[];
  readonly mesh: readonly KubernetesObject[];
  /** The AppProject that all of it is in. */
  readonly project: KubernetesObject;
}

/** Everything that is wrong, in words. */
export function faultsOf(environment: EnvironmentObjects): string[] {
  return rules.flatMap((rule) => rule(environment));
}

type Rule = (environment: EnvironmentObjects) => string[];

const named = (objects: readonly KubernetesObject[], kind: string) =>
  new Map(objects.filter((object) => object.kind === kind).map((object) => [object.metadata.name, object]));

/** Pods of ours, the ingress apart, whose container Istio fills in. */
function pods({
  workloads,
}: EnvironmentObjects): { name: string; labels: Record<string, string>; spec: any; container: any }[] {
  return workloads
    .filter(({ kind, metadata }) => (kind === "Deployment" || kind === "Job") && metadata.name !== "ingress")
    .map(({ metadata, spec }) => ({
      name: metadata.name,
      labels: spec.template.metadata.labels,
      spec: spec.template.spec,
      container: spec.template.spec.containers[0],
    }));
}

/** `user` of <registry>/docket/user@sha256:… */
const imageOf = (image: string) => image.match(/\/docket\/([a-z]+)@sha256:[0-9a-f]{64}$/)?.[1];

const images: Rule = (environment) =>
  pods(environment).flatMap(({ name, container }) =>
    imageOf(container.image) ? [] : [`${name}: no digest in ${container.image}`],
  );

const secrets: Rule = (environment) => {
  const keys = new Map(
    [...named(environment.foundation, "ExternalSecret")].map(([name, { spec }]) => [
      name,
      Object.keys(spec.target?.template?.data ?? Object.fromEntries(spec.data.map((each: any) => [each.secretKey, 0]))),
    ]),
  );
  return pods(environment).flatMap(({ name, container, spec }) => [
    ...container.env.flatMap(({ name: variable, valueFrom }: any) => {
      const wanted = valueFrom?.secretKeyRef;
      if (wanted === undefined || keys.get(wanted.name)?.includes(wanted.key)) return [];
      return [`${name}: ${variable} comes from ${wanted.name}/${wanted.key}, which no ExternalSecret makes`];
    }),
    ...(spec.volumes ?? []).flatMap(({ secret }: any) =>
      secret === undefined || keys.has(secret.secretName)
        ? []
        : [`${name}: mounts ${secret.secretName}, which no ExternalSecret makes`],
    ),
  ]);
};

const accounts: Rule = (environment) => {
  const there = named(environment.foundation, "ServiceAccount");
  return pods(environment).flatMap(({ name, spec }) =>
    there.has(spec.serviceAccountName) ? [] : [`${name}: there is no ServiceAccount ${spec.serviceAccountName}`],
  );
};

/** What secrets might hold, so that the settings can be read as the process will read them. */
const examples: Readonly<Record<string, string>> = {
  DATABASE_URL: "mysql://docket_user:secret@database.example.com:3306/docket_user",
  REDIS_URL: "rediss://docket:secret@cache.example.com:6379/0",
  SMTP_URL: "smtps://docket:secret@mail.example.com",
  KEY_ENCRYPTION_SECRET: "k".repeat(64),
};

const settings: Rule = (environment) =>
  pods(environment).flatMap(({ name, container }) => {
    const process = imageOf(container.image);
    // The rule of images says what is wrong with it.
    if (process === undefined) return [];
    const declared = process === "admin" ? declaredSettings : declaredSettings[process];
    if (declared === undefined) return [`${name}: no process is called ${process}`];
    const known = new Set(settingsReference(declared).map(({ variable }) => variable));
    const given: Record<string, string> = {};
    const faults: string[] = [];
    for (const { name: variable, value, valueFrom } of container.env) {
      if (!known.has(variable)) faults.push(`${name}: ${variable} is no setting of ${process}`);
      const text: string = value ?? (valueFrom.fieldRef ? environment.namespace : examples[variable]);
      given[variable] = text.replaceAll(/\$\((\w+)\)/g, (_, other: string) => {
        if (given[other] === undefined)
          faults.push(`${name}: ${variable} names ${other}, which does not stand before it`);
        return given[other] ?? "";
      });
    }
    try {
      readSettings(declared, given);
    } catch (error) {
      faults.push(`${name}: ${(error as Error).message}`);
    }
    return faults;
  });

const confinement: Rule = (environment) =>
  pods(environment).flatMap(({ name, spec, container }) => {
    const { securityContext: pod, automountServiceAccountToken, volumes = [] } = spec;
    const { securityContext: own, resources } = container;
    const wanted: Record<string, boolean> = {
      "runs as nobody": pod?.runAsNonRoot === true && pod.runAsUser === 65532,
      "has the runtime's seccomp profile": pod?.seccompProfile?.type === "RuntimeDefault",
      "gains no rights": own?.allowPrivilegeEscalation === false && own.capabilities?.drop?.includes("ALL"),
      "writes to volumes only": own?.readOnlyRootFilesystem === true,
      "has no token for the Kubernetes API": automountServiceAccountToken === false,
      "mounts nothing of its node": volumes.every((volume: any) => volume.hostPath === undefined),
      "says what it needs, and its most memory": Boolean(
        resources?.requests?.cpu && resources.requests.memory && resources.limits?.memory,
      ),
    };
    return Object.entries(wanted).flatMap(([what, holds]) => (holds ? [] : [`${name}: it is not so that it ${what}`]));
  });

/** The API server refuses a key that stands in both; no schema says so. */
const spread: Rule = (environment) =>
  pods(environment).flatMap(({ name, spec }) =>
    (spec.topologySpreadConstraints ?? []).flatMap(({ labelSelector, matchLabelKeys = [] }: any) => {
      const selected = [
        ...Object.keys(labelSelector?.matchLabels ?? {}),
        ...(labelSelector?.matchExpressions ?? []).map(({ key }: { key: string }) => key),
      ];
      const both = matchLabelKeys.filter((key: string) => selected.includes(key));
      return both.map((key: string) => `${name}: ${key} stands in the selector of its spread and in its keys`);
    }),
  );

/** How long a process may take to stop (runtime/lifecycle.ts), in seconds. */
const stopSeconds = 15;

const drain: Rule = (environment) =>
  pods(environment)
    .filter(({ labels }) => labels["docket.role"] === "server" || labels["docket.role"] === "worker")
    .flatMap(({ name, spec, container }) => {
      const pause = container.lifecycle?.preStop?.sleep?.seconds ?? 0;
      const grace = spec.terminationGracePeriodSeconds ?? 30;
      // Ten more for the sidecar, which ends after the process.
      return grace >= pause + stopSeconds + 10 ? [] : [`${name}: ${grace} s are too few to drain in`];
    });

const references: Rule = (environment) => {
  const { workloads } = environment;
  const faults: string[] = [];
  const there = (kind: string, name: string) => named(workloads, kind).has(name);
  for (const { kind, metadata, spec } of workloads) {
    if (kind === "HorizontalPodAutoscaler" && !there(spec.scaleTargetRef.kind, spec.scaleTargetRef.name))
      faults.push(`${metadata.name}: it scales what is not there`);
    if (kind === "ScaledObject" && !there("Deployment", spec.scaleTargetRef.name))
      faults.push(`${metadata.name}: it scales what is not there`);
    if (kind === "PodDisruptionBudget" && !there("Deployment", spec.selector.matchLabels.app))
      faults.push(`${metadata.name}: its budget is for no pods`);
    if (kind === "Rollout" && !there("Deployment", spec.workloadRef.name))
      faults.push(`${metadata.name}: it runs no Deployment`);
  }
  for (const { metadata, spec } of named(workloads, "Deployment").values()) {
    const role = spec.template.metadata.labels["docket.role"];
    const needed = {
      server: ["Rollout", "HorizontalPodAutoscaler"],
      worker: ["ScaledObject"],
      ingress: ["HorizontalPodAutoscaler"],
    }[role as "server"];
    for (const kind of needed === undefined ? [] : [...needed, "PodDisruptionBudget"]) {
      if (!there(kind, metadata.name)) faults.push(`${metadata.name}: it has no ${kind}`);
    }
    if (needed?.includes("Rollout") && spec.replicas !== 0)
      faults.push(`${metadata.name}: its Deployment would run beside its Rollout`);
  }
  return faults;
};

const ports: Rule = ({ workloads }) => {
  const deployments = [...named(workloads, "Deployment").values()];
  return [...named(workloads, "Service").values()].flatMap(({ metadata, spec }) => {
    const selected = deployments.filter((each) => each.spec.template.metadata.labels.app === spec.selector.app);
    if (selected.length !== 1) return [`${metadata.name}: it selects ${selected.length} Deployments`];
    const open = selected[0]?.spec.template.spec.containers[0].ports.map(
      (port: { containerPort: number }) => port.containerPort,
    );
    return spec.ports.flatMap(({ targetPort }: { targetPort: number }) =>
      open.includes(targetPort) ? [] : [`${metadata.name}: its pods do not listen on ${targetPort}`],
    );
  });
};

const traffic: Rule = ({ workloads, mesh }) => {
  const templates = named(workloads, "AnalysisTemplate");
  const services = named(workloads, "Service");
  return [...named(workloads, "Rollout").values()].flatMap(({ metadata: { name }, spec }) => {
    const faults: string[] = [];
    const { canary, blueGreen } = spec.strategy;
    const analyses = (canary?.steps ?? []).flatMap((step: any) => step.analysis?.templates ?? []);
    for (const { templateName } of [...analyses, ...(blueGreen?.postPromotionAnalysis?.templates ?? [])]) {
      if (!templates.has(templateName)) faults.push(`${name}: there is no AnalysisTemplate ${templateName}`);
    }
    for (const service of [
      canary?.stableService,
      canary?.canaryService,
      blueGreen?.activeService,
      blueGreen?.previewService,
    ]) {
      if (service !== undefined && !services.has(service)) faults.push(`${name}: there is no Service ${service}`);
    }
    const { istio, plugins } = canary?.trafficRouting ?? {};
    if (istio !== undefined) {
      const { name: virtual, routes } = istio.virtualService;
      const generated =
        named(mesh, "VirtualService")
          .get(virtual)
          ?.spec.http.map((route: any) => route.name) ?? [];
      if (generated.join() !== routes.join())
        faults.push(`${name}: its routes are ${routes.join()}, the mesh's ${generated.join()}`);
      const subsets =
        named(mesh, "DestinationRule")
          .get(istio.destinationRule.name)
          ?.spec.subsets?.map((each: any) => each.name) ?? [];
      for (const subset of [istio.destinationRule.stableSubsetName, istio.destinationRule.canarySubsetName]) {
        if (!subsets.includes(subset)) faults.push(`${name}: the mesh has no subset ${subset}`);
      }
    }
    for (const { name: route } of plugins?.["argoproj-labs/gatewayAPI"]?.httpRoutes ?? []) {
      const backends = (named(mesh, "HTTPRoute").get(route)?.spec.rules ?? []).flatMap(
        (rule: any) => rule.backendRefs?.map((each: any) => each.name) ?? [],
      );
      for (const service of [canary.stableService, canary.canaryService]) {
        if (!backends.includes(service)) faults.push(`${name}: the HTTPRoute ${route} does not lead to ${service}`);
      }
    }
    if (blueGreen === undefined && istio === undefined && plugins === undefined)
      faults.push(`${name}: nothing moves its calls`);
    return faults;
  });
};

const network: Rule = (environment) => {
  const policies = [...named(environment.mesh, "NetworkPolicy").values()];
  const selects = (labels: Record<string, string>) =>
    policies.some(({ spec }) => spec.podSelector?.matchLabels?.app === labels.app && labels.app !== undefined);
  return pods(environment).flatMap(({ name, labels }) =>
    selects(labels) ? [] : [`${name}: no NetworkPolicy is for it`],
  );
};

const project: Rule = ({ namespace, workloads, foundation, mesh, project: { metadata, spec } }) => {
  const allowed = new Set(
    [...spec.namespaceResourceWhitelist, ...spec.clusterResourceWhitelist].map(
      ({ group, kind }: { group: string; kind: string }) => `${group}/${kind}`,
    ),
  );
  return [...workloads, ...foundation, ...mesh].flatMap(({ apiVersion, kind, metadata: { name, namespace: own } }) => {
    const group = apiVersion.includes("/") ? apiVersion.slice(0, apiVersion.indexOf("/")) : "";
    if (!allowed.has(`${group}/${kind}`)) return [`${kind} ${name}: the project ${metadata.name} does not let it in`];
    const elsewhere = kind === "Namespace" ? name !== namespace : own !== namespace;
    return elsewhere ? [`${kind} ${name}: it is not in ${namespace}`] : [];
  });
};

const rules: readonly Rule[] = [
  images,
  secrets,
  accounts,
  settings,
  confinement,
  drain,
  spread,
  references,
  ports,
  traffic,
  network,
  project,
];
