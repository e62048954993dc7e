// Which tokens a workload takes for true. A bad one is refused, whatever the RPC; one that is missing passes, and the
// AuthorizationPolicy says where one is needed. Not at the edge: what clients send there is a key or a cookie, not a token.

import type { Workload } from "@docket/contracts/gen/docket/policy/v1/policy_pb.ts";
import { workloadName } from "@docket/contracts/policy";
import { tokenIssuer } from "./authorization_policy.ts";
import type { Commented } from "./manifest.ts";
import type { Environment } from "./options.ts";
import { rowOf } from "./workloads.ts";

/** Where the keys are once an overlay has put the environment's domain in. As it stands no token is taken: closed. */
const jwksUri = "https://domain/.well-known/jwks.json";

/** What a workload believes of tokens; undefined for those that take none. */
export function requestAuthentication(workload: Workload, environment: Environment): Commented | undefined {
  if (rowOf(workload).grpcPort === undefined) return undefined;
  const name = workloadName(workload);
  return {
    manifest: {
      apiVersion: "security.istio.io/v1",
      kind: "RequestAuthentication",
      metadata: { name, namespace: environment.namespace },
      spec: {
        selector: { matchLabels: { app: name } },
        jwtRules: [
          {
            issuer: tokenIssuer,
            audiences: [tokenIssuer],
            jwksUri,
            // Only there: not in a query, where Istio would look as well.
            fromHeaders: [{ name: "authorization", prefix: "Bearer " }],
            // The service verifies it again.
            forwardOriginalToken: true,
          },
        ],
      },
    },
    remarks: [{ at: ["spec", "jwtRules"], text: "The overlay puts the environment's domain into jwksUri." }],
  };
}
