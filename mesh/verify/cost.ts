// What the sidecars cost: the same call to the same process, past them and through both, in turns.

import { readFile } from "node:fs/promises";
import { promisify } from "node:util";
import { execFile } from "node:child_process";
import type { VerifiedMesh } from "./mesh.ts";

const run = promisify(execFile);
const rounds = 7;
const calls = 300;

/** Minimum, median and maximum over the rounds. */
export type Spread = readonly [minimum: number, median: number, maximum: number];

/** What one call costs. */
export interface Cost {
  /** Median milliseconds of a call to the process alone, and through two sidecars. */
  readonly bareMs: Spread;
  readonly meshMs: Spread;
  readonly ratio: Spread;
  /** CPU milliseconds of one call: of the process, and of the two Envoys together. */
  readonly processCpuMs: number;
  readonly proxiesCpuMs: number;
}

export async function measureCost(mesh: VerifiedMesh): Promise<Cost> {
  const path = "/grpc.health.v1.Health/Check";
  const target = `user.${mesh.options.rendered.namespace}.svc.cluster.local:7101`;
  const series = async (pod: string, to: string) => {
    const { durationsMs, failed } = await mesh
      .probe(pod)
      .ask({ operation: "series", count: calls, call: { operation: "rpc", target: to, path } });
    if (failed > 0) throw new Error(`${failed} of ${calls} calls failed.`);
    return medianOf(durationsMs);
  };
  const bare: number[] = [];
  const through: number[] = [];
  const process = mesh.applications.get("user")?.pid ?? 0;
  const envoys = await Promise.all(["gateway", "user"].map((pod) => envoyOf(mesh, pod)));
  const cpu = async (pids: readonly number[]) => {
    const times = await Promise.all(pids.map(cpuMs));
    return times.reduce((sum, time) => sum + time, 0);
  };
  await series("user", "127.0.0.1:7101");
  await series("gateway", target);
  let processCpu = 0;
  let proxiesCpu = 0;
  for (let round = 0; round < rounds; round += 1) {
    bare.push(await series("user", "127.0.0.1:7101"));
    const before = [await cpu([process]), await cpu(envoys)] as const;
    through.push(await series("gateway", target));
    processCpu += (await cpu([process])) - before[0];
    proxiesCpu += (await cpu(envoys)) - before[1];
  }
  return {
    bareMs: spreadOf(bare),
    meshMs: spreadOf(through),
    ratio: spreadOf(through.map((ms, round) => ms / (bare[round] ?? ms))),
    processCpuMs: processCpu / (rounds * calls),
    proxiesCpuMs: proxiesCpu / (rounds * calls),
  };
}

async function envoyOf(mesh: VerifiedMesh, pod: string): Promise<number> {
  const agent = mesh.agents.get(pod)?.pid;
  const { stdout } = await run("ps", ["-o", "pid=", "--ppid", String(agent)]);
  return Number(stdout.trim().split("\n")[0]);
}

/** User and system time of a process; the kernel counts in hundredths of a second (proc(5), utime and stime). */
async function cpuMs(pid: number): Promise<number> {
  const fields = (await readFile(`/proc/${pid}/stat`, "utf8")).replace(/^.*\) /s, "").split(" ");
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

function medianOf(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

function spreadOf(values: readonly number[]): Spread {
  return [Math.min(...values), medianOf(values), Math.max(...values)];
}
