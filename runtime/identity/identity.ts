// Who this process is in the mesh, and how it knows its peers. On a laptop the runtime does mTLS itself, with leaves of a
// development authority; in the cluster a sidecar does, and says in a header whose certificate it saw.

import { Reason } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import type { Workload } from "@docket/contracts/gen/docket/policy/v1/policy_pb.ts";
import { workloadName } from "@docket/contracts/policy";
import { type Clock, systemClock } from "../clock.ts";
import { setting } from "../config.ts";
import { AppError } from "../errors.ts";
import { type Authority, type Credentials, openAuthority } from "./authority.ts";
import { forwardedCertificateHeader, lastForwardedCertificate } from "./forwarded.ts";
import { type MeshName, spiffeId, urisOf, workloadOfId } from "./spiffe.ts";

export type { Credentials } from "./authority.ts";
export { type MeshName, spiffeId } from "./spiffe.ts";

/** What a server knows of the other end of a connection. */
export interface PeerEvidence {
  /** The peer's IP address. */
  readonly address: string;
  /** The subject alternative names of its verified certificate as Node prints them; "" without TLS. */
  readonly subjectAltName: string;
}

/** This process's place in the mesh. */
export interface Identity extends MeshName {
  readonly workload: Workload;
  /** Its SPIFFE id. */
  readonly id: string;
  /** Who does TLS: the runtime, or a sidecar in front of it. */
  readonly mode: "mtls" | "sidecar";
  /** The present certificate, key and authority. Throws where a sidecar holds them. */
  current(): Credentials;
  /** Calls back after each renewal, so that servers and channels can take the new certificate; returns how to stop. */
  onRenewed(listener: (credentials: Credentials) => void): () => void;
  /** The workload at the other end of a call. Throws CALLER_UNKNOWN unless it is surely another one of this mesh. */
  workloadOf(peer: PeerEvidence, headers: Headers): Workload;
  /** For a client: what is wrong with a server's certificate, if it should be `expected`; undefined when all is well. */
  faultOfServer(subjectAltName: string, expected: Workload): string | undefined;
  /** Ends the renewals. */
  [Symbol.dispose](): void;
}

/** The settings of the mesh, for every service's config. */
export const meshSettings = {
  mode: setting.choice("MESH_MODE", ["mtls", "sidecar"], {
    default: "mtls",
    doc: "Who encrypts and authenticates calls between services: the services, or a sidecar (Istio) beside each.",
  }),
  trustDomain: setting.string("MESH_TRUST_DOMAIN", {
    default: "docket.local",
    pattern: /^[a-z0-9]([a-z0-9.-]{0,253}[a-z0-9])?$/,
    accepts: "a domain name in lower case",
    doc: "The SPIFFE trust domain of the mesh; `cluster.local` in most clusters.",
  }),
  namespace: setting.string("MESH_NAMESPACE", {
    default: "docket",
    pattern: /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/,
    accepts: "the name of a namespace",
    doc: "The namespace of the mesh's workloads.",
  }),
};

/** How long a development leaf lives, in milliseconds. It is renewed when a third of that is left. */
export const leafLifetimeMs = 24 * 3_600_000;

/** How often it is looked whether to renew; short, since a laptop may have slept. */
const renewalCheckMs = 60_000;

/** What an identity of the development mesh is made from. */
export interface DevelopmentIdentityOptions {
  /** The data folder, shared by the processes of one mesh. */
  readonly dataDir: string;
  readonly workload: Workload;
  /** Default: docket.local. */
  readonly trustDomain?: string;
  /** Default: docket. */
  readonly namespace?: string;
  readonly clock?: Clock;
}

/**
 * The identity of a process that does mTLS itself. Its leaf is issued in memory from the folder's development authority,
 * which is made when there is none. Throws StartError when the authority is damaged or cannot be made.
 */
export async function loadDevelopmentIdentity(options: DevelopmentIdentityOptions): Promise<Identity> {
  const { dataDir, workload, clock = systemClock } = options;
  const mesh = { trustDomain: options.trustDomain ?? "docket.local", namespace: options.namespace ?? "docket" };
  const authority = await openAuthority(dataDir, mesh.trustDomain, clock());
  return developmentIdentity(authority, mesh, workload, clock);
}

/** Like {@link loadDevelopmentIdentity}, with an authority at hand. */
export function developmentIdentity(authority: Authority, mesh: MeshName, workload: Workload, clock: Clock): Identity {
  const id = spiffeId(workload, mesh);
  const listeners = new Set<(credentials: Credentials) => void>();
  const issue = () => authority.issue(id, workloadName(workload), clock(), leafLifetimeMs);
  let credentials = issue();
  const renew = () => {
    if (credentials.expiresAt.getTime() - clock().getTime() > leafLifetimeMs / 3) return;
    credentials = issue();
    for (const listener of listeners) listener(credentials);
  };
  const timer = setInterval(renew, renewalCheckMs);
  timer.unref();
  return {
    ...mesh,
    workload,
    id,
    mode: "mtls",
    current() {
      renew();
      return credentials;
    },
    onRenewed(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    workloadOf: ({ subjectAltName }) => callerFrom(urisOf(subjectAltName), mesh, workload),
    faultOfServer(subjectAltName, expected) {
      const uris = urisOf(subjectAltName);
      if (uris?.length === 1 && uris[0] === spiffeId(expected, mesh)) return undefined;
      return `The server is not ${spiffeId(expected, mesh)}.`;
    },
    [Symbol.dispose]() {
      clearInterval(timer);
      listeners.clear();
    },
  };
}

/** The address from which a sidecar hands on calls that it has authenticated. */
const sidecarAddress = "127.0.0.6";

/** The identity of a process behind a sidecar. What comes past the sidecar is known by nobody. */
export function sidecarIdentity({ workload, ...mesh }: MeshName & { readonly workload: Workload }): Identity {
  const id = spiffeId(workload, mesh);
  return {
    ...mesh,
    workload,
    id,
    mode: "sidecar",
    current() {
      throw new Error("The sidecar holds the certificates.");
    },
    onRenewed: () => () => undefined,
    workloadOf({ address }, headers) {
      if (address !== sidecarAddress) throw callerUnknown();
      const forwarded = lastForwardedCertificate(headers.get(forwardedCertificateHeader) ?? "");
      if (forwarded?.by.some((by) => by !== id)) throw callerUnknown();
      return callerFrom(forwarded?.uris, mesh, workload);
    },
    // The sidecar checks the server, by the rules of the mesh.
    faultOfServer: () => undefined,
    [Symbol.dispose]: () => undefined,
  };
}

/** The identity that the settings ask for. Throws StartError like {@link loadDevelopmentIdentity}. */
export async function loadIdentity(
  options: DevelopmentIdentityOptions & MeshName & { readonly mode: "mtls" | "sidecar" },
): Promise<Identity> {
  return options.mode === "sidecar"
    ? sidecarIdentity({ workload: options.workload, trustDomain: options.trustDomain, namespace: options.namespace })
    : loadDevelopmentIdentity(options);
}

/** Exactly one name, of a known workload of the same mesh, that is not ourselves: a process never calls itself. */
function callerFrom(uris: readonly string[] | undefined, mesh: MeshName, self: Workload): Workload {
  const [uri] = uris ?? [];
  if (uri === undefined || uris?.length !== 1) throw callerUnknown();
  const caller = workloadOfId(uri, mesh);
  if (caller === undefined || caller === self) throw callerUnknown();
  return caller;
}

function callerUnknown(): AppError {
  return new AppError(Reason.CALLER_UNKNOWN, { refusedBy: "caller" });
}
