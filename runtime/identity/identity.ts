// Who a workload is to the others: its SPIFFE identity, and how it reads theirs. The chain, the server's and the
// channels' credentials ask only this.

import type { Workload } from "@docket/contracts/gen/docket/policy/v1/policy_pb.ts";

/** A certificate with its key and the authority that vouches for its peers, each PEM. */
export interface CertificatePair {
  readonly certificate: string;
  readonly key: string;
  readonly ca: string;
}

/** Where a call came from, as the transport saw it. */
export interface PeerEvidence {
  /** The peer's IP address. */
  readonly address: string;
  /** The subject alternative names of its certificate as Node prints them; empty without TLS. */
  readonly subjectAltName: string;
}

/** The identity of one workload in one process. */
export interface Identity {
  readonly workload: Workload;
  readonly trustDomain: string;
  readonly namespace: string;
  /** `mtls`: the runtime does TLS itself. `sidecar`: Istio's proxy does, and says in a header who called. */
  readonly mode: "mtls" | "sidecar";
  /** The pair to use now. Only in mode `mtls`. */
  current(): CertificatePair;
  /** Calls the listener after each renewal. */
  onRenewed(listener: () => void): void;
  /** The workload that called. Throws AppError CALLER_UNKNOWN when there is none, several, a foreign one, or this one itself. */
  workloadOf(peer: PeerEvidence, header: Headers): Workload;
  /** What is wrong with a server's certificate when `workload` is expected; undefined = nothing. */
  faultOfServer(subjectAltName: string, workload: Workload): string | undefined;
}
