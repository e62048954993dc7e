// The report of a full run, as it is checked in beside this file: what was asserted, and what cannot be covered in this way.

import type { Check } from "./checks.ts";
import type { Cost, Spread } from "./cost.ts";
import type { MatrixResult } from "./matrix.ts";
import type { Fate } from "./mutations.ts";

/** What a run found. */
export interface Findings {
  readonly commit: string;
  readonly environment: string;
  readonly versions: Readonly<Record<string, string>>;
  readonly matrix: MatrixResult;
  readonly checks: readonly Check[];
  readonly fates: readonly Fate[];
  readonly cost: Cost;
  readonly pods: readonly string[];
  readonly seconds: number;
}

/** What this verification cannot show, and where else it is looked at, if anywhere. */
export const notCovered: readonly string[] = [
  "Injection of sidecars, native sidecars, Istio's CNI plugin: agents and Envoys are started by hand, with the arguments and certificates that injection would give them.",
  "Istio's own build of Envoy and its extensions (metadata exchange, istio.stats): Envoy here is the core build, and the two features are off in istiod.",
  "An official release of Istio: the modules are the revision of go.mod, which is that of a release branch but no release.",
  "NetworkPolicy: network namespaces have no CNI that would enforce it. Its schema is checked, and that its ports and peers are those of the call graph.",
  "Load balancers, the addresses of clients behind them, their idle timeouts.",
  "Certificates by istiod's authority and their rotation: leaves are of an authority made for the run.",
  "Kubelet probes, Rollouts' and Argo CD's controllers: what Rollouts would write (weights, labels of subsets, the preview's route) is written by the suite.",
  "More than two replicas, and locality: only as configuration in Envoy.",
  "RDS, ElastiCache, S3, SES and Graph themselves: hosts of their names that greet. The processes behind the sidecars use SQLite and files.",
  "Sidecars of jobs, of the workers that do not run here, and the environment's default one: nobody is there who could notice.",
  "A server that speaks first over bare TCP: Envoy's rules act at the client's first byte. Docket has none.",
  "Mutations of NetworkPolicies, since nothing enforces them here, and of the Gateway: istiod is started anew for it, and tells no proxy then of listeners that are gone.",
];

/** The report as Markdown. */
export function reportOf({
  commit,
  environment,
  versions,
  matrix,
  checks,
  fates,
  cost,
  pods,
  seconds,
}: Findings): string {
  const caught = fates.filter(({ caughtBy }) => caughtBy !== undefined);
  const suites = [...new Set(checks.map(({ suite }) => suite))];
  const { asked, byOutcome, surprises } = matrix;
  const fixed = ([a, b, c]: Spread, digits = 2) => `${a.toFixed(digits)} / ${b.toFixed(digits)} / ${c.toFixed(digits)}`;
  return [
    "<!-- Written by `npm run mesh:verify -- --report`. -->",
    "",
    "# The last full verification of the mesh",
    "",
    `Commit ${commit}, environment ${environment}, ${Math.round(seconds)} s. ${Object.entries(versions)
      .map(([name, version]) => `${name} ${version}`)
      .join(", ")}.`,
    `Pods with a real Envoy: ${pods.join(", ")}.`,
    "",
    "## The matrix",
    "",
    `${matrix.cells} cells (caller × RPC × token), all of them asserted:`,
    "",
    "| asked of | cells | surprises |",
    "|---|---|---|",
    `| the called pod's Envoy, past the caller's | ${asked.server} | ${count(surprises, "server")} |`,
    `| through the caller's own sidecar | ${asked.sidecar} | ${count(surprises, "sidecar")} |`,
    `| the process itself, past its Envoy | ${asked.process} | ${count(surprises, "process")} |`,
    `| \`mesh:explain\` | ${matrix.cells} | ${count(surprises, "explain")} |`,
    "",
    `By the contract ${byOutcome.allowed} are allowed, ${byOutcome.denied} denied (gRPC 7) and ${byOutcome.unauthenticated} unauthenticated (16).`,
    "Through the sidecar there are fewer: Istio's ingress has none, and other environments' edges are elsewhere.",
    "",
    "## Behaviour",
    "",
    ...suites.flatMap((suite) => [
      `- **${suite}**`,
      ...checks
        .filter((check) => check.suite === suite)
        .map(({ name, holds, seen }) => `  - ${holds ? "" : "**fails** "}${name}${holds ? "" : `: ${seen}`}`),
    ]),
    "",
    "## Mutations",
    "",
    `${fates.length} changes of the policies, each a policy deleted or widened in the running mesh; ${caught.length} made an assertion fail.`,
    "",
    "| kind | changes | noticed |",
    "|---|---|---|",
    ...[...new Set(fates.map(({ kind }) => kind))].map((kind) => {
      const own = fates.filter((fate) => fate.kind === kind);
      return `| ${kind} | ${own.length} | ${own.filter(({ caughtBy }) => caughtBy !== undefined).length} |`;
    }),
    "",
    ...fates.filter(({ caughtBy }) => caughtBy === undefined).map(({ mutant }) => `- **survives**: ${mutant}`),
    "",
    "## What a sidecar costs",
    "",
    "One health check of the user service, past the sidecars and through both, in turns; minimum / median / maximum of the rounds' medians.",
    "",
    "| | |",
    "|---|---|",
    `| the process alone, over loopback | ${fixed(cost.bareMs)} ms |`,
    `| through both sidecars | ${fixed(cost.meshMs)} ms |`,
    `| ratio | ${fixed(cost.ratio)} |`,
    `| CPU of the process for one call | ${cost.processCpuMs.toFixed(2)} ms |`,
    `| CPU of both Envoys for one call | ${cost.proxiesCpuMs.toFixed(2)} ms (${(cost.proxiesCpuMs / cost.processCpuMs).toFixed(1)} times the process's) |`,
    "",
    "## What is not covered",
    "",
    ...notCovered.map((line) => `- ${line}`),
    "",
  ].join("\n");
}

function count(surprises: MatrixResult["surprises"], path: string): number {
  return surprises.filter((surprise) => surprise.path === path).length;
}
