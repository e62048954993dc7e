// A process that uploads a file which must be hashed, and begins to hash it once it is told to; run, and killed, by
// replicas.real.test.ts. The settings of the place are in its environment.

import { once } from "node:events";
import { contentOf } from "./crash_content.ts";
import { startHarness, tools } from "./harness.ts";

const [folder, annaId, workspaceId, place] = process.argv.slice(2) as [string, string, string, string];
const harness = await startHarness({ BLOB_URL: place }, { folder, annaId, workspaceId });
const t = tools(harness);
const say = (...words: unknown[]) => process.stdout.write(`${words.join(" ")}\n`);

const bytes = contentOf(1);
const { id } = await t.create({ size: BigInt(bytes.length) });
// Not in order, so that no digest is taken on the way.
await t.write(id, bytes.subarray(50_000), { offset: 50_000n });
await t.write(id, bytes.subarray(0, 50_000), { length: 50_000n });
say("written", id);
await once(process.stdin, "data");
const { upload } = await harness.uploads.completeUpload({ uploadId: id, wait: { seconds: 1n } }, harness.anna.as);
say("state", upload?.state);
