// What a cluster would make of the rendered objects: a pod for each Deployment, addresses for Services, and endpoints. Everything else
// that istiod reads stays as it is shipped.

import { isIstio, type KubernetesObject, withNamespace } from "./objects.ts";
import type { Rendered } from "./render.ts";

/** A pod of the verification. */
export interface Pod {
  /** Its name, and that of its network namespace: `document`. */
  readonly name: string;
  readonly namespace: string;
  readonly address: string;
  readonly serviceAccount: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Whether Envoy stands beside the process, or is the process. */
  readonly proxy: "sidecar" | "router";
  /** The process of Docket that runs in it; undefined where nothing serves. */
  readonly application: Application | undefined;
  /** The annotations of the pod's template. */
  readonly annotations: Readonly<Record<string, string>>;
}

/** How the container is started, as its Deployment says. */
export interface Application {
  readonly arguments: readonly string[];
  /** Plain values; what comes from secrets is not among them. */
  readonly environment: Readonly<Record<string, string>>;
  readonly ports: readonly number[];
}

/** A cluster as istiod would find it. */
export interface Cluster {
  readonly pods: readonly Pod[];
  /** Objects of Kubernetes and of the Gateway API. */
  readonly kubernetes: readonly KubernetesObject[];
  /** Istio's own. */
  readonly istio: readonly KubernetesObject[];
  /** Lines of a hosts file: the names of Services. */
  readonly hosts: readonly string[];
}

/** The label by which Argo Rollouts tells the pods of two versions apart. */
export const versionLabel = "rollouts-pod-template-hash";

/** Kinds that istiod reads from Kubernetes; the rest (Deployments, HPAs, …) it never sees. */
const readByIstiod = new Set([
  ...["Namespace", "ServiceAccount", "Service", "Secret"],
  ...["GatewayClass", "Gateway", "HTTPRoute", "GRPCRoute", "ReferenceGrant"],
]);

/** A pod more than the Deployments ask for: a second version of a workload. */
export interface ExtraPod {
  /** The Deployment that it is another pod of. */
  readonly of: string;
  readonly name: string;
  readonly version: string;
}

/** Makes the cluster. `additional` are objects that another party would make, such as the edge's certificate. */
export function buildCluster(
  rendered: Rendered,
  extra: readonly ExtraPod[],
  additional: readonly KubernetesObject[],
): Cluster {
  const { namespace } = rendered;
  const objects = [...rendered.mesh, ...rendered.workloads, ...additional].map((object) =>
    withNamespace(object, namespace),
  );
  const deployments = objects.filter(({ kind }) => kind === "Deployment");
  const names = deployments.flatMap(({ metadata: { name } }) => [
    { of: name, name, version: "stable" },
    ...extra.filter((pod) => pod.of === name),
  ]);
  const pods = names.map((name, index) => {
    const deployment = deployments.find(({ metadata }) => metadata.name === name.of) as KubernetesObject;
    return podOf(deployment, name, `10.244.1.${index + 1}`, namespace);
  });
  const services = objects
    .filter(({ kind }) => kind === "Service")
    .map((service, index) => ({ ...service, spec: { ...service.spec, clusterIP: `10.96.0.${index + 10}` } }));
  const plain = objects.filter(
    (object) => !isIstio(object) && readByIstiod.has(object.kind) && object.kind !== "Service",
  );
  return {
    pods,
    kubernetes: [
      ...(plain.some(({ kind }) => kind === "GatewayClass") ? [] : [gatewayClass]),
      ...plain,
      ...services,
      ...pods.map(podObject),
      ...services.flatMap((service) => endpointsOf(service, pods)),
    ],
    istio: objects.filter(isIstio),
    hosts: services.map(({ metadata: { name }, spec }) => {
      const host = `${name}.${namespace}`;
      return `${spec.clusterIP} ${host}.svc.cluster.local ${host}.svc ${host} ${name}`;
    }),
  };
}

