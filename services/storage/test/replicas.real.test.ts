// Two storage services with one database and one bucket: whichever is asked, it is as if there were one.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { UploadFailure, UploadState } from "@docket/contracts/gen/docket/storage/v1/upload_pb.ts";
import { newId } from "@docket/runtime/ids";
import { eventually } from "@docket/runtime/testing/eventually";
import { type S3Server, startS3 } from "@docket/runtime/testing/servers/s3";
import { temporaryFolder } from "@docket/runtime/testing/temporary_folder";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { contentOf } from "./crash_content.ts";
import { type Harness, randomBytes, refusal, sha256, startHarness, tools } from "./harness.ts";

let s3: S3Server;
beforeAll(async () => {
  s3 = await startS3();
});
afterAll(async () => {
  await s3?.[Symbol.asyncDispose]();
});

/** One and the other, on the same database and bucket, with the same people. */
async function startPair(server = s3, env: Record<string, string> = {}) {
  const parts = new AsyncDisposableStack();
  const folder = parts.use(await temporaryFolder());
  const known = { folder: folder.path, annaId: newId(), workspaceId: newId() };
  const settings = { BLOB_URL: server.place(), ...server.environment, ...env };
  const one = parts.use(await startHarness(settings, known));
  const other = parts.use(await startHarness(settings, known));
  return { one, other, o: tools(one), p: tools(other), [Symbol.asyncDispose]: () => parts.disposeAsync() };
}

/** A write that stays open until it is told to end. */
function openWrite(harness: Harness, uploadId: string, chunks: readonly Uint8Array[]) {
  const ended = Promise.withResolvers<void>();
  async function* parts() {
    yield { part: { case: "start" as const, value: { uploadId } } };
    for (const value of chunks) yield { part: { case: "chunk" as const, value } };
    await ended.promise;
  }
  const answer = harness.transfers.writeBlob(parts(), harness.anna.as);
  answer.catch(() => undefined);
  return { answer, end: ended.resolve };
}

const outcome = async (work: Promise<unknown>) =>
  await work.then(
    () => "done",
    async () => (await refusal(work)).reason,
  );

