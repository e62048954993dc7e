/**
 * What the contract cannot say of a workload: the ports that it listens on, the pods that it runs as, and what it needs
 * outside the mesh. The only table of its kind; a test compares it with the settings that the processes declare.
 */
import { Workload } from "@docket/contracts/gen/docket/policy/v1/policy_pb.ts";

/** Something outside the mesh. */
export type Need = "mysql" | "redis" | "objects" | "mail" | "internet";

/** A port that takes HTTP of any path, from the workloads named. */
export interface PageDoor {
  readonly port: number;
  readonly callers: readonly Workload[];
}

/** One workload's row. */
export interface WorkloadRow {
  /** Where it serves the RPCs of its package; undefined: it serves none. */
  readonly grpcPort?: number;
  /** Where it serves health and reflection, if it serves no package of its own. */
  readonly foreignPort?: number;
  /** Where it serves pages and files to other workloads. */
  readonly pages?: readonly PageDoor[];
  /** Whether what is on trial has a Service of its own, `<workload>-canary`, since an HTTPRoute splits between Services. */
  readonly canaryService?: true;
  /** Ports that everybody outside may reach. */
  readonly publicPorts?: readonly number[];
  /** Whether background jobs run in pods of their own, `<workload>-worker`. They take no calls. */
  readonly worker?: true;
  /** What its pods reach outside the mesh; its migrations reach `mysql` alone. */
  readonly needs: readonly Need[];
  /** An Envoy of its own and no sidecar: Sidecar resources do not concern it. */
  readonly gateway?: true;
}

/** Every workload but UNSPECIFIED has a row; one that is missing does not compile. */
export const workloadRows: Readonly<Record<Exclude<Workload, typeof Workload.UNSPECIFIED>, WorkloadRow>> = {
  [Workload.GATEWAY]: {
    foreignPort: 8080,
    pages: [
      { port: 8080, callers: [Workload.INGRESS] },
      { port: 7105, callers: [Workload.WEB] },
    ],
    canaryService: true,
    needs: ["redis"],
  },
  [Workload.WEB]: { pages: [{ port: 7106, callers: [Workload.GATEWAY] }], needs: [] },
  [Workload.USER]: { grpcPort: 7101, worker: true, needs: ["mysql", "redis", "mail"] },
  [Workload.DOCUMENT]: { grpcPort: 7102, worker: true, needs: ["mysql", "redis"] },
  [Workload.STORAGE]: { grpcPort: 7103, worker: true, needs: ["mysql", "redis", "objects"] },
  [Workload.INTEGRATION]: { grpcPort: 7104, worker: true, needs: ["mysql", "redis", "internet"] },
  [Workload.INGRESS]: { publicPorts: [8080, 8443], needs: [], gateway: true },
  // The access pod, where operators run the commands of docs/operations: they read databases and contents.
  [Workload.OPERATOR]: { needs: ["mysql", "objects"] },
};

/** The row of a workload. One that the contract has got and this table not yet serves nothing and needs nothing. */
export function rowOf(workload: Workload): WorkloadRow {
  return (workloadRows as Partial<Record<Workload, WorkloadRow>>)[workload] ?? { needs: [] };
}

/** Where something outside is. */
export interface Outside {
  /** Names, as the ServiceEntries of mesh/base have them, `region` for the region; a Sidecar lets its pods see only these. */
  readonly hosts: readonly string[];
  /** TCP ports; empty: all. */
  readonly ports: readonly number[];
  /** Which addresses: the network's own, those of the Internet only, or both. */
  readonly where: "private" | "public" | "anywhere";
}

/** Everything outside the mesh that some workload needs. */
export const outsides: Readonly<Record<Need, Outside>> = {
  mysql: { hosts: ["*.rds.amazonaws.com"], ports: [3306], where: "private" },
  redis: { hosts: ["*.cache.amazonaws.com"], ports: [6379], where: "private" },
  // Buckets answer at public addresses, through the network's own endpoint. STS changes a pod's token for keys to them.
  objects: {
    hosts: ["s3.region.amazonaws.com", "*.s3.region.amazonaws.com", "sts.region.amazonaws.com"],
    ports: [443],
    where: "anywhere",
  },
  mail: { hosts: ["email-smtp.region.amazonaws.com"], ports: [465], where: "anywhere" },
  // Webhooks go wherever their makers say. What is private stays out of reach: services/integration/egress refuses it first.
  internet: { hosts: ["graph.microsoft.com", "login.microsoftonline.com"], ports: [], where: "public" },
};

/** The addresses that no packet to the Internet has. */
export const privateRanges = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"] as const;

/** Private and otherwise special addresses: not the Internet. */
export const specialRanges = [
  "0.0.0.0/8",
  "10.0.0.0/8",
  "100.64.0.0/10",
  "127.0.0.0/8",
  "169.254.0.0/16",
  "172.16.0.0/12",
  "192.168.0.0/16",
  "224.0.0.0/4",
] as const;
