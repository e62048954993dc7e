// A replica that fails is left out, and its callers hear of it no longer.

import { eventually } from "@docket/runtime/testing/eventually";
import type { Checks } from "../checks.ts";
import type { VerifiedMesh } from "../mesh.ts";
import type { KubernetesObject } from "../objects.ts";

const calls = 200;

/** Makes the second version a replica of the first, ends its process, and counts what callers notice. */
export async function checkEjection(mesh: VerifiedMesh, checks: Checks): Promise<void> {
  const check = checks.suite("ejection");
  const { istio } = mesh.cluster;
  const name = `document.${mesh.options.rendered.namespace}.svc.cluster.local`;
  const series = () =>
    mesh.probe("gateway").ask({
      operation: "series",
      count: calls,
      call: {
        operation: "rpc",
        target: `${name}:7102`,
        // Without retries in its contract, so that each failure is seen.
        path: "/grpc.health.v1.Health/Check",
      },
    });
  await mesh.apply(asReplicas(istio));
  await mesh.endApplication("document-canary");
  try {
    const before = await series();
    check("a replica whose process is gone fails calls at first", before.failed > 0, before);
    // Envoy tells its workers of ejections once a second at most (update_merge_window).
    let after = before;
    const noneFails = async () => {
      after = await series();
      return after.failed === 0;
    };
    await eventually(noneFails, { timeoutMs: 10_000, intervalMs: 100 }).catch(() => undefined);
    check("its callers' Envoy leaves it out, and no call fails any more", after.failed === 0, after.failure);
    const clusters = await mesh.envoy("gateway", "clusters");
    const host = `outbound|7102|stable|${name}::${mesh.pod("document-canary").address}:7102`;
    check("though it is still one of its replicas", clusters.includes(`${host}::health_flags::/failed_outlier_check`));
  } finally {
    await mesh.startApplication(mesh.pod("document-canary"));
    await mesh.apply(istio);
  }
}

/** Both versions are pods of the stable subset. */
function asReplicas(objects: readonly KubernetesObject[]): KubernetesObject[] {
  return objects.map((object) => {
    if (object.kind !== "DestinationRule" || object.metadata.name !== "document") return object;
    const copy = structuredClone(object);
    for (const subset of copy.spec.subsets) subset.labels = { app: "document" };
    return copy;
  });
}
