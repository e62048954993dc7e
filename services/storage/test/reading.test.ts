import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { type Harness, randomBytes, refusal, startHarness, tools } from "./harness.ts";

let harness: Harness;
let t: ReturnType<typeof tools>;
beforeAll(async () => {
  harness = await startHarness();
  t = tools(harness);
});
afterAll(async () => {
  await harness[Symbol.asyncDispose]();
});

describe("reading", () => {
  it("gives any range", async () => {
    const bytes = randomBytes(400_000);
    const upload = await t.create({ size: 400_000n });
    // Several pieces, so that ranges cross their borders.
    for (const [from, to] of [
      [0, 70_000],
      [70_000, 70_001],
      [70_001, 200_000],
      [200_000, 400_000],
    ] as const) {
      await t.write(upload.id, bytes.subarray(from, to), { offset: BigInt(from) });
    }
    await t.complete(upload.id);
    const ticket = await t.ticketOf(await t.attach(upload.id));
    for (const [offset, length] of [
      [0, 1],
      [69_999, 3],
      [65_535, 2],
      [0, 400_000],
      [399_999, 1],
      [70_000, 1],
      [1, 262_145],
      [131_072, 65_536],
    ] as const) {
      const got = await t.read(ticket, { offset: BigInt(offset), length: BigInt(length) });
      expect(got.bytes.equals(bytes.subarray(offset, offset + length))).toBe(true);
      expect(got.header).toMatchObject({ offset: BigInt(offset), length: BigInt(length), size: 400_000n });
    }
    expect((await t.read(ticket, { offset: 399_990n, length: 1000n })).bytes.length).toBe(10);
    expect((await t.read(ticket, { offset: 400_000n })).bytes.length).toBe(0);
    expect((await t.read(ticket, { length: 0n })).header.size).toBe(400_000n);
    expect(await refusal(t.read(ticket, { offset: 400_001n }))).toEqual({
      reason: "RANGE_INVALID",
      metadata: { size: "400000" },
    });
  });

  it("gives slow readers the same bytes as fast ones, many at once", async () => {
    const bytes = randomBytes(7_000_000);
    const ticket = await t.ticketOf(await t.attach((await t.store(bytes)).id));
    const read = async (turns: number) => {
      const chunks: Uint8Array[] = [];
      for await (const { part } of harness.transfers.readBlob({ ticket }, harness.anna.as)) {
        if (part.case === "chunk") chunks.push(part.value);
        for (let turn = 0; turn < turns; turn += 1) await new Promise((resolve) => setImmediate(resolve));
      }
      return Buffer.concat(chunks).equals(bytes);
    };
    expect(await Promise.all([0, 1, 20, 100].map(read))).toEqual([true, true, true, true]);
  });

  it("needs a ticket of one's own that has not ended", async () => {
    const upload = await t.store(randomBytes(10));
    const versionId = await t.attach(upload.id);
    const ticket = await t.ticketOf(versionId);
    expect((await refusal(t.read(ticket, {}, harness.ben))).reason).toBe("TICKET_INVALID");
    expect((await refusal(t.read("x.y.z"))).reason).toBe("TICKET_INVALID");
    expect((await refusal(t.read(`${ticket}x`))).reason).toBe("TICKET_INVALID");
    await harness.restart();
    expect((await t.read(ticket)).bytes.length).toBe(10);
    harness.clock.now += 61_000;
    expect((await refusal(t.read(ticket))).reason).toBe("TICKET_INVALID");
  });

  it("serves no byte of a damaged block, and says so to the operator", async () => {
    const known = new Set(await harness.place.pieces());
    const bytes = randomBytes(300_000);
    const upload = await t.store(bytes, { name: "damaged" });
    const versionId = await t.attach(upload.id);
    const [file] = (await harness.place.pieces()).filter((name) => !known.has(name));
    await harness.place.flipBit(file as string, 200_000);
    const ticket = await t.ticketOf(versionId);
    const chunks: Uint8Array[] = [];
    const reading = (async () => {
      for await (const { part } of harness.transfers.readBlob({ ticket }, harness.anna.as)) {
        if (part.case === "chunk") chunks.push(part.value);
      }
    })();
    expect(await refusal(reading)).toMatchObject({ reason: "BLOB_CORRUPT", metadata: { offset: "196608" } });
    const got = Buffer.concat(chunks);
    expect(got.length).toBeLessThanOrEqual(196_608);
    expect(got.equals(bytes.subarray(0, got.length))).toBe(true);
    expect((await refusal(t.read(ticket, { offset: 200_001n, length: 1n }))).reason).toBe("BLOB_CORRUPT");
    expect((await t.read(ticket, { offset: 0n, length: 196_608n })).bytes.length).toBe(196_608);
    expect((await t.read(ticket, { offset: 262_144n })).bytes.length).toBe(37_856);
    expect(harness.log.lines().some(({ msg }) => msg === "stored bytes are damaged")).toBe(true);
    // The same bytes come again, and the blob is whole.
    await t.store(bytes, { name: "again" });
    expect((await t.read(ticket)).bytes.equals(bytes)).toBe(true);
  });

  it("serves nothing of a file that is cut short or gone", async () => {
    const { place } = harness;
    for (const damage of [(id: string) => place.cut(id, 10), (id: string) => place.lose(id)]) {
      const known = new Set(await harness.place.pieces());
      const upload = await t.store(randomBytes(100_000));
      const versionId = await t.attach(upload.id);
      const [file] = (await harness.place.pieces()).filter((name) => !known.has(name));
      await damage(file as string);
      expect((await refusal(t.read(await t.ticketOf(versionId)))).reason).toBe("BLOB_CORRUPT");
    }
  });

  it("finds damage before an upload is stored, when it must be read from disk", async () => {
    const known = new Set(await harness.place.pieces());
    const upload = await t.create({ size: 200_000n });
    await t.write(upload.id, randomBytes(100_000), { offset: 100_000n });
    await t.write(upload.id, randomBytes(100_000), { length: 100_000n });
    const [file] = (await harness.place.pieces()).filter((name) => !known.has(name));
    await harness.place.flipBit(file as string, 5);
    expect(await refusal(t.complete(upload.id))).toEqual({
      reason: "UPLOAD_FAILED",
      metadata: { failure: "UPLOAD_FAILURE_CORRUPT" },
    });
  });
});
