// Kills the integration service's process with SIGKILL again and again while webhooks deliver, and counts what arrived.
//
//   node e2e/kill_deliveries.ts 40
//
// Every change must arrive, each under one id; a receiver that remembers ids has then seen each once.

import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { eventually } from "@docket/runtime/testing/eventually";
import { temporaryFolder } from "@docket/runtime/testing/temporary_folder";
import { Webhook } from "standardwebhooks";
import { signUp } from "./person.ts";
import { startProcesses } from "./processes.ts";

/** What was seen. */
export interface Killed {
  readonly kills: number;
  readonly changes: number;
  /** Attempts that reached the receiver; more than changes, where a process died before it noted an answer. */
  readonly attempts: number;
  /** What must not be, in words; empty when all is well. */
  readonly faults: readonly string[];
}

/** Runs it. The receiver takes a while for each answer, so that kills meet deliveries under way. */
export async function killDeliveries(kills: number): Promise<Killed> {
  await using folder = await temporaryFolder();
  await using mesh = await startProcesses(folder.path, {
    WEBHOOK_ALLOWED_RANGES: "127.0.0.0/8",
    WEBHOOK_ALLOW_HTTP: "true",
    WEBHOOK_FIRST_PAUSE: "50ms",
    RATE_LIMIT_PERCENT: "0",
  });
  const seen = new Map<string, Set<string>>();
  const faults: string[] = [];
  let attempts = 0;
  let secret = "";
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on("data", (part: Buffer) => parts.push(part));
    request.on("end", () => {
      attempts += 1;
      try {
        const body = Buffer.concat(parts).toString();
        const change = new Webhook(secret).verify(body, request.headers as Record<string, string>) as {
          sequence: string;
        };
        const ids = seen.get(change.sequence) ?? new Set();
        seen.set(change.sequence, ids.add(String(request.headers["webhook-id"])));
      } catch (error) {
        faults.push(`a request that cannot be verified: ${String(error)}`);
      }
      setTimeout(() => response.writeHead(204).end(), 30);
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");

  const anna = await signUp(mesh.url, "Anna");
  const { workspace } = await anna.workspaces.createWorkspace({ name: "Harbour" });
  const workspaceId = workspace?.id ?? "";
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`;
  const made = await anna.webhooks.createWebhook({ workspaceId, name: "Receiver", url });
  secret = made.secret;
  const webhookId = made.webhook?.id ?? "";

  let changes = 0;
  let writing = true;
  const writer = (async () => {
    while (writing) {
      await anna.folders.createFolder({
        parent: { case: "workspaceId", value: workspaceId },
        name: `Folder ${changes}`,
      });
      changes += 1;
      await pause(20);
    }
  })();
  for (let kill = 0; kill < kills; kill += 1) {
    await pause(Math.random() * 500);
    await mesh.restart("integration");
  }
  writing = false;
  await writer;
  await eventually(
    async () => {
      const { webhook } = await anna.webhooks.getWebhook({ webhookId });
      return seen.size >= changes && webhook?.waitingCount === 0;
    },
    { timeoutMs: 120_000, intervalMs: 100 },
  ).catch(() => faults.push("not everything arrived within two minutes of the last kill"));
  server.close();
  server.closeAllConnections();
  for (let sequence = 1; sequence <= changes; sequence += 1) {
    const ids = seen.get(String(sequence))?.size ?? 0;
    if (ids !== 1) faults.push(`change ${sequence} came under ${ids} ids`);
  }
  return { kills, changes, attempts, faults };
}

if (import.meta.main) {
  const { kills, changes, attempts, faults } = await killDeliveries(Number(process.argv[2] ?? 20));
  const repeated = attempts - changes;
  console.log(
    `${kills} kills, ${changes} changes, all arrived under one id each: ${faults.length === 0 ? "yes" : "NO"}`,
  );
  console.log(`${attempts} attempts reached the receiver, ${repeated} of them repetitions with the same id`);
  for (const fault of faults) console.error(fault);
  process.exitCode = faults.length === 0 ? 0 : 1;
}
