// Kubernetes objects as they are read from YAML, and how they are found.

import { parseAllDocuments, stringify } from "yaml";

/** One object. What stands in `spec` is whatever its kind says. */
export interface KubernetesObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  // biome-ignore lint/suspicious/noExplicitAny: its shape is the kind's, and is checked by strict schemas elsewhere.
  spec?: any;
  readonly [field: string]: unknown;
}

/** The objects of a text with several documents. Throws at the first that is no YAML. */
export function parseObjects(text: string): KubernetesObject[] {
  return parseAllDocuments(text).flatMap((document) => {
    const [error] = document.errors;
    if (error !== undefined) throw error;
    const value = document.toJS() as KubernetesObject | null;
    return value === null ? [] : [value];
  });
}

/** The text of several objects. */
export function printObjects(objects: readonly KubernetesObject[]): string {
  return objects.map((object) => stringify(object, { lineWidth: 0, aliasDuplicateObjects: false })).join("---\n");
}

/** Whether istiod keeps it in its configuration store; Gateway API objects it reads from Kubernetes. */
export function isIstio({ apiVersion }: KubernetesObject): boolean {
  return /^(networking|security|telemetry|extensions)\.istio\.io\//.test(apiVersion);
}

/** `AuthorizationPolicy docket-prod/document` */
export function nameOf({ kind, metadata }: KubernetesObject): string {
  return `${kind} ${metadata.namespace === undefined ? "" : `${metadata.namespace}/`}${metadata.name}`;
}

const clusterWide = new Set(["Namespace", "GatewayClass", "ClusterRole", "ClusterRoleBinding"]);

/** The object in a namespace, where its kind has one and it names none. */
export function withNamespace(object: KubernetesObject, namespace: string): KubernetesObject {
  if (clusterWide.has(object.kind) || object.metadata.namespace !== undefined) return object;
  return { ...object, metadata: { ...object.metadata, namespace } };
}
