// What a receiver of webhooks sees of the whole, while the service that sends them is killed.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer, type IncomingHttpHeaders } from "node:http";
import { fileURLToPath } from "node:url";
import type { AddressInfo } from "node:net";
import { DeliveryState } from "@docket/contracts/gen/docket/integration/v1/delivery_pb.ts";
import { WebhookState } from "@docket/contracts/gen/docket/integration/v1/webhook_pb.ts";
import { eventually } from "@docket/runtime/testing/eventually";
import { testParts } from "@docket/runtime/testing/test_parts";
import { freePort } from "@docket/runtime/testing/servers/process";
import { temporaryFolder } from "@docket/runtime/testing/temporary_folder";
import { describe, expect, it } from "@jest/globals";
import { Webhook } from "standardwebhooks";
import { storeUpload } from "./matrix/uploads.ts";
import { startMesh } from "./mesh.ts";
import { signUp } from "./person.ts";
import { startProcesses } from "./processes.ts";

/** Webhooks may go to receivers on this machine, and failed ones come again soon. */
const settings = {
  WEBHOOK_ALLOWED_RANGES: "127.0.0.0/8",
  WEBHOOK_ALLOW_HTTP: "true",
  WEBHOOK_FIRST_PAUSE: "50ms",
  RATE_LIMIT_PERCENT: "0",
};

interface Received {
  readonly id: string;
  readonly change: {
    readonly id: string;
    readonly kind: string;
    readonly sequence: string;
    readonly documentId?: string;
  };
}

