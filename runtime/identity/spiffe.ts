// The names of workloads in certificates: spiffe://<trust domain>/ns/<namespace>/sa/<workload>. A peer is known by
// comparing the whole id with those of the mesh; nothing of a foreign id is taken apart.

import type { Workload } from "@docket/contracts/gen/docket/policy/v1/policy_pb.ts";
import { workloadName, workloads } from "@docket/contracts/policy";

/** Where the workloads of one mesh live. */
export interface MeshName {
  /** The mesh's trust domain, for example `docket.local`. */
  readonly trustDomain: string;
  /** The namespace of its workloads, for example `docket`. */
  readonly namespace: string;
}

/** The SPIFFE id of a workload. */
export function spiffeId(workload: Workload, { trustDomain, namespace }: MeshName): string {
  return `spiffe://${trustDomain}/ns/${namespace}/sa/${workloadName(workload)}`;
}

/** The workload of a mesh that has this very id; undefined for anything else. */
export function workloadOfId(id: string, mesh: MeshName): Workload | undefined {
  return workloads.find((workload) => spiffeId(workload, mesh) === id);
}

/**
 * The URIs among the subject alternative names of a certificate, given as Node prints them (`DNS:a, URI:b`). Node quotes
 * a name in which it finds a comma or a quote; such a name never belongs to a mesh, and what stands beside it
 * cannot be trusted: undefined is returned then.
 */
export function urisOf(subjectAltName: string): string[] | undefined {
  if (subjectAltName === "") return [];
  if (!/^[\x21\x23-\x2b\x2d-\x7e]+(, [\x21\x23-\x2b\x2d-\x7e]+)*$/.test(subjectAltName)) return undefined;
  return subjectAltName.split(", ").flatMap((name) => (name.startsWith("URI:") ? [name.slice(4)] : []));
}
