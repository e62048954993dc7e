// `npm run mesh:verify`: the mesh as it is shipped, checked by Istio's own tools and then run: real istiod code, a real Envoy for each
// workload, Docket's processes behind them.

import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs, promisify } from "node:util";
import { findCommand } from "@docket/runtime/testing/servers/process";
import { Checks } from "./checks.ts";
import { buildPortal, findDomain } from "./surroundings.ts";
import { measureCost } from "./cost.ts";
import { playMatrix } from "./matrix.ts";
import { VerifiedMesh } from "./mesh.ts";
import { playMutations } from "./mutations.ts";
import { playRestarts } from "./restarts.ts";
import { environments, render } from "./render.ts";
import { notCovered, reportOf } from "./report.ts";
import { checkStatically } from "./static.ts";
import { makeSubjects, servesWithKeys, signTokens } from "./subjects.ts";
import { asRolledOut, checkCanary } from "./suites/canary.ts";
import { checkClusters } from "./suites/clusters.ts";
import { checkDrain } from "./suites/drain.ts";
import { checkEdge } from "./suites/edge.ts";
import { checkEjection } from "./suites/ejection.ts";
import { checkEgress, startOutside } from "./suites/egress.ts";
import { checkIdentity } from "./suites/identity.ts";
import { watchIngress } from "./suites/ingress.ts";
import { checkRoutes } from "./suites/routes.ts";
import { checkStreams } from "./suites/streams.ts";
import {
  sampleOf,
  watchAccessLog,
  watchDoors,
  watchPlaintext,
  watchUnknownPaths,
  watchUnnamed,
} from "./suites/watches.ts";
import { ensureTools, type Tools } from "./tools.ts";

const run = promisify(execFile);
const say = (line: string) => process.stdout.write(`${line}\n`);

const usage = `npm run mesh:verify [-- --environment dev|stage|prod] [--static] [--report]
Checks what mesh/ and argocd/workloads render: by istioctl and Istio's analyzers, and then, as root, in a mesh of network
namespaces with istiod's own code and real Envoys. Needs Go, Python with pip, OpenSSL, curl, iptables, iproute2, util-linux, procps.
About 3 minutes, and about 10 more the first time, when Istio is built into the user's cache folder (about 700 MB).
--environment  which one is run; the others are checked statically. Default: prod
--static       leaves out what needs root
--report       writes mesh/verify/report.md
Exit codes: 0 all holds; 1 something does not; 2 not understood.`;

interface Options {
  readonly environment: string;
  readonly static: boolean;
  readonly report: boolean;
}

function readOptions(): Options | undefined {
  try {
    const { values } = parseArgs({
      options: {
        environment: { type: "string", default: "prod" },
        static: { type: "boolean", default: false },
        report: { type: "boolean", default: false },
        help: { type: "boolean", default: false },
      },
    });
    const environment = environments.find((name) => name === values.environment);
    if (environment === undefined || values.help) return undefined;
    return { environment, static: values.static, report: values.report };
  } catch {
    return undefined;
  }
}

const options = readOptions();
if (options === undefined) {
  process.stderr.write(`${usage}\n`);
  process.exitCode = 2;
} else {
  process.exitCode = await verify(options);
}

async function verify(wanted: Options): Promise<number> {
  const started = performance.now();
  say(usage.split("\n").slice(1, 4).join("\n"));
  const possible = await canHaveNetworks();
  const dynamic = !wanted.static && possible;
  const missing = missingCommands(dynamic);
  if (missing.length > 0) {
    process.stderr.write(`Missing on this machine: ${missing.join(", ")}\n`);
    return 1;
  }
  const tools = await ensureTools(say, { dynamic });
  say(
    Object.entries(tools.versions)
      .map(([name, version]) => `${name} ${version}`)
      .join(", "),
  );
  const checks = new Checks(say);
  const rendered = await Promise.all(environments.map((environment) => render(tools.kustomize, environment)));
  await checkStatically(tools, rendered, checks);
  let surprises = 0;
  let survivors = 0;
  if (dynamic) {
    const found = await verifyRunning(tools, wanted, rendered, checks, started);
    surprises = found.surprises;
    survivors = found.survivors;
  } else if (wanted.static) say("!!! NOT RUN: the mesh itself, as --static asks.");
  else say("!!! NOT RUN: the mesh itself, which needs root and a machine that gives network namespaces.");
  say("Not covered:");
  for (const line of notCovered) say(`  - ${line}`);
  const failed = checks.failed.length + surprises + survivors;
  say(`mesh: ${checks.all.length} assertions, ${failed} failed, ${Math.round((performance.now() - started) / 1000)} s`);
  return failed === 0 ? 0 : 1;
}

