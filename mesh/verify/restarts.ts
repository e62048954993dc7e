// Mutations of what istiod reads only at its start here: the mesh config, and the routes of the Gateway.

import { eventually } from "@docket/runtime/testing/eventually";
import { parse, stringify } from "yaml";
import type { VerifiedMesh } from "./mesh.ts";
import type { Fate, Watch } from "./mutations.ts";
import type { KubernetesObject } from "./objects.ts";
import type { Tokens } from "./subjects.ts";
import { watchIngress, watchPaths, watchTls } from "./suites/ingress.ts";
import { watchDoors } from "./suites/watches.ts";

const watches: readonly Watch[] = [watchIngress, watchDoors, watchTls, watchPaths];

/** Starts istiod anew for each, waits until somebody notices, and leaves it as it was. */
export async function playRestarts(mesh: VerifiedMesh, tokens: Tokens, say: (line: string) => void): Promise<Fate[]> {
  const notice = async () => {
    for (const watch of watches) {
      const fault = await watch(mesh, tokens);
      if (fault !== undefined) return fault;
    }
    return undefined;
  };
  const restore = async () => {
    await mesh.restartIstiod(mesh.cluster.kubernetes, mesh.options.rendered.meshConfig);
    // What is left of a change would be noticed at the next one.
    await eventually(async () => (await notice()) === undefined, { timeoutMs: 30_000, intervalMs: 100 });
  };
  const before = await notice();
  if (before !== undefined) throw new Error(`Without a change: ${before}`);
  const fates: Fate[] = [];
  for (const { name, kind, kubernetes, meshConfig } of restartsOf(mesh)) {
    await mesh.restartIstiod(kubernetes, meshConfig);
    let caughtBy: string | undefined;
    await eventually(
      async () => {
        caughtBy = await notice();
        return caughtBy !== undefined;
      },
      { timeoutMs: 15_000, intervalMs: 100 },
    ).catch(() => undefined);
    fates.push({ mutant: name, kind, caughtBy });
    say(`${caughtBy === undefined ? "!!! survives" : "     caught "}: ${name}${caughtBy ? ` → ${caughtBy}` : ""}`);
    await restore();
  }
  return fates;
}

interface Restart {
  readonly name: string;
  readonly kind: string;
  readonly kubernetes: readonly KubernetesObject[];
  readonly meshConfig: string;
}

function restartsOf(mesh: VerifiedMesh): Restart[] {
  const { kubernetes } = mesh.cluster;
  const { meshConfig } = mesh.options.rendered;
  const config = (name: string, edit: (config: Record<string, unknown>) => void): Restart => {
    const changed = parse(meshConfig) as Record<string, unknown>;
    edit(changed);
    return { name: `mesh config: ${name}`, kind: "mesh config", kubernetes, meshConfig: stringify(changed) };
  };
  const route = (name: string, what: string, edit: (object: KubernetesObject) => void): Restart => ({
    name: `HTTPRoute ${name}: ${what}`,
    kind: "HTTPRoute",
    meshConfig,
    kubernetes: kubernetes.map((object) => {
      if (object.kind !== "HTTPRoute" || object.metadata.name !== name) return object;
      const copy = structuredClone(object);
      edit(copy);
      return copy;
    }),
  });
  // Changed and never taken away: what is gone when istiod starts anew, it tells no proxy of.
  return [
    config("TLS of any age", (changed) => {
      delete changed.meshMTLS;
    }),
    config("paths as they come", (changed) => {
      changed.pathNormalization = { normalization: "NONE" };
    }),
    config("Istio's own retries", (changed) => {
      delete changed.defaultHttpRetryPolicy;
    }),
    route("gateway", "for another path", ({ spec }) => {
      spec.rules[0].matches = [{ path: { type: "PathPrefix", value: "/elsewhere" } }];
    }),
    route("gateway", "with a timeout", ({ spec }) => {
      spec.rules[0].timeouts = { request: "2s" };
    }),
    route("gateway", "with every header", ({ spec }) => {
      delete spec.rules[0].filters;
    }),
    route("https-only", "plain HTTP for the edge", ({ spec }) => {
      spec.rules = [{ backendRefs: [{ name: "gateway", port: 8080 }] }];
    }),
  ];
}
