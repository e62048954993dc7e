// Two replicas of every service, requests spread over both, and each of them killed with SIGKILL in turn under load.

import { setTimeout as pause } from "node:timers/promises";
import type { ProcessMesh } from "../processes.ts";
import type { CallReport } from "./balanced.ts";
import { startLoad } from "./load.ts";
import { startReceiver } from "./receiver.ts";
import { duration, type Finding, percentile, tally } from "./report.ts";

/** How long each stays dead, and how long all live before the next one dies, in milliseconds. */
const deadMs = 1_500;
const aliveMs = 1_000;
const people = 4;

/** Kills every process of a mesh once. The mesh is whole again at the end. */
export async function killEachReplica(mesh: ProcessMesh): Promise<Finding> {
  await using receiver = await startReceiver();
  await using load = await startLoad(mesh.urls, people, receiver);
  await pause(aliveMs);
  const lines: string[] = [];
  for (const name of mesh.processes.keys()) {
    const first = load.calls.length;
    await mesh.end(name);
    await pause(deadMs);
    const began = performance.now();
    await mesh.start(name);
    const startMs = performance.now() - began;
    await pause(aliveMs);
    lines.push(`${name.padEnd(20)} ${told(load.calls.slice(first))}; started in ${duration(startMs)}`);
  }
  await load.stop();
  const faults = await load.check();
  const failed = load.calls.filter(({ covered, fault }) => covered && fault !== undefined);
  if (failed.length > 0) {
    const what = tally(failed.map(({ rpc, fault }) => `${rpc} ${fault?.message}`));
    faults.push(`${failed.length} calls failed that a retry policy covers: ${what}`);
  }
  const { documents, tasks } = load.acknowledged;
  lines.push(`calls answered by each: ${spread(mesh)}`);
  lines.push(
    `all: ${told(load.calls)}`,
    `acknowledged and found again: ${documents} documents by digest, ${tasks} tasks; streams opened again ${load.resumed} times`,
    `webhooks brought ${load.delivered.changes} changes, ${load.delivered.repeated} of them again`,
  );
  return { title: "Two replicas of every service, each killed in turn under load", lines, faults };
}

/** Calls and how they ended. */
export function told(calls: readonly CallReport[]): string {
  const covered = calls.filter((call) => call.covered);
  const others = calls.filter((call) => !call.covered);
  const failed = (some: readonly CallReport[]) => some.filter(({ fault }) => fault !== undefined).length;
  const again = covered.filter(({ tries }) => tries > 1).length;
  const took = calls.filter(({ fault }) => fault === undefined).map(({ ms }) => ms);
  return (
    `${covered.length} calls with a retry policy, ${again} tried again, ${failed(covered)} failed; ` +
    `${others.length} without, ${failed(others)} failed; ` +
    `p50 ${duration(percentile(took, 0.5))}, p99 ${duration(percentile(took, 0.99))}, longest ${duration(Math.max(0, ...took))}`
  );
}

/** How many calls each process has answered well, by its log. */
function spread(mesh: ProcessMesh): string {
  const counts = [...mesh.processes.values()].map(
    ({ name, output }) => [name, output().split('"call ended"').length - 1] as const,
  );
  return counts
    .filter(([, count]) => count > 0)
    .map(([name, count]) => `${name} ${count}`)
    .join(", ");
}