async function verifyRunning(
  tools: Tools,
  { environment, report }: Options,
  all: Awaited<ReturnType<typeof render>>[],
  checks: Checks,
  started: number,
): Promise<{ surprises: number; survivors: number }> {
  const own = all.find((each) => each.environment === environment);
  if (own === undefined) throw new Error(`${environment} was not rendered.`);
  const rendered = { ...own, mesh: asRolledOut(own.mesh, "document") };
  const hosts = rendered.mesh
    .filter(({ kind }) => kind === "ServiceEntry")
    .flatMap(({ spec }) => spec.hosts as string[]);
  await using mesh = await VerifiedMesh.start({
    tools,
    rendered,
    portal: await buildPortal(),
    domain: findDomain(rendered),
    extra: [{ of: "document", name: "document-canary", version: "canary" }],
    // One worker stands for all: none of them takes a call.
    runs: (name) => !name.endsWith("-worker") || name === "document-worker",
    outside: hosts.map(sampleOf),
    undeclared: ["undeclared.example.net"],
  });
  await startOutside(mesh);
  await servesWithKeys(mesh);
  say(`A mesh of ${mesh.cluster.pods.length} pods after ${Math.round((performance.now() - started) / 1000)} s`);
  const subjects = await makeSubjects(mesh);
  const tokens = await signTokens(mesh, subjects);
  // As long as the streams live, what follows must not end what they stand on.
  const streams = checkStreams(mesh, checks, subjects, tokens);
  const matrix = await playMatrix(mesh, async () => signTokens(mesh, await makeSubjects(mesh)));
  for (const { cell, path, expected, seen } of matrix.surprises.slice(0, 50))
    say(`!!! ${path}: ${cell}: expected ${expected}, seen ${seen}`);
  say(`    matrix: ${matrix.cells} cells, ${matrix.surprises.length} surprises, ${JSON.stringify(matrix.asked)}`);
  await checkIdentity(mesh, checks);
  await checkEgress(mesh, checks);
  await checkEdge(mesh, checks, subjects);
  await checkClusters(mesh, checks);
  const standing = checks.suite("standing");
  for (const [name, watch] of [
    ["the edge's and the portal's doors are open to whom they should be", watchDoors],
    ["the ingress cuts nothing, repeats nothing and lets no header of the mesh's own through", watchIngress],
    ["pods without a policy take no call", watchUnnamed],
    ["what the contract does not name is refused to everybody", watchUnknownPaths],
    ["plaintext is heard by no service", watchPlaintext],
    ["a refused call leaves a line in its proxy's log", watchAccessLog],
  ] as const) {
    const fault = await watch(mesh, tokens);
    standing(name, fault === undefined, fault);
  }
  const cost = await measureCost(mesh);
  await streams;
  await checkRoutes(mesh, checks, tokens);
  await checkCanary(mesh, checks);
  await checkDrain(mesh, checks, tokens);
  await checkEjection(mesh, checks);
  const fates = [...(await playMutations(mesh, tokens, say)), ...(await playRestarts(mesh, tokens, say))];
  const survivors = fates.filter(({ caughtBy }) => caughtBy === undefined).length;
  say(`    mutations: ${fates.length}, ${survivors} survive`);
  const [least, middle, most] = cost.ratio.map((ratio) => ratio.toFixed(1));
  say(`    cost: a call takes ${middle} times as long through two sidecars (${least} to ${most})`);
  if (report) {
    const { stdout } = await run("git", ["rev-parse", "--short", "HEAD"], { cwd: import.meta.dirname });
    const text = reportOf({
      commit: stdout.trim(),
      environment,
      versions: tools.versions,
      matrix,
      checks: checks.all,
      fates,
      cost,
      pods: mesh.cluster.pods.map(({ name }) => name),
      seconds: (performance.now() - started) / 1000,
    });
    await writeFile(join(import.meta.dirname, "report.md"), text);
  }
  return { surprises: matrix.surprises.length, survivors };
}

/** Whether this account may make network namespaces: root may, but not in every container. */
async function canHaveNetworks(): Promise<boolean> {
  if (process.getuid?.() !== 0) return false;
  return await run("unshare", ["--net", "--mount", "true"]).then(
    () => true,
    () => false,
  );
}

/** The commands that are called and are not here. */
function missingCommands(dynamic: boolean): string[] {
  const needed = ["go", "pip3", "python3", ...(dynamic ? ["ip", "iptables", "setpriv", "openssl", "curl", "ps"] : [])];
  return needed.filter((name) => findCommand(name) === undefined);
}
