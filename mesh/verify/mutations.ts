// The mutation check: each policy is deleted or widened in the running mesh, and some assertion must fail. What nobody notices when
// it is gone is either not needed or not watched.

import { eventually } from "@docket/runtime/testing/eventually";
import { decideByContract } from "../src/cells.ts";
import { meshOptions } from "../src/configuration.ts";
import { Checks } from "./checks.ts";
import { askServer, outcomeAtProxy } from "./matrix.ts";
import type { VerifiedMesh } from "./mesh.ts";
import { type Mutant, mutantsOf } from "./mutants.ts";
import type { Tokens } from "./subjects.ts";
import { checkClusters } from "./suites/clusters.ts";
import { checkConfigured } from "./suites/routes.ts";
import {
  watchAccessLog,
  watchDoors,
  watchEntries,
  watchPlaintext,
  watchReach,
  watchUnknownPaths,
  watchUnnamed,
} from "./suites/watches.ts";

/** What became of one mutant. */
export interface Fate {
  readonly mutant: string;
  readonly kind: string;
  /** The assertion that failed; undefined where none did. */
  readonly caughtBy: string | undefined;
}

/** Says what no longer holds; undefined as long as all does. */
export type Watch = (mesh: VerifiedMesh, tokens: Tokens) => Promise<string | undefined>;

/** Plays every mutant against the running mesh, and leaves it as it was. */
export async function playMutations(mesh: VerifiedMesh, tokens: Tokens, say: (line: string) => void): Promise<Fate[]> {
  const { istio } = mesh.cluster;
  const fates: Fate[] = [];
  const mutants = mutantsOf(istio, mesh.options.rendered.environment, meshOptions()).filter(({ kind, target }) =>
    concernsRunningPod(mesh, kind, target),
  );
  // What fails already would catch everything.
  for (const mutant of mutants.filter(({ kind }, index) => mutants.findIndex((each) => each.kind === kind) === index)) {
    const fault = await notice(mesh, { ...mutant, witnesses: [] }, tokens);
    if (fault !== undefined) throw new Error(`Without a change: ${fault}`);
  }
  try {
    for (const mutant of mutants) {
      const changed = await mesh.apply(mutant.objects);
      if (changed.length === 0) throw new Error(`${mutant.name} changes nothing.`);
      let caughtBy: string | undefined;
      await eventually(
        async () => {
          caughtBy = await notice(mesh, mutant, tokens);
          return caughtBy !== undefined;
        },
        { timeoutMs: 6000, intervalMs: 50 },
      ).catch(() => undefined);
      fates.push({ mutant: mutant.name, kind: mutant.kind, caughtBy });
      say(
        `${caughtBy === undefined ? "!!! survives" : "     caught "}: ${mutant.name}${caughtBy ? ` → ${caughtBy}` : ""}`,
      );
    }
  } finally {
    await mesh.apply(istio);
  }
  return fates;
}

/** Sidecars of workers that do not run here have nobody who could notice. */
function concernsRunningPod(mesh: VerifiedMesh, kind: string, target: string): boolean {
  return kind !== "Sidecar" || mesh.cluster.pods.some(({ labels }) => labels.app === target);
}

async function notice(mesh: VerifiedMesh, mutant: Mutant, tokens: Tokens): Promise<string | undefined> {
  for (const cell of mutant.witnesses) {
    const answer = await askServer(mesh, cell, tokens);
    const outcome = outcomeAtProxy(answer);
    const expected = decideByContract(cell);
    if (outcome !== expected) {
      const caller = `${cell.caller.environment} ${cell.caller.workload}`;
      return `cell ${caller} ${cell.method.parent.name}/${cell.method.name}, ${cell.token}: ${outcome}, not ${expected}`;
    }
  }
  for (const watch of watches[mutant.kind] ?? []) {
    const fault = await watch(mesh, tokens);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

const routes: Watch = async (mesh) => await firstFault((checks) => checkConfigured(mesh, checks.suite("routes")));
const clusters: Watch = async (mesh) => await firstFault((checks) => checkClusters(mesh, checks));

async function firstFault(run: (checks: Checks) => Promise<void>): Promise<string | undefined> {
  const checks = new Checks(() => undefined);
  await run(checks);
  const [fault] = checks.failed;
  return fault && `${fault.suite}: ${fault.name}`;
}

/** Beside the cells: which assertions watch over which kind. */
const watches: Readonly<Record<string, readonly Watch[]>> = {
  AuthorizationPolicy: [watchDoors, watchUnnamed, watchUnknownPaths],
  PeerAuthentication: [watchPlaintext],
  VirtualService: [routes],
  DestinationRule: [clusters],
  Sidecar: [watchReach, watchEntries],
  ServiceEntry: [watchEntries],
  Telemetry: [watchAccessLog],
};
