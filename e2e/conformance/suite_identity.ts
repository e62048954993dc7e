// An identity for the suites, whose peers have certificates that the suite made, or none, and no SPIFFE ids.

import { Workload } from "@docket/contracts/gen/docket/policy/v1/policy_pb.ts";
import { type Identity, spiffeId } from "@docket/runtime/identity/identity";
import { testMesh } from "@docket/runtime/testing/identities";

export interface SuiteCredentials {
  /** Whether the runtime does TLS, always mutual; otherwise it speaks plaintext, as behind a sidecar. */
  readonly tls: boolean;
  /** PEM: whom to trust, and what to show. */
  readonly ca?: Uint8Array | undefined;
  readonly certificate?: Uint8Array | undefined;
  readonly key?: Uint8Array | undefined;
}

/** Whoever gets through the runtime's own TLS is the gateway, and whoever answers is the one who was called. */
export function suiteIdentity(workload: Workload, { tls, ca, certificate, key }: SuiteCredentials): Identity {
  const text = (bytes: Uint8Array | undefined) => Buffer.from(bytes ?? []).toString();
  return {
    ...testMesh,
    workload,
    id: spiffeId(workload, testMesh),
    mode: tls ? "mtls" : "sidecar",
    current: () => ({
      ca: text(ca),
      certificate: text(certificate),
      key: text(key),
      expiresAt: new Date(Date.now() + 3_600_000),
    }),
    onRenewed: () => () => undefined,
    workloadOf: () => Workload.GATEWAY,
    faultOfServer: () => undefined,
    [Symbol.dispose]: () => undefined,
  };
}
