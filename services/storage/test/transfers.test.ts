import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";
import { ChecksumAlgorithm, UploadState } from "@docket/contracts/gen/docket/storage/v1/upload_pb.ts";
import { eventually } from "@docket/runtime/testing/eventually";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { type Harness, messages, randomBytes, refusal, sha256, startHarness, tools } from "./harness.ts";

let harness: Harness;
let t: ReturnType<typeof tools>;
beforeAll(async () => {
  harness = await startHarness({ UPLOAD_MAX_PARTS: "300" });
  t = tools(harness);
});
afterAll(async () => {
  await harness[Symbol.asyncDispose]();
});

/** What the writes that are open have taken. */
const arriving = () => harness.service().arriving();

/** A write whose bytes are sent by hand. */
function manual(start: { uploadId: string; offset?: bigint; length?: bigint }) {
  const queue: Uint8Array[] = [];
  let wake: () => void = () => undefined;
  let over: "end" | "cut" | undefined;
  const controller = new AbortController();
  async function* parts() {
    yield { part: { case: "start" as const, value: start } };
    while (true) {
      const next = queue.shift();
      if (next !== undefined) yield { part: { case: "chunk" as const, value: next } };
      else if (over !== undefined) return;
      else
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
    }
  }
  const answer = harness.transfers.writeBlob(parts(), { ...harness.anna.as, signal: controller.signal });
  answer.catch(() => undefined);
  return {
    answer,
    send(bytes: Uint8Array) {
      queue.push(bytes);
      wake();
    },
    end() {
      over = "end";
      wake();
    },
    cut() {
      controller.abort();
      over = "cut";
      wake();
    },
  };
}

describe("resuming", () => {
  it("works at every byte of a small file", async () => {
    const bytes = randomBytes(41);
    for (let cut = 0; cut <= bytes.length; cut += 1) {
      const upload = await t.create({ size: BigInt(bytes.length), sha256: sha256(bytes) });
      if (cut > 0) await t.write(upload.id, bytes.subarray(0, cut));
      expect((await t.get(upload.id)).offset).toBe(BigInt(cut));
      if (cut < bytes.length) await t.write(upload.id, bytes.subarray(cut), { offset: BigInt(cut), append: true });
      expect((await t.complete(upload.id)).state).toBe(UploadState.STORED);
    }
  }, 30_000);

  it("works byte by byte, and over a restart of the service", async () => {
    const bytes = randomBytes(24);
    const upload = await t.create({ size: 24n, sha256: sha256(bytes) });
    for (let at = 0; at < 24; at += 1) {
      if (at === 12) await harness.restart();
      await t.write(upload.id, bytes.subarray(at, at + 1), { offset: BigInt(at), append: true });
    }
    expect((await t.complete(upload.id)).state).toBe(UploadState.STORED);
    const got = await t.read(await t.ticketOf(await t.attach(upload.id)));
    expect(got.bytes.equals(bytes)).toBe(true);
  });

  it("works at random places of a larger file whose client is cut again and again", async () => {
    const bytes = randomBytes(3_000_000);
    const upload = await t.create({ size: 3_000_000n, sha256: sha256(bytes) });
    let offset = 0;
    for (let round = 0; offset < bytes.length; round += 1) {
      const length = 1 + ((round * 104_729) % 400_000);
      const writing = manual({ uploadId: upload.id, offset: BigInt(offset) });
      writing.send(bytes.subarray(offset, offset + length));
      if (round % 3 === 0 || offset + length >= bytes.length) {
        writing.end();
        await writing.answer;
      } else {
        // Cut as soon as the server has begun, or before.
        await new Promise((resolve) => setImmediate(resolve));
        writing.cut();
        await writing.answer.catch(() => undefined);
      }
      // What the old call still keeps may come at any time: the newer write, at what was told, ends it.
      offset = Number((await t.get(upload.id)).offset);
    }
    expect((await t.complete(upload.id)).state).toBe(UploadState.STORED);
  }, 30_000);

  it("keeps what a cut client had sent", async () => {
    const bytes = randomBytes(500_000);
    const upload = await t.create({ size: 500_000n });
    const writing = manual({ uploadId: upload.id });
    writing.send(bytes.subarray(0, 200_000));
    writing.send(bytes.subarray(200_000, 300_000));
    await eventually(() => expect(arriving().bytes).toBe(300_000));
    writing.cut();
    const { offset } = await t.get(upload.id);
    expect(offset).toBe(300_000n);
    await t.write(upload.id, bytes.subarray(Number(offset)), { offset });
    expect(Buffer.from((await t.complete(upload.id)).sha256).equals(sha256(bytes))).toBe(true);
  });

  it("ends the older write that is still open, and drops what it wrote past the new one's place", async () => {
    const bytes = randomBytes(300_000);
    const upload = await t.create({ size: 300_000n, sha256: sha256(bytes) });
    const older = manual({ uploadId: upload.id });
    older.send(bytes.subarray(0, 100_000));
    older.send(randomBytes(50_000));
    await eventually(() => arriving().bytes > 0);
    await t.write(upload.id, bytes, { offset: 0n });
    expect((await refusal(older.answer)).reason).toBe("UPLOAD_SUPERSEDED");
    expect((await t.complete(upload.id)).state).toBe(UploadState.STORED);
  });
});

