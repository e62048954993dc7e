// A probe: a process in a pod's network that asks what it is told to ask, a JSON object per line in and out.

import { createInterface } from "node:readline";
import { fetchHttp } from "./http.ts";
import type { Question } from "./protocol.ts";
import { refuse, refusedAt, stop } from "./refusing.ts";
import { callRpc } from "./rpc.ts";
import { openTcp, serveTcp } from "./tcp.ts";

async function answer(question: Question): Promise<unknown> {
  switch (question.operation) {
    case "rpc":
      return await callRpc(question);
    case "http":
      return await fetchHttp(question);
    case "tcp":
      return await openTcp(question);
    case "serve":
      return await serveTcp(question);
    case "refuse":
      return await refuse(question.port);
    case "refused":
      return { calls: refusedAt(question.port) };
    case "stop":
      return await stop(question.port);
    case "series": {
      const durationsMs: number[] = [];
      let failed = 0;
      let failure: unknown;
      for (let n = 0; n < question.count; n += 1) {
        const answer = await callRpc(question.call);
        if (answer.grpcStatus === 0) durationsMs.push(answer.durationMs);
        else {
          failed += 1;
          failure ??= answer;
        }
      }
      return { durationsMs, failed, failure };
    }
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  const { id, question } = JSON.parse(line) as { id: number; question: Question };
  // Many at once: each line is answered when it is done.
  answer(question).then(
    (result) => process.stdout.write(`${JSON.stringify({ id, answer: result })}\n`),
    (error: Error) => process.stdout.write(`${JSON.stringify({ id, error: error.stack })}\n`),
  );
}
process.exit(0);
