// Mutual TLS for grpc-js from a workload's identity. Certificates are asked for through a provider, so that a renewed
// one is used without a restart. In the cluster the sidecar does this and the process itself speaks plaintext.

import { ChannelCredentials, experimental, ServerCredentials } from "@grpc/grpc-js";
import type { Workload } from "@docket/contracts/gen/docket/policy/v1/policy_pb.ts";
import type { Identity } from "../identity/identity.ts";

/** Credentials of a server that demands a client certificate of the mesh's CA. */
export function serverCredentials(identity: Identity): ServerCredentials {
  if (identity.mode === "sidecar") return ServerCredentials.createInsecure();
  const provider = providerOf(identity);
  return experimental.createCertificateProviderServerCredentials(provider, provider, true);
}

/** Credentials of a client that demands that the server is `workload` and nobody else. */
export function channelCredentials(identity: Identity, workload: Workload): ChannelCredentials {
  if (identity.mode === "sidecar") return ChannelCredentials.createInsecure();
  const provider = providerOf(identity);
  return experimental.createCertificateProviderChannelCredentials(provider, provider, {
    // Names are SPIFFE ids here, not host names, so Node's own check is replaced and not added to.
    checkServerIdentity: (_host, certificate) => {
      const fault = identity.faultOfServer(certificate.subjectaltname ?? "", workload);
      return fault === undefined ? undefined : new Error(fault);
    },
  });
}

const providers = new WeakMap<Identity, experimental.CertificateProvider>();

function providerOf(identity: Identity): experimental.CertificateProvider {
  const known = providers.get(identity);
  if (known !== undefined) return known;
  const authority = new Set<experimental.CaCertificateUpdateListener>();
  const own = new Set<experimental.IdentityCertificateUpdateListener>();
  const caUpdate = () => ({ caCertificate: Buffer.from(identity.current().ca) });
  const ownUpdate = () => {
    const { certificate, key } = identity.current();
    return { certificate: Buffer.from(certificate), privateKey: Buffer.from(key) };
  };
  identity.onRenewed(() => {
    for (const listener of authority) listener(caUpdate());
    for (const listener of own) listener(ownUpdate());
  });
  const provider: experimental.CertificateProvider = {
    // Not at once: grpc-js registers the listener before it registers who is to hear of the update.
    addCaCertificateListener: (listener) => {
      authority.add(listener);
      queueMicrotask(() => authority.has(listener) && listener(caUpdate()));
    },
    removeCaCertificateListener: (listener) => void authority.delete(listener),
    addIdentityCertificateListener: (listener) => {
      own.add(listener);
      queueMicrotask(() => own.has(listener) && listener(ownUpdate()));
    },
    removeIdentityCertificateListener: (listener) => void own.delete(listener),
  };
  providers.set(identity, provider);
  return provider;
}
