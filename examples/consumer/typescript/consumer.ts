// Follows a workspace's changes by a named subscription and writes each once into a file: `node consumer.ts changes.jsonl`.
// Kill it at any moment: the server keeps the place that was acknowledged, and what was not comes again.

import { fsyncSync, openSync, readFileSync, truncateSync, writeSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { toJsonString } from "@bufbuild/protobuf";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { ChangeSchema, WatchStart } from "./gen/docket/document/v1/change_pb.ts";
import { ChangeService } from "./gen/docket/document/v1/change_service_pb.ts";

const { DOCKET_URL: baseUrl = "", DOCKET_KEY, DOCKET_WORKSPACE: workspaceId = "" } = process.env;
const [path = "changes.jsonl"] = process.argv.slice(2);
const name = "example-typescript";
const client = createClient(ChangeService, createGrpcTransport({ baseUrl }));
const headers = { authorization: `Bearer ${DOCKET_KEY}` };

const output = openSync(path, "a");
const text = readFileSync(path, "utf8");
const whole = text.slice(0, text.lastIndexOf("\n") + 1); // A kill may have left the last line unfinished.
truncateSync(path, Buffer.byteLength(whole));
const known = new Set(whole.split("\n").flatMap((line) => (line ? [JSON.parse(line).id as string] : [])));

async function subscription(): Promise<string> {
  // A workspace has at most 100.
  const { subscriptions } = await client.listSubscriptions({ workspaceId, pageSize: 200 }, { headers });
  const found = subscriptions.find((each) => each.name === name);
  if (found) return found.id;
  const made = await client.createSubscription({ workspaceId, name, start: WatchStart.OLDEST }, { headers });
  return made.subscription?.id ?? "";
}

for (;;) {
  try {
    const subscriptionId = await subscription();
    for await (const { changes, cursor } of client.watchChanges({ subscriptionId }, { headers })) {
      const fresh = changes.filter(({ id }) => !known.has(id));
      // First durable here, then acknowledged there: nothing is lost, and `known` drops what comes twice.
      writeSync(output, fresh.map((change) => `${toJsonString(ChangeSchema, change)}\n`).join(""));
      fsyncSync(output);
      for (const { id } of fresh) known.add(id);
      await client.acknowledgeChanges({ subscriptionId, cursor }, { headers });
    }
  } catch (error) {
    // UNAVAILABLE is RESUME, a restart, or a network that was away.
    if (ConnectError.from(error).code !== Code.Unavailable) throw error;
  }
  await pause(500);
}
