// SIGKILL, again and again: single processes at random moments, several at once, and now and then the whole, during
// uploads, creates, tasks and deliveries. Nothing that was acknowledged may be lost, nothing may be there by half, and no
// job may be lost or have its effect twice.

import { setTimeout as pause } from "node:timers/promises";
import { eventually } from "@docket/runtime/testing/eventually";
import type { ProcessMesh } from "../processes.ts";
import { startLoad } from "./load.ts";
import { databases, type Parts } from "./parts.ts";
import { startReceiver } from "./receiver.ts";
import { told } from "./replicas.ts";
import { duration, type Finding } from "./report.ts";

const people = 3;
/** One kill in so many is of the whole. */
const wholeOneIn = 20;

/** Kills `kills` times. Of each service only one process is dead at a time, unless all are. */
export async function killAgainAndAgain(mesh: ProcessMesh, parts: Parts, kills: number): Promise<Finding> {
  await using receiver = await startReceiver();
  await using load = await startLoad(mesh.urls, people, receiver);
  const wholes = Math.floor(kills / wholeOneIn);
  const singles = kills - wholes;
  const families = [...Map.groupBy(mesh.processes.keys(), (name) => name.split(".")[0] ?? name).values()];
  const began = performance.now();
  for (let round = 0; round < wholes; round += 1) {
    let left = Math.floor(((round + 1) * singles) / wholes) - Math.floor((round * singles) / wholes);
    await Promise.all(
      families.map(async (family) => {
        while (left > 0) {
          left -= 1;
          await pause(Math.random() * 500);
          const name = family[Math.floor(Math.random() * family.length)] as string;
          await mesh.end(name);
          await mesh.start(name);
        }
      }),
    );
    await Promise.all([...mesh.processes.keys()].map((name) => mesh.end(name)));
    await Promise.all([...mesh.processes.keys()].map((name) => mesh.start(name)));
    await mesh.ready();
  }
  const tookMs = performance.now() - began;
  await load.stop();
  const faults = await load.check();
  faults.push(...(await jobFaults(parts)), ...(await halfFaults(parts)));
  const { documents, tasks } = load.acknowledged;
  return {
    title: `${kills} kills, ${wholes} of them of the whole`,
    lines: [
      `${singles} single processes and ${wholes} times all ${mesh.processes.size} in ${duration(tookMs)}; ${told(load.calls)}`,
      `acknowledged and found again: ${documents} documents by digest, ${tasks} tasks; streams opened again ${load.resumed} times`,
      `webhooks brought ${load.delivered.changes} changes, ${load.delivered.repeated} of them again, each always under one id`,
    ],
    faults,
  };
}

/** Queues run empty but for what is to come, and nothing lies dead. */
async function jobFaults({ mariadb }: Parts): Promise<string[]> {
  const faults: string[] = [];
  for (const service of databases) {
    const left = `select kind, state, count(*) as n, max(last_error) as error from docket_${service}.job
      where state = 'dead' or state = 'running' and lease_until < unix_timestamp() * 1000 - 60000
        or state = 'pending' and coalesce(unique_key, '') <> 'periodic' and run_at < unix_timestamp() * 1000 - 60000
      group by kind, state`;
    try {
      await eventually(async () => (await mariadb.run(left)).length === 0, { timeoutMs: 60_000, intervalMs: 500 });
    } catch {
      for (const { kind, state, n, error } of await mariadb.run(left)) {
        faults.push(`${service}: ${n} jobs ${kind} are ${state}: ${error}`);
      }
    }
  }
  return faults;
}

/** Each document has its version, each version its contents, each contents its pieces. */
async function halfFaults({ mariadb }: Parts): Promise<string[]> {
  const checks = {
    "documents without their newest version": `select count(*) as n from docket_document.document d left join
      docket_document.version v on v.workspace_id = d.workspace_id and v.document_id = d.id and v.number = d.last_number
      where v.id is null`,
    "versions without a reference to their contents": `select count(*) as n from docket_document.version v left join
      docket_storage.blob_reference r on r.version_id = v.id where r.version_id is null`,
    "references to contents that are not there": `select count(*) as n from docket_storage.blob_reference r left join
      docket_storage.blob b on b.id = r.blob_id where b.id is null`,
    "references that were never confirmed, of versions that are there": `select count(*) as n from
      docket_storage.blob_reference r join docket_document.version v on v.id = r.version_id where r.state = 'pending'
      and r.created_at < unix_timestamp() * 1000 - 180000`,
  };
  const faults: string[] = [];
  for (const [what, statement] of Object.entries(checks)) {
    const [row] = await mariadb.run(statement);
    if (Number(row?.n) !== 0) faults.push(`${row?.n} ${what}`);
  }
  return faults;
}