describe("two replicas", () => {
  it("let a client that was cut resume at the other while its old write is still open", async () => {
    await using pair = await startPair();
    const { one, other, o, p } = pair;
    const bytes = randomBytes(3_000_000);
    const upload = await o.create({ size: BigInt(bytes.length), sha256: sha256(bytes) });
    const older = openWrite(one, upload.id, [bytes.subarray(0, 900_000), randomBytes(900_000)]);
    await eventually(() => one.service().arriving().bytes === 1_800_000);
    const thirds = [0, 1, 2].map((third) => bytes.subarray(third * 1_000_000, (third + 1) * 1_000_000));
    const newer = openWrite(other, upload.id, thirds);
    expect((await refusal(older.answer)).reason).toBe("UPLOAD_SUPERSEDED");
    // What the older one still had counts no more, although the newer one has made nothing durable yet.
    expect((await o.get(upload.id)).offset).toBe(0n);
    newer.end();
    expect((await newer.answer).offset).toBe(BigInt(bytes.length));
    // The first one has seen other bytes than those that count, and must not trust what it remembers.
    expect((await o.complete(upload.id)).state).toBe(UploadState.STORED);
    expect(one.service().arriving()).toEqual({ writes: 0, bytes: 0 });
    const got = await o.read(await p.ticketOf(await o.attach(upload.id)));
    expect(got.bytes.equals(bytes)).toBe(true);
    expect((await other.place.pieces()).length).toBe(1);
    older.end();
  });

  it("never mix two writes of the same bytes, whenever they meet", async () => {
    await using pair = await startPair();
    const { one, other, o, p } = pair;
    const size = 200_000;
    const outcomes = new Set<string>();
    for (let round = 0; round < 25; round += 1) {
      const [mine, yours] = [randomBytes(size), randomBytes(size)];
      const { id } = await o.create({ size: BigInt(size) });
      const older = openWrite(one, id, [mine.subarray(0, 50_000), mine.subarray(50_000)]);
      if (round % 2 === 0) await eventually(() => one.service().arriving().bytes > 0);
      const newer = openWrite(other, id, [yours]);
      older.end();
      newer.end();
      const ends = await Promise.all([outcome(older.answer), outcome(newer.answer)]);
      outcomes.add(ends.join(" "));
      expect(ends.filter((end) => end === "done").length).toBe(1);
      const winner = ends[0] === "done" ? mine : yours;
      const completed = await (round % 3 === 0 ? o : p).complete(id);
      expect(Buffer.from(completed.sha256).equals(sha256(winner))).toBe(true);
    }
    for (const end of outcomes) {
      expect([
        "done UPLOAD_OFFSET_CONFLICT",
        "UPLOAD_SUPERSEDED done",
        "UPLOAD_OFFSET_CONFLICT done",
        "done UPLOAD_SUPERSEDED",
      ]).toContain(end);
    }
  });

  it("go on with each other's uploads, and tell of them", async () => {
    await using pair = await startPair();
    const { one, other, o, p } = pair;
    const bytes = randomBytes(1_000_000);
    const upload = await o.create({ size: BigInt(bytes.length) });
    const states: UploadState[] = [];
    const watching = (async () => {
      for await (const { upload: seen } of other.uploads.watchUpload({ uploadId: upload.id }, other.anna.as)) {
        if (seen !== undefined && states.at(-1) !== seen.state) states.push(seen.state);
        if (seen?.state === UploadState.STORED) return;
      }
    })();
    const [a, b, c] = [bytes.subarray(0, 300_000), bytes.subarray(300_000, 500_000), bytes.subarray(500_000)];
    await o.write(upload.id, a, { append: true });
    expect((await p.get(upload.id)).offset).toBe(300_000n);
    await p.write(upload.id, b, { offset: 300_000n, append: true });
    await o.write(upload.id, c, { offset: 500_000n, append: true });
    const completed = await Promise.all([o.complete(upload.id), p.complete(upload.id), o.complete(upload.id)]);
    for (const { sha256: digest } of completed) expect(Buffer.from(digest).equals(sha256(bytes))).toBe(true);
    await watching;
    expect(states[0]).toBe(UploadState.RECEIVING);
    expect(states.at(-1)).toBe(UploadState.STORED);
    // Hashed by one of them alone.
    const settled = [one, other].flatMap(({ log }) => log.lines().filter(({ msg }) => msg === "upload settled"));
    expect(settled.length).toBe(1);
    const ticket = await o.ticketOf(await p.attach(upload.id));
    expect((await p.read(ticket)).bytes.equals(bytes)).toBe(true);
  });

  it("end each other's writes when an upload is given up", async () => {
    await using pair = await startPair();
    const { one, other, o } = pair;
    const { id } = await o.create({ size: 1_000_000n });
    const writing = openWrite(one, id, [randomBytes(500_000)]);
    await eventually(() => one.service().arriving().bytes > 0);
    await other.uploads.abortUpload({ uploadId: id }, other.anna.as);
    expect((await refusal(writing.answer)).reason).toBe("UPLOAD_STATE_CONFLICT");
    expect(await other.place.pieces()).toEqual([]);
    writing.end();
  });

  it("tidy up once, although both do it", async () => {
    await using pair = await startPair(s3, { BLOB_GRACE: "1h" });
    const { one, other, o, p } = pair;
    const [kept, released] = [
      await o.attach((await o.store(randomBytes(500))).id),
      await p.attach((await p.store(randomBytes(700))).id),
    ];
    const abandoned = await o.create({ size: 100n });
    await p.write(abandoned.id, randomBytes(50));
    await one.blobs.releaseReferences({ versionIds: [released] });
    for (const clock of [one.clock, other.clock]) clock.now += 25 * 60 * 60 * 1000;
    const tidy = async () => void (await Promise.all([one.service().tidy(), other.service().tidy()]));
    await tidy();
    for (const clock of [one.clock, other.clock]) clock.now += 2 * 60 * 60 * 1000;
    await tidy();
    expect(await p.get(abandoned.id)).toMatchObject({ state: UploadState.FAILED, failure: UploadFailure.EXPIRED });
    expect(await o.usage()).toMatchObject({ storedBytes: 500n, reservedBytes: 0n, blobCount: 1n });
    expect((await one.place.pieces()).length).toBe(1);
    expect((await p.read(await p.ticketOf(kept))).bytes.length).toBe(500);
    const broken = [one, other].flatMap(({ log }) =>
      log.lines().filter(({ msg }) => /housekeeping failed/.test(`${msg}`)),
    );
    expect(broken).toEqual([]);
  });
});