/** Istio makes it by itself where it is installed. */
const gatewayClass: KubernetesObject = {
  apiVersion: "gateway.networking.k8s.io/v1",
  kind: "GatewayClass",
  metadata: { name: "istio" },
  spec: { controllerName: "istio.io/gateway-controller" },
};

function podOf(
  deployment: KubernetesObject,
  { name, version }: { name: string; version: string },
  address: string,
  namespace: string,
): Pod {
  const { template } = deployment.spec;
  const { metadata, spec } = template;
  const router = metadata.annotations?.["inject.istio.io/templates"] === "gateway";
  const [container] = spec.containers;
  return {
    name,
    namespace,
    address,
    serviceAccount: spec.serviceAccountName,
    labels: {
      ...metadata.labels,
      // Added by the injection and by Argo Rollouts.
      ...(router ? {} : { "security.istio.io/tlsMode": "istio" }),
      "service.istio.io/canonical-name": metadata.labels.app,
      "service.istio.io/canonical-revision": "latest",
      [versionLabel]: version,
    },
    annotations: metadata.annotations ?? {},
    proxy: router ? "router" : "sidecar",
    application: router
      ? undefined
      : {
          arguments: container.args ?? [],
          environment: environmentOf(container, namespace),
          ports: (container.ports ?? []).map(({ containerPort }: { containerPort: number }) => containerPort),
        },
  };
}

interface Variable {
  readonly name: string;
  readonly value?: string;
  readonly valueFrom?: { readonly fieldRef?: { readonly fieldPath: string } };
}

/** Plain values, fields of the pod, and references to earlier ones, as the kubelet resolves them. */
function environmentOf({ env = [] }: { env?: readonly Variable[] }, namespace: string): Record<string, string> {
  const values: Record<string, string> = {};
  for (const { name, value, valueFrom } of env) {
    if (valueFrom?.fieldRef?.fieldPath === "metadata.namespace") values[name] = namespace;
    if (value === undefined) continue;
    values[name] = value.replace(/\$\((\w+)\)/g, (reference, other: string) => values[other] ?? reference);
  }
  return values;
}

function podObject(pod: Pod): KubernetesObject {
  const ports = pod.application?.ports.map((containerPort) => ({ containerPort })) ?? [];
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: pod.name, namespace: pod.namespace, labels: pod.labels, annotations: pod.annotations },
    spec: {
      serviceAccountName: pod.serviceAccount,
      nodeName: "node",
      containers: [
        { name: "application", image: "application", ports },
        { name: "istio-proxy", image: "istio-proxy" },
      ],
    },
    status: {
      phase: "Running",
      podIP: pod.address,
      podIPs: [{ ip: pod.address }],
      conditions: [{ type: "Ready", status: "True" }],
    },
  };
}

interface Port {
  readonly name: string;
  readonly port: number;
  readonly targetPort?: number;
  readonly appProtocol?: string;
}

function endpointsOf({ metadata, spec }: KubernetesObject, pods: readonly Pod[]): KubernetesObject[] {
  const selector = Object.entries(spec.selector ?? {});
  const selected = pods.filter(({ labels }) => selector.every(([label, value]) => labels[label] === value));
  if (selector.length === 0) return [];
  return [
    {
      apiVersion: "discovery.k8s.io/v1",
      kind: "EndpointSlice",
      metadata: {
        name: `${metadata.name}-1`,
        ...(metadata.namespace === undefined ? {} : { namespace: metadata.namespace }),
        labels: { "kubernetes.io/service-name": metadata.name },
      },
      addressType: "IPv4",
      endpoints: selected.map(({ name, namespace, address }) => ({
        addresses: [address],
        conditions: { ready: true },
        nodeName: "node",
        targetRef: { kind: "Pod", name, namespace },
      })),
      ports: (spec.ports as Port[]).map(({ name, port, targetPort, appProtocol }) => ({
        name,
        port: typeof targetPort === "number" ? targetPort : port,
        protocol: "TCP",
        ...(appProtocol === undefined ? {} : { appProtocol }),
      })),
    },
  ];
}
