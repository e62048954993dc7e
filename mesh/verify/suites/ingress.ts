// The way in as it is configured: one route to the edge, with nothing that cuts or repeats what passes, and without the headers that
// only the mesh may write. Asked again while Gateway, routes and mesh config change.

import type { VerifiedMesh } from "../mesh.ts";

interface Route {
  readonly name?: string;
  readonly request_headers_to_remove?: readonly string[];
  readonly redirect?: { readonly https_redirect?: boolean; readonly scheme_redirect?: string };
  readonly route?: {
    readonly timeout?: string;
    readonly retry_policy?: { readonly num_retries?: number };
    readonly weighted_clusters?: { readonly clusters: readonly { readonly name: string; readonly weight: number }[] };
    readonly cluster?: string;
  };
}

/** Headers that the mesh alone writes: from outside they end at the ingress. */
const ours = ["x-forwarded-client-cert", "x-docket-client"];

/** Says what the ingress does otherwise than it should. */
export async function watchIngress(mesh: VerifiedMesh): Promise<string | undefined> {
  const routes = await routesOf(mesh);
  const forwarding = routes.filter(({ route }) => route !== undefined);
  if (forwarding.length !== 1) return `the ingress has ${forwarding.length} routes that lead somewhere`;
  const [{ route, request_headers_to_remove: removed = [] } = {}] = forwarding;
  if (Number.parseFloat(route?.timeout ?? "") !== 0) return `the ingress ends requests after ${route?.timeout}`;
  if ((route?.retry_policy?.num_retries ?? 0) > 0) return "the ingress tries requests again";
  const kept = ours.filter((header) => !removed.includes(header));
  if (kept.length > 0) return `the ingress lets ${kept.join(", ")} through`;
  const { domain } = mesh.options;
  const plain = await mesh.probe("stranger").ask({ operation: "http", url: `http://${domain}/readyz` });
  if (plain.status !== 301) return `plain HTTP is answered with ${plain.status ?? plain.outcome}`;
  return undefined;
}

/** Says whether something older than TLS 1.3 is spoken within the mesh. */
export async function watchTls(mesh: VerifiedMesh): Promise<string | undefined> {
  const { httpStatus } = await mesh.probe("stranger").ask({
    operation: "rpc",
    fresh: true,
    target: `${mesh.pod("user").address}:7101`,
    path: "/grpc.health.v1.Health/Check",
    tls: { certificates: mesh.certificates("gateway"), maxVersion: "TLSv1.2" },
    giveUpMs: 3000,
  });
  return httpStatus === undefined ? undefined : "TLS 1.2 is spoken within the mesh";
}

/** Says whether a path is one thing to Envoy and another to the process. */
export async function watchPaths(mesh: VerifiedMesh): Promise<string | undefined> {
  const { grpcStatus } = await mesh.probe("stranger").ask({
    operation: "rpc",
    fresh: true,
    target: `${mesh.pod("user").address}:7101`,
    path: "/grpc.health.v1.Health//Check",
    tls: { certificates: mesh.certificates("gateway") },
    giveUpMs: 3000,
  });
  return grpcStatus === 0 ? undefined : `two slashes are not one: ${grpcStatus}`;
}

async function routesOf(mesh: VerifiedMesh): Promise<readonly Route[]> {
  const dump = JSON.parse(await mesh.envoy("ingress", "config_dump?resource=dynamic_route_configs")) as {
    configs: { route_config: { virtual_hosts: { routes: Route[] }[] } }[];
  };
  return dump.configs.flatMap(({ route_config }) => route_config.virtual_hosts).flatMap(({ routes }) => routes);
}
