// The database, Redis and the S3 server stopped in turn under load: what still works, what is refused how, and how soon
// all is well again.

import { setTimeout as pause } from "node:timers/promises";
import type { ProcessMesh } from "../processes.ts";
import type { CallReport } from "./balanced.ts";
import { startLoad } from "./load.ts";
import type { Parts } from "./parts.ts";
import { startReceiver } from "./receiver.ts";
import { duration, type Finding, percentile, tally } from "./report.ts";

const people = 3;
/** How soon all must be well again, in milliseconds. */
const recoveryMs = 5_000;

/** Stops each part for `outageMs`. */
export async function stopEachPart(mesh: ProcessMesh, parts: Parts, outageMs: number): Promise<Finding> {
  const outages = [
    { name: "MariaDB", stop: () => parts.mariadb.kill(), start: () => parts.mariadb.start() },
    { name: "Redis", stop: () => parts.redis.stop(), start: () => parts.redis.start() },
    { name: "the S3 server", stop: () => parts.s3.stop(), start: () => parts.s3.start() },
  ];
  const lines: string[] = [];
  const faults: string[] = [];
  await using receiver = await startReceiver();
  await using load = await startLoad(mesh.urls, people, receiver);
  await pause(2_000);
  for (const { name, stop, start } of outages) {
    await stop();
    const stoppedAt = Date.now();
    await pause(outageMs);
    await start();
    const startedAt = Date.now();
    await pause(recoveryMs + 2_000);
    const during = load.calls.filter(({ endedAt }) => endedAt >= stoppedAt && endedAt < startedAt);
    const after = load.calls.filter(({ endedAt }) => endedAt >= startedAt);
    const lastFault = Math.max(startedAt, ...after.filter(({ fault }) => fault).map(({ endedAt }) => endedAt));
    const recovered = lastFault - startedAt;
    lines.push(
      `${name} stopped for ${duration(startedAt - stoppedAt)}; all well ${duration(recovered)} after its return`,
    );
    lines.push(`  still answered: ${tally(during.filter(({ fault }) => !fault).map(rpcOf)) || "nothing"}`);
    lines.push(`  refused: ${tally(during.filter(({ fault }) => fault).map(refusalOf)) || "nothing"}`);
    const answered = during.filter(({ fault }) => !fault).map(({ ms }) => ms);
    const refused = during.filter(({ fault }) => fault).map(({ ms }) => ms);
    lines.push(
      `  answers took ${duration(percentile(answered, 0.5))} (p99 ${duration(percentile(answered, 0.99))}), ` +
        `refusals ${duration(percentile(refused, 0.5))} (longest ${duration(Math.max(0, ...refused))})`,
    );
    if (recovered > recoveryMs) faults.push(`${name}: calls failed until ${duration(recovered)} after its return`);
    if (after.length === 0) faults.push(`${name}: nothing was answered after its return`);
    if (name === "Redis" && refused.length > 0) faults.push(`${refused.length} calls were refused for want of Redis`);
  }
  await load.stop();
  faults.push(...(await load.check()));
  const { documents, tasks } = load.acknowledged;
  lines.push(`acknowledged and found again: ${documents} documents by digest, ${tasks} tasks`);
  return { title: `MariaDB, Redis and S3 stopped for ${duration(outageMs)} each under load`, lines, faults };
}

function rpcOf({ rpc }: CallReport): string {
  return rpc.split(".").at(-1) ?? rpc;
}

function refusalOf(call: CallReport): string {
  return `${rpcOf(call)} ${call.fault?.message ?? ""}`;
}
