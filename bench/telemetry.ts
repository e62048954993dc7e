// What telemetry costs: the same call through the edge, its service and SQLite, with nothing switched on, with metrics,
// and with every request traced and sent.
//
//   npm run bench:telemetry -- [rounds] [calls in a round]
//
// Three Dockets run at once and take turns, so that what else the machine does falls on all of them; figures are CPU time of
// the whole process per call, and the median time of a call, as ratios to the one with nothing on. What is sent goes to a
// server that reads and forgets it.

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { startWhole } from "@docket/e2e/kill";
import { handOf, upload } from "@docket/e2e/demo/client";
import { signUp } from "@docket/e2e/person";
import { temporaryFolder } from "@docket/runtime/testing/temporary_folder";
import { cpuSeconds } from "./process_figures.ts";

const rounds = Number(process.argv[2] ?? 12);
const calls = Number(process.argv[3] ?? 400);
const atOnce = 8;
const say = (line: string) => process.stdout.write(`${line}\n`);

await using parts = new AsyncDisposableStack();
let received = 0;
const sink = createServer(async (request, response) => {
  for await (const part of request as AsyncIterable<Buffer>) received += part.length;
  response.end();
}).listen(0, "127.0.0.1");
parts.defer(() => void sink.close());
await new Promise((resolve) => sink.once("listening", resolve));
const endpoint = `http://127.0.0.1:${(sink.address() as AddressInfo).port}`;

const modes = {
  off: {},
  metrics: { METRICS_PORT: "0" },
  "metrics and all traces": { METRICS_PORT: "0", OTEL_EXPORTER_OTLP_ENDPOINT: endpoint },
  "metrics and 1 in 10 traces": {
    METRICS_PORT: "0",
    OTEL_EXPORTER_OTLP_ENDPOINT: endpoint,
    OTEL_TRACES_SAMPLER_ARG: "0.1",
  },
};

/** One Docket, with a document to ask for. */
async function open(name: string, settings: Record<string, string>) {
  const folder = parts.use(await temporaryFolder());
  const whole = await startWhole(folder.path, { ...settings, LOG_LEVEL: "warn" });
  parts.defer(() => whole.end("SIGTERM"));
  const person = await signUp(whole.url, "Anna");
  const { workspace } = await person.workspaces.createWorkspace({ name: "Bench" });
  const workspaceId = workspace?.id ?? "";
  const bytes = new Uint8Array(Buffer.from("x"));
  const hand = handOf(whole.url, person.secret);
  const uploadId = await upload(hand, { workspaceId, name: "x.txt", mediaType: "text/plain", bytes });
  const { document } = await person.documents.createDocument({
    parent: { case: "workspaceId", value: workspaceId },
    uploadId,
    title: "x",
  });
  const id = document?.id ?? "";
  const pid = whole.child.pid ?? 0;
  const times: number[] = [];
  const cpu: number[] = [];
  return {
    name,
    times,
    cpu,
    async round(count: number): Promise<void> {
      let left = count;
      const before = await cpuSeconds(pid);
      await Promise.all(
        Array.from({ length: atOnce }, async () => {
          while (left-- > 0) {
            const started = performance.now();
            await person.documents.getDocument({ documentId: id });
            times.push(performance.now() - started);
          }
        }),
      );
      cpu.push(((await cpuSeconds(pid)) - before) / count);
    },
  };
}

const dockets = [];
for (const [name, settings] of Object.entries(modes)) dockets.push(await open(name, settings));
// Until the code is compiled.
for (const docket of dockets) await docket.round(calls);
for (const docket of dockets) docket.times.length = docket.cpu.length = 0;
for (let round = 0; round < rounds; round += 1) {
  // Nobody always comes first.
  for (let turn = 0; turn < dockets.length; turn += 1) await dockets[(round + turn) % dockets.length]?.round(calls);
}

const median = (list: readonly number[]) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)] ?? 0;
const [base] = dockets;
if (base === undefined) throw new Error("nothing was measured");
say(
  `${rounds} rounds of ${calls} calls, ${atOnce} at once; CPU of the process per call, and the median time of a call, to "off"`,
);
for (const { name, times, cpu } of dockets) {
  // Each round beside that of its neighbour.
  const perRound = cpu.map((seconds, round) => seconds / (base.cpu[round] ?? seconds));
  const [least, most] = [Math.min(...perRound), Math.max(...perRound)];
  const ratio = median(perRound);
  say(
    `${name.padEnd(28)} CPU ×${ratio.toFixed(2)} (${least.toFixed(2)} to ${most.toFixed(2)}), ${(median(cpu) * 1000).toFixed(2)} ms; time ×${(median(times) / median(base.times)).toFixed(2)}, ${median(times).toFixed(1)} ms`,
  );
}
say(`${(received / 1e6).toFixed(1)} MB were sent`);