/** A receiver that takes only what it can verify. */
async function startReceiver() {
  const received: Received[] = [];
  const state = { secret: "", status: 200, attempts: 0, slowMs: 0 };
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on("data", (part: Buffer) => parts.push(part));
    request.on("end", () => {
      state.attempts += 1;
      const take = () => {
        if (state.status === 200) received.push(read(state.secret, request.headers, Buffer.concat(parts).toString()));
        response.writeHead(state.status).end();
      };
      if (state.slowMs > 0) setTimeout(take, state.slowMs);
      else take();
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    received,
    state,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/docket`,
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
    },
  };
}

/** Throws unless the signature is right. */
function read(secret: string, headers: IncomingHttpHeaders, body: string): Received {
  const change = new Webhook(secret).verify(body, headers as Record<string, string>) as Received["change"];
  return { id: String(headers["webhook-id"]), change };
}

describe("a webhook", () => {
  it("is told of a document that is made at the edge, signed", async () => {
    await using folder = await temporaryFolder();
    await using receiver = await startReceiver();
    await using mesh = await startMesh({
      DOCKET_DATA_DIR: folder.path,
      PORT: "0",
      LOG_LEVEL: "warn",
      ...settings,
      ...(await testParts(folder.path)),
    });
    const anna = await signUp(mesh.url, "Anna");
    const { workspace } = await anna.workspaces.createWorkspace({ name: "Harbour" });
    const workspaceId = workspace?.id ?? "";
    const made = await anna.webhooks.createWebhook({ workspaceId, name: "CRM", url: receiver.url });
    receiver.state.secret = made.secret;
    const { document } = await anna.documents.createDocument({
      parent: { case: "workspaceId", value: workspaceId },
      uploadId: await storeUpload({ clients: anna }, workspaceId),
    });
    await eventually(() => expect(receiver.received).toHaveLength(1));
    const [{ change } = { change: undefined }] = receiver.received;
    expect(change).toMatchObject({ kind: "CHANGE_KIND_DOCUMENT_CREATED", documentId: document?.id });
    // The same that the stream tells.
    const { changes } = await anna.changes.listChanges({ start: 2, filter: { workspaceIds: [workspaceId] } });
    expect(changes.map(({ id }) => id)).toContain(change?.id);
    // Who has missed something goes on from the cursor of what was received last.
    const { cursor = "" } = change as unknown as { cursor: string };
    const rest = await anna.changes.listChanges({ cursor, filter: { workspaceIds: [workspaceId] } });
    expect(rest.changes).toEqual([]);
  });

  it("is received by the example of the page for receivers, as it stands there", async () => {
    const page = await readFile(new URL("../docs/product/webhooks.md", import.meta.url), "utf8");
    const [, example = ""] = /```js\n([\s\S]*?)```/.exec(page) ?? [];
    expect(example).toContain(".listen(3000)");
    await using folder = await temporaryFolder();
    await using mesh = await startMesh({
      DOCKET_DATA_DIR: folder.path,
      PORT: "0",
      LOG_LEVEL: "warn",
      ...settings,
      ...(await testParts(folder.path)),
    });
    const anna = await signUp(mesh.url, "Anna");
    const { workspace } = await anna.workspaces.createWorkspace({ name: "Harbour" });
    const workspaceId = workspace?.id ?? "";
    const port = await freePort();
    const url = `http://127.0.0.1:${port}/docket`;
    const { webhook, secret } = await anna.webhooks.createWebhook({ workspaceId, name: "Example", url });
    const code = example.replace(".listen(3000)", `.listen(${port}, "127.0.0.1")`);
    const child = spawn(process.execPath, ["--input-type=module", "--eval", code], {
      cwd: fileURLToPath(new URL("..", import.meta.url)),
      env: { ...process.env, DOCKET_WEBHOOK_SECRET: secret },
      stdio: ["ignore", "pipe", "inherit"],
    });
    try {
      let said = "";
      child.stdout.on("data", (part) => {
        said += part;
      });
      const webhookId = webhook?.id ?? "";
      await eventually(async () => {
        const { delivery } = await anna.webhooks.pingWebhook({ webhookId });
        expect(delivery?.lastAttempt?.status).toBe(204);
      });
      await anna.folders.createFolder({ parent: { case: "workspaceId", value: workspaceId }, name: "Quay" });
      await eventually(() => expect(said).toContain("CHANGE_KIND_FOLDER_CREATED 1"));
      // Nobody else can speak to it.
      expect((await fetch(url, { method: "POST", body: "{}" })).status).toBe(401);
    } finally {
      child.kill("SIGKILL");
    }
  });

  it("gets every change, each under one id, while the receiver is down and its sender is killed again and again", async () => {
    await using folder = await temporaryFolder();
    await using receiver = await startReceiver();
    await using mesh = await startProcesses(folder.path, { ...settings, ...(await testParts(folder.path)) });
    const anna = await signUp(mesh.url, "Anna");
    const { workspace } = await anna.workspaces.createWorkspace({ name: "Harbour" });
    const workspaceId = workspace?.id ?? "";
    const made = await anna.webhooks.createWebhook({ workspaceId, name: "CRM", url: receiver.url });
    const webhookId = made.webhook?.id ?? "";
    receiver.state.secret = made.secret;
    const folders: string[] = [];
    const make = async () => {
      const name = `Folder ${folders.length}`;
      const answer = await anna.folders.createFolder({ parent: { case: "workspaceId", value: workspaceId }, name });
      folders.push(answer.folder?.id ?? "");
    };

    receiver.state.status = 503;
    for (let at = 0; at < 10; at += 1) await make();
    await eventually(() => expect(receiver.state.attempts).toBeGreaterThan(0));
    await mesh.restart("integration");
    for (let at = 0; at < 10; at += 1) await make();
    receiver.state.status = 200;
    // Each answer takes a while, so that the kills find deliveries under way.
    receiver.state.slowMs = 100;
    for (let round = 0; round < 2; round += 1) {
      const before = receiver.state.attempts;
      for (let at = 0; at < 10; at += 1) await make();
      await eventually(() => expect(receiver.state.attempts).toBeGreaterThan(before));
      await mesh.restart("integration");
    }

    await eventually(
      async () => {
        const { webhook } = await anna.webhooks.getWebhook({ webhookId });
        expect(webhook).toMatchObject({ waitingCount: 0, parkedCount: 0, state: WebhookState.ACTIVE });
      },
      { timeoutMs: 50_000, intervalMs: 100 },
    );
    const ids = new Map<string, Set<string>>();
    for (const { id, change } of receiver.received) ids.set(change.id, (ids.get(change.id) ?? new Set()).add(id));
    expect([...ids.values()].filter((set) => set.size !== 1)).toEqual([]);
    expect(new Set([...ids.values()].flatMap((set) => [...set])).size).toBe(folders.length);
    const { deliveries } = await anna.webhooks.listDeliveries({ webhookId, pageSize: 200 });
    expect(deliveries.map(({ state }) => state)).toEqual(folders.map(() => DeliveryState.DELIVERED));
    const told = new Set(receiver.received.map(({ change }) => Number(change.sequence)));
    expect([...told].sort((a, b) => a - b)).toEqual(folders.map((_, at) => at + 1));
  }, 120_000);
});
