// A process that uploads without end and says what was acknowledged, until it is killed. Run by crash.test.ts.

import { newId } from "@docket/runtime/ids";
import { contentOf } from "./crash_content.ts";
import { startHarness, tools } from "./harness.ts";

const [folder, annaId, workspaceId, round] = process.argv.slice(2) as [string, string, string, string];
const harness = await startHarness({}, { folder, annaId, workspaceId });
const t = tools(harness);
const say = (...words: unknown[]) => process.stdout.write(`${words.join(" ")}\n`);

async function uploader(worker: number): Promise<never> {
  for (let turn = 0; ; turn += 1) {
    const seed = Number(round) * 1_000_000 + worker * 10_000 + turn;
    const bytes = contentOf(seed);
    const { id } = await t.create({ size: BigInt(bytes.length) });
    for (let at = 0; at < bytes.length; ) {
      const end = Math.min(bytes.length, at + 1 + ((seed * 7919 + at) % 400_000));
      await t.write(id, bytes.subarray(at, end), { offset: BigInt(at), append: true });
      at = end;
      say("acknowledged", id, seed, at);
    }
    await t.complete(id);
    say("stored", id, seed);
    const versionId = newId();
    await harness.blobs.attachUpload({ uploadId: id, versionId, workspaceId }, harness.anna.as);
    say("attached", versionId, seed);
  }
}

await Promise.all([uploader(1), uploader(2), uploader(3)]);
