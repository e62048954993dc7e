// Two versions of a service: shares as Argo Rollouts sets them, and the header that leads to the new one alone.

import type { Checks } from "../checks.ts";
import { versionLabel } from "../cluster.ts";
import type { VerifiedMesh } from "../mesh.ts";
import type { KubernetesObject } from "../objects.ts";

const path = "/grpc.health.v1.Health/Check";
const calls = 1000;

/** What Argo Rollouts writes while a version is on trial: the pods of each subset by their label. */
export function asRolledOut(objects: readonly KubernetesObject[], name: string): KubernetesObject[] {
  return changed(objects, "DestinationRule", name, (spec) => {
    for (const subset of spec.subsets) subset.labels = { ...subset.labels, [versionLabel]: subset.name };
  });
}

export async function checkCanary(mesh: VerifiedMesh, checks: Checks): Promise<void> {
  const check = checks.suite("canary");
  const { istio } = mesh.cluster;
  const target = `document.${mesh.options.rendered.namespace}.svc.cluster.local:7102`;
  const play = async (count: number, headers: Record<string, string> = {}) => {
    const before = await requestsAt(mesh, "document-canary");
    const { failed } = await mesh
      .probe("gateway")
      .ask({ operation: "series", count, call: { operation: "rpc", target, path, headers } });
    return { taken: (await requestsAt(mesh, "document-canary")) - before, failed };
  };
  try {
    for (const weight of [0, 20, 50, 100]) {
      await mesh.apply(weighted(istio, weight));
      await play(20);
      const { taken, failed } = await play(calls);
      const mean = (calls * weight) / 100;
      // Four standard deviations of a binomial distribution: wrong once in 16,000 runs.
      const bound = 4 * Math.sqrt((mean * (100 - weight)) / 100);
      const within = Math.abs(taken - mean) <= bound && failed === 0;
      check(`at weight ${weight} the new version gets its share of ${calls} calls`, within, {
        taken,
        mean,
        bound,
        failed,
      });
    }
    // The managed route of a rollout stands before all others.
    const preview = changed(istio, "VirtualService", "document", (spec) => {
      const [first] = spec.http;
      const { destination } = first.route.find(
        (each: { destination: { subset: string } }) => each.destination.subset === "canary",
      );
      spec.http.unshift({
        name: "preview",
        match: [{ headers: { "x-docket-preview": { exact: "1" } } }],
        route: [{ destination, weight: 100 }],
      });
    });
    await mesh.apply(preview);
    const chosen = await play(100, { "x-docket-preview": "1" });
    check("with the preview's header all calls get to the new version", chosen.taken === 100, chosen);
    const others = await play(100);
    check("and without it none", others.taken === 0, others);
  } finally {
    await mesh.apply(istio);
  }
}

function weighted(objects: readonly KubernetesObject[], weight: number): KubernetesObject[] {
  return changed(objects, "VirtualService", "document", (spec) => {
    for (const { route } of spec.http) {
      for (const each of route) each.weight = each.destination.subset === "canary" ? weight : 100 - weight;
    }
  });
}

function changed(
  objects: readonly KubernetesObject[],
  kind: string,
  name: string,
  // biome-ignore lint/suspicious/noExplicitAny: the kind's own shape.
  edit: (spec: any) => void,
): KubernetesObject[] {
  return objects.map((object) => {
    if (object.kind !== kind || object.metadata.name !== name) return object;
    const copy = structuredClone(object);
    edit(copy.spec);
    return copy;
  });
}

/** How many requests a pod's sidecar has passed on to its process. */
async function requestsAt(mesh: VerifiedMesh, pod: string): Promise<number> {
  const text = await mesh.envoy(pod, "clusters");
  const [, total] = /inbound\|7102\|\|::[\d.:]+::rq_total::(\d+)/.exec(text) ?? [];
  return Number(total ?? 0);
}