describe("the memory of parts", () => {
  it("is not kept from others by clients that stall, and what these sent is durable", async () => {
    await using folder = await temporaryFolder();
    const settings = { BLOB_URL: s3.place(), ...s3.environment, BLOB_PART_MEMORY: "16MiB" };
    await using harness = await startHarness(settings, { folder: folder.path });
    const t = tools(harness);
    const sent = 1_000_000;
    const stalled = [];
    for (let each = 0; each < 2; each += 1) {
      const { id } = await t.create({ size: 20_000_000n });
      stalled.push({ id, ...openWrite(harness, id, [randomBytes(sent)]) });
    }
    await eventually(() => harness.service().arriving().bytes === 2 * sent);
    // Each of them holds room for a part of 8 MiB, so that none is left.
    const bytes = randomBytes(10_000_000);
    const stored = await t.store(bytes);
    expect(Buffer.from(stored.sha256).equals(sha256(bytes))).toBe(true);
    // What was not needed is sealed when it is old.
    for (const { id } of stalled) await eventually(async () => expect((await t.get(id)).offset).toBe(BigInt(sent)));
    for (const { end, answer } of stalled) {
      end();
      expect((await answer).offset).toBe(BigInt(sent));
    }
  });
});

describe("an S3 server that is away", () => {
  it("makes storage say UNAVAILABLE, loses nothing acknowledged, and is used again at once", async () => {
    await using server = await startS3();
    await using pair = await startPair(server);
    const { o, p } = pair;
    const bytes = randomBytes(700_000);
    const stored = await o.ticketOf(await o.attach((await o.store(bytes)).id));
    const upload = await o.create({ size: BigInt(bytes.length) });
    await o.write(upload.id, bytes.subarray(0, 100_000), { append: true });
    await server.stop();
    const rest = { offset: 100_000n, append: true };
    expect((await refusal(o.write(upload.id, bytes.subarray(100_000), rest))).reason).toBe("UNAVAILABLE");
    expect((await refusal(p.read(stored))).reason).toBe("UNAVAILABLE");
    // What needs no bytes goes on.
    expect((await p.get(upload.id)).offset).toBe(100_000n);
    const other = await p.create({ size: 10n });
    await server.start();
    const back = performance.now();
    await p.write(upload.id, bytes.subarray(100_000), rest);
    await o.write(other.id, randomBytes(10));
    expect((await p.read(stored)).bytes.equals(bytes)).toBe(true);
    expect(performance.now() - back).toBeLessThan(5000);
    expect(Buffer.from((await o.complete(upload.id)).sha256).equals(sha256(bytes))).toBe(true);
  });

  it("holds up verification, which goes on elsewhere when its process ends meanwhile", async () => {
    await using server = await startS3();
    await using parts = new AsyncDisposableStack();
    const folder = parts.use(await temporaryFolder());
    const known = { folder: folder.path, annaId: newId(), workspaceId: newId() };
    const settings = { BLOB_URL: server.place(), ...server.environment };
    const other = parts.use(await startHarness(settings, known));
    const one = await startHarness(settings, known);
    const bytes = randomBytes(300_000);
    const { id } = await tools(one).create({ size: BigInt(bytes.length) });
    await tools(one).write(id, bytes.subarray(200_000), { offset: 200_000n });
    await tools(one).write(id, bytes.subarray(0, 200_000), { length: 200_000n });
    await server.stop();
    const begun = await one.uploads.completeUpload({ uploadId: id, wait: { seconds: 1n } }, one.anna.as);
    expect(begun.upload?.state).toBe(UploadState.VERIFYING);
    await one[Symbol.asyncDispose]();
    expect((await tools(other).get(id)).state).toBe(UploadState.VERIFYING);
    await server.start();
    expect(Buffer.from((await tools(other).complete(id)).sha256).equals(sha256(bytes))).toBe(true);
  });

  it("or the process that hashes a file being killed, holds it up only until another takes it over", async () => {
    await using server = await startS3();
    await using folder = await temporaryFolder();
    const known = { folder: folder.path, annaId: newId(), workspaceId: newId() };
    const place = server.place();
    const script = join(import.meta.dirname, "verify_child.ts");
    const args = ["--no-warnings", script, known.folder, known.annaId, known.workspaceId, place];
    const child = spawn(process.execPath, args, {
      stdio: ["pipe", "pipe", "inherit"],
      env: { ...process.env, ...server.environment },
    });
    const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
    const next = async () => String((await lines.next()).value).split(" ");
    const [, id = ""] = await next();
    await server.stop();
    child.stdin.write("go on\n");
    expect(await next()).toEqual(["state", String(UploadState.VERIFYING)]);
    const exit = once(child, "exit");
    child.kill("SIGKILL");
    await exit;
    await server.start();
    await using other = await startHarness({ BLOB_URL: place, ...server.environment }, known);
    const t = tools(other);
    await eventually(async () => expect((await t.get(id)).state).toBe(UploadState.STORED), { intervalMs: 200 });
    expect(Buffer.from((await t.get(id)).sha256).equals(sha256(contentOf(1)))).toBe(true);
  });
});
