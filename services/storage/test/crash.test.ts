import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { UploadState } from "@docket/contracts/gen/docket/storage/v1/upload_pb.ts";
import { newId } from "@docket/runtime/ids";
import { temporaryFolder } from "@docket/runtime/testing/temporary_folder";
import { describe, expect, it } from "@jest/globals";
import { contentOf } from "./crash_content.ts";
import { sha256, startHarness, tools } from "./harness.ts";

interface Said {
  /** Upload → seed and acknowledged offset. */
  readonly acknowledged: Map<string, { seed: number; offset: number }>;
  readonly stored: Map<string, number>;
  /** Version → seed. */
  readonly attached: Map<string, number>;
}

/** Runs the uploading process until it has said so many lines, and kills it in the middle of whatever it does. */
async function runAndKill(args: string[], lines: number): Promise<Said> {
  const said: Said = { acknowledged: new Map(), stored: new Map(), attached: new Map() };
  const script = join(import.meta.dirname, "crash_child.ts");
  const child = spawn(process.execPath, ["--no-warnings", script, ...args], { stdio: ["ignore", "pipe", "inherit"] });
  let left = lines;
  for await (const line of createInterface(child.stdout)) {
    const [what, id, seed, offset] = line.split(" ") as [string, string, string, string];
    if (what === "acknowledged") said.acknowledged.set(id, { seed: Number(seed), offset: Number(offset) });
    if (what === "stored") said.stored.set(id, Number(seed));
    if (what === "attached") said.attached.set(id, Number(seed));
    left -= 1;
    if (left === 0) child.kill("SIGKILL");
  }
  if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
  return said;
}

describe("after kill -9", () => {
  it("everything that was acknowledged is there, and every upload can be finished", async () => {
    await using folder = await temporaryFolder();
    const known = { folder: folder.path, annaId: newId(), workspaceId: newId() };
    const versions = new Map<string, number>();
    for (let round = 1; round <= 2; round += 1) {
      const said = await runAndKill([known.folder, known.annaId, known.workspaceId, String(round)], 10 + round * 15);
      expect(said.acknowledged.size).toBeGreaterThan(0);
      for (const [versionId, seed] of said.attached) versions.set(versionId, seed);
      await using harness = await startHarness({}, known);
      const t = tools(harness);
      for (const [id, { seed, offset }] of said.acknowledged) {
        const bytes = contentOf(seed);
        const upload = await t.get(id);
        expect(Number(upload.offset)).toBeGreaterThanOrEqual(offset);
        if (said.stored.has(id)) expect(upload.state).toBe(UploadState.STORED);
        const rest = bytes.subarray(Number(upload.offset));
        if (rest.length > 0) await t.write(id, rest, { offset: upload.offset, append: true });
        const stored = await t.complete(id);
        expect(Buffer.from(stored.sha256).equals(sha256(bytes))).toBe(true);
      }
      for (const [versionId, seed] of versions) {
        const { reference } = await harness.blobs.getReference({ versionId });
        expect(Buffer.from(reference?.sha256 ?? []).equals(sha256(contentOf(seed)))).toBe(true);
        const got = await t.read(await t.ticketOf(versionId));
        expect(got.bytes.equals(contentOf(seed))).toBe(true);
      }
    }
    expect(versions.size).toBeGreaterThan(0);
  }, 120_000);
});