describe("parallel parts", () => {
  it("may come in any order and at once", async () => {
    const bytes = randomBytes(2_100_001);
    const upload = await t.create({ size: BigInt(bytes.length), sha256: sha256(bytes) });
    const size = 300_000;
    const parts = Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) => index).reverse();
    await Promise.all(
      parts.map((part) => {
        const slice = bytes.subarray(part * size, (part + 1) * size);
        return t.write(upload.id, slice, { offset: BigInt(part * size), length: BigInt(slice.length) });
      }),
    );
    expect((await t.get(upload.id)).ranges).toMatchObject([{ offset: 0n, length: BigInt(bytes.length) }]);
    expect((await t.complete(upload.id)).state).toBe(UploadState.STORED);
    const got = await t.read(await t.ticketOf(await t.attach(upload.id)));
    expect(got.bytes.equals(bytes)).toBe(true);
  });

  it("never overwrite what is there, and are told where to go on", async () => {
    const upload = await t.create({ size: 100n });
    await t.write(upload.id, randomBytes(20), { offset: 40n });
    const conflict = { reason: "UPLOAD_OFFSET_CONFLICT", metadata: { offset: "60" } };
    for (const offset of [40n, 50n, 59n])
      expect(await refusal(t.write(upload.id, randomBytes(1), { offset }))).toEqual(conflict);
    expect(await refusal(t.write(upload.id, randomBytes(30), { offset: 30n }))).toEqual(conflict);
    expect((await t.get(upload.id)).ranges).toMatchObject([{ offset: 30n, length: 30n }]);
  });

  it("must be appended exactly where tus says so", async () => {
    const upload = await t.create({ size: 100n });
    await t.write(upload.id, randomBytes(10), { append: true });
    for (const offset of [0n, 9n, 11n]) {
      expect(await refusal(t.write(upload.id, randomBytes(1), { offset, append: true }))).toEqual({
        reason: "UPLOAD_OFFSET_CONFLICT",
        metadata: { offset: "10" },
      });
    }
  });

  it("keep what fits when more comes than was announced", async () => {
    const upload = await t.create({ size: 100n });
    const exceeded = await refusal(t.write(upload.id, randomBytes(101)));
    expect(exceeded).toEqual({ reason: "UPLOAD_SIZE_EXCEEDED", metadata: { size: "100" } });
    expect((await t.get(upload.id)).offset).toBe(100n);
    const part = await t.create({ size: 100n });
    expect((await refusal(t.write(part.id, randomBytes(11), { length: 10n }))).metadata).toEqual({ size: "10" });
    expect((await t.get(part.id)).offset).toBe(10n);
    expect((await refusal(t.write(part.id, randomBytes(1), { offset: 101n }))).reason).toBe("UPLOAD_SIZE_EXCEEDED");
  });

  it("are limited in number", async () => {
    const upload = await t.create();
    let refused: unknown;
    for (let at = 0; at <= 300 && refused === undefined; at += 1) {
      refused = await t.write(upload.id, randomBytes(1), { offset: BigInt(at) }).then(
        () => undefined,
        (error: unknown) => error,
      );
    }
    expect(await refusal(Promise.reject(refused))).toEqual({ reason: "TOO_MANY_PARTS", metadata: { limit: "300" } });
  }, 30_000);
});

