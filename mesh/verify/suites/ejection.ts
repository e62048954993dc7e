// A replica that fails is left out, and its callers hear of it no longer.

import type { Checks } from "../checks.ts";
import type { VerifiedMesh } from "../mesh.ts";
import type { KubernetesObject } from "../objects.ts";

const calls = 200;

/** Makes the second version a replica of the first, ends its process, and counts what callers notice. */
export async function checkEjection(mesh: VerifiedMesh, checks: Checks): Promise<void> {
  const check = checks.suite("ejection");
  const { istio } = mesh.cluster;
  const series = () =>
    mesh.probe("gateway").ask({
      operation: "series",
      count: calls,
      call: {
        operation: "rpc",
        target: `document.${mesh.options.rendered.namespace}.svc.cluster.local:7102`,
        // Without retries in its contract, so that each failure is seen.
        path: "/grpc.health.v1.Health/Check",
      },
    });
  await mesh.apply(asReplicas(istio));
  await mesh.endApplication("document-canary");
  try {
    const before = await series();
    // Ten in a row of one host, which gets about every second call.
    check("a replica whose process is gone fails some calls", before.failed > 0 && before.failed <= 20, before.failed);
    const clusters = await mesh.envoy("gateway", "clusters");
    const { address } = mesh.pod("document-canary");
    const ejected = clusters.includes(`${address}:7102::health_flags::/failed_outlier_check`);
    check("then its callers' Envoy leaves it out", ejected);
    const after = await series();
    check("and no call fails any more", after.failed === 0, after.failed);
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