describe("a checksum of a write", () => {
  const bytes = randomBytes(700_000);
  const crc = Buffer.alloc(4);
  crc.writeUInt32BE(crc32(bytes));
  const sums = [
    [ChecksumAlgorithm.CRC32, crc],
    [ChecksumAlgorithm.MD5, createHash("md5").update(bytes).digest()],
    [ChecksumAlgorithm.SHA1, createHash("sha1").update(bytes).digest()],
    [ChecksumAlgorithm.SHA256, sha256(bytes)],
  ] as const;

  it.each(sums)("keeps all bytes when it holds and none when it does not (%s)", async (algorithm, value) => {
    const upload = await t.create({ size: 700_000n });
    const wrong = Buffer.from(value);
    wrong[0] = (wrong[0] ?? 0) ^ 1;
    expect((await refusal(t.write(upload.id, bytes, { checksum: { algorithm, value: wrong } }))).reason).toBe(
      "CHECKSUM_MISMATCH",
    );
    expect((await t.get(upload.id)).offset).toBe(0n);
    await t.write(upload.id, bytes, { checksum: { algorithm, value } });
    expect((await t.complete(upload.id)).state).toBe(UploadState.STORED);
  });

  it("may come at the end", async () => {
    const upload = await t.create({ size: 700_000n });
    const [, value] = sums[3];
    const send = (sum: Uint8Array, algorithm: ChecksumAlgorithm = ChecksumAlgorithm.SHA256) => {
      const end = { part: { case: "end" as const, value: { checksum: { algorithm, value: sum } } } };
      const start = { uploadId: upload.id, checksum: { algorithm: ChecksumAlgorithm.SHA256, value: new Uint8Array() } };
      return harness.transfers.writeBlob(messages(start, bytes, { end }), harness.anna.as);
    };
    expect((await refusal(send(sha256(randomBytes(1))))).reason).toBe("CHECKSUM_MISMATCH");
    expect((await refusal(send(crc, ChecksumAlgorithm.CRC32))).reason).toBe("INVALID_ARGUMENT");
    expect((await send(value)).offset).toBe(700_000n);
  });

  it("that no algorithm makes is refused", async () => {
    const upload = await t.create();
    for (const checksum of [
      { algorithm: ChecksumAlgorithm.SHA256, value: randomBytes(20) },
      { algorithm: ChecksumAlgorithm.UNSPECIFIED, value: randomBytes(4) },
      { algorithm: 9 as ChecksumAlgorithm, value: randomBytes(4) },
    ]) {
      expect((await refusal(t.write(upload.id, bytes, { checksum }))).reason).toBe("INVALID_ARGUMENT");
    }
  });

  it("leaves nothing of a client that was cut", async () => {
    const upload = await t.create({ size: 700_000n });
    const controller = new AbortController();
    const answer = harness.transfers.writeBlob(
      (async function* () {
        for await (const part of messages(
          { uploadId: upload.id, checksum: { algorithm: ChecksumAlgorithm.SHA256, value: sums[3][1] } },
          bytes.subarray(0, 500_000),
        ))
          yield part;
        controller.abort();
      })(),
      { ...harness.anna.as, signal: controller.signal },
    );
    await answer.catch(() => undefined);
    await eventually(() => arriving().writes === 0);
    expect((await t.get(upload.id)).ranges).toEqual([]);
  });
});

describe("giving an upload up", () => {
  it("ends its writers and leaves nothing", async () => {
    const upload = await t.create({ size: 500_000n });
    const writing = manual({ uploadId: upload.id });
    writing.send(randomBytes(100_000));
    await eventually(() => arriving().bytes > 0);
    await harness.uploads.abortUpload({ uploadId: upload.id }, harness.anna.as);
    expect((await refusal(writing.answer)).reason).toBe("UPLOAD_STATE_CONFLICT");
    expect(arriving()).toEqual({ writes: 0, bytes: 0 });
  });
});
