import { BlobReferenceState } from "@docket/contracts/gen/docket/storage/v1/blob_pb.ts";
import { UploadFailure, UploadState } from "@docket/contracts/gen/docket/storage/v1/upload_pb.ts";
import { newId } from "@docket/runtime/ids";
import { eventually } from "@docket/runtime/testing/eventually";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { type Harness, randomBytes, refusal, sha256, somebody, startHarness, tools } from "./harness.ts";

const hour = 3_600_000;
let harness: Harness;
let t: ReturnType<typeof tools>;
beforeAll(async () => {
  harness = await startHarness({ UPLOAD_EXPIRE_AFTER: "24h", BLOB_GRACE: "24h", UPLOAD_PARTIAL_QUOTA_BYTES: "1MB" });
  t = tools(harness);
});
afterAll(async () => {
  await harness[Symbol.asyncDispose]();
});

const attach = (uploadId: string, versionId: string, workspaceId = harness.workspaceId) =>
  harness.blobs.attachUpload({ uploadId, versionId, workspaceId }, harness.anna.as);

describe("a reference", () => {
  it("is made once, pending, and confirmed", async () => {
    const bytes = randomBytes(100);
    const upload = await t.store(bytes, { name: "a.txt", mediaType: "text/plain" });
    const versionId = newId();
    const first = (await attach(upload.id, versionId)).reference;
    expect(first).toMatchObject({
      versionId,
      size: 100n,
      name: "a.txt",
      mediaType: "text/plain",
      state: BlobReferenceState.PENDING,
      uploadId: upload.id,
    });
    expect((await attach(upload.id, versionId)).reference).toEqual(first);
    expect((await t.get(upload.id)).state).toBe(UploadState.STORED);
    expect((await harness.blobs.confirmReferences({ versionIds: [versionId] })).missingVersionIds).toEqual([]);
    expect((await harness.blobs.confirmReferences({ versionIds: [versionId] })).missingVersionIds).toEqual([]);
    expect((await harness.blobs.getReference({ versionId })).reference?.state).toBe(BlobReferenceState.CONFIRMED);
    expect(await t.get(upload.id)).toMatchObject({ state: UploadState.ATTACHED, versionId });
    expect((await attach(upload.id, versionId)).reference?.state).toBe(BlobReferenceState.CONFIRMED);
    expect(await refusal(attach(upload.id, newId()))).toEqual({
      reason: "UPLOAD_ALREADY_ATTACHED",
      metadata: { version_id: versionId },
    });
  });

  it("can be tried again with another version after a rollback", async () => {
    const upload = await t.store(randomBytes(100));
    const [lost, kept] = [newId(), newId()];
    await attach(upload.id, lost);
    await attach(upload.id, kept);
    await harness.blobs.releaseReferences({ versionIds: [lost] });
    await harness.blobs.releaseReferences({ versionIds: [lost] });
    await harness.blobs.confirmReferences({ versionIds: [kept] });
    expect((await t.get(upload.id)).versionId).toBe(kept);
    expect((await refusal(harness.blobs.getReference({ versionId: lost }))).reason).toBe("NOT_FOUND");
  });

  it("needs a stored upload of one's own, of the same workspace", async () => {
    const receiving = await t.create({ size: 1n });
    expect((await refusal(attach(receiving.id, newId()))).reason).toBe("UPLOAD_STATE_CONFLICT");
    const upload = await t.store(randomBytes(100));
    expect((await refusal(attach(upload.id, newId(), newId()))).reason).toBe("UPLOAD_WORKSPACE_MISMATCH");
    const stranger = harness.blobs.attachUpload(
      { uploadId: upload.id, versionId: newId(), workspaceId: harness.workspaceId },
      harness.ben.as,
    );
    expect((await refusal(stranger)).reason).toBe("NOT_FOUND");
    const other = await t.store(randomBytes(100));
    const versionId = newId();
    await attach(upload.id, versionId);
    expect((await refusal(attach(other.id, versionId))).reason).toBe("REFERENCE_CONFLICT");
  });

  it("is copied for a restored version", async () => {
    const bytes = randomBytes(100);
    const source = await t.attach((await t.store(bytes, { name: "v1" })).id);
    const copy = newId();
    const { reference } = await harness.blobs.copyReference({ sourceVersionId: source, versionId: copy });
    expect(reference).toMatchObject({ versionId: copy, state: BlobReferenceState.PENDING, name: "v1" });
    expect((await harness.blobs.copyReference({ sourceVersionId: source, versionId: copy })).reference).toEqual(
      reference,
    );
    await harness.blobs.releaseReferences({ versionIds: [source] });
    expect((await t.read(await t.ticketOf(copy))).bytes.equals(bytes)).toBe(true);
    expect((await refusal(harness.blobs.copyReference({ sourceVersionId: newId(), versionId: newId() }))).reason).toBe(
      "NOT_FOUND",
    );
    const other = await t.attach((await t.store(randomBytes(3))).id);
    expect((await refusal(harness.blobs.copyReference({ sourceVersionId: other, versionId: copy }))).reason).toBe(
      "REFERENCE_CONFLICT",
    );
  });

  it("is listed while it is pending, oldest first, when it has been so for a while", async () => {
    await using fresh = await startHarness();
    const f = tools(fresh);
    const versions: string[] = [];
    for (let index = 0; index < 5; index += 1) {
      const { id } = await f.store(randomBytes(10));
      const versionId = newId();
      await fresh.blobs.attachUpload({ uploadId: id, versionId, workspaceId: fresh.workspaceId }, fresh.anna.as);
      versions.push(versionId);
      fresh.clock.now += 1000;
    }
    expect((await fresh.blobs.listPendingReferences({})).references).toEqual([]);
    fresh.clock.now += 58_000;
    await fresh.blobs.confirmReferences({ versionIds: [versions[1] as string] });
    const seen: string[] = [];
    let pageToken = "";
    do {
      const page = await fresh.blobs.listPendingReferences({ olderThan: { seconds: 60n }, pageSize: 1, pageToken });
      seen.push(...page.references.map(({ versionId }) => versionId));
      pageToken = page.nextPageToken;
    } while (pageToken !== "");
    expect(seen).toEqual([versions[0], versions[2], versions[3]]);
    expect((await refusal(fresh.blobs.listPendingReferences({ pageToken: "x" }))).reason).toBe("PAGE_TOKEN_INVALID");
  });

  it("tells which versions have none", async () => {
    const missing = newId();
    expect((await harness.blobs.confirmReferences({ versionIds: [missing] })).missingVersionIds).toEqual([missing]);
    expect((await refusal(harness.blobs.createReadTicket({ versionId: missing }, harness.anna.as))).reason).toBe(
      "NOT_FOUND",
    );
    expect(
      (
        await refusal(
          (async () => {
            for await (const _ of harness.blobs.readReference({ versionId: missing }));
          })(),
        )
      ).reason,
    ).toBe("NOT_FOUND");
  });

  it("is read by the document service for its own work", async () => {
    const bytes = randomBytes(1000);
    const versionId = await t.attach((await t.store(bytes)).id);
    const chunks: Uint8Array[] = [];
    for await (const { part } of harness.blobs.readReference({ versionId, offset: 10n, length: 20n })) {
      if (part.case === "chunk") chunks.push(part.value);
    }
    expect(Buffer.concat(chunks).equals(bytes.subarray(10, 30))).toBe(true);
  });

  it("names what the ticket's reader is told", async () => {
    const versionId = await t.attach((await t.store(randomBytes(5), { name: "old" })).id);
    const { ticket } = await harness.blobs.createReadTicket(
      { versionId, name: "new", mediaType: "text/plain" },
      harness.anna.as,
    );
    expect((await t.read(ticket)).header).toMatchObject({ name: "new", mediaType: "text/plain" });
  });
});

describe("equal content", () => {
  it("is stored once per workspace and counted once", async () => {
    const bytes = randomBytes(10_000);
    const before = await t.usage();
    const uploads = await Promise.all([t.store(bytes), t.store(bytes), t.store(bytes)]);
    const ids = await Promise.all(uploads.map(async ({ id }) => (await attach(id, newId())).reference?.blobId));
    expect(new Set(ids).size).toBe(1);
    const after = await t.usage();
    expect(after.storedBytes - before.storedBytes).toBe(10_000n);
    expect(after.blobCount - before.blobCount).toBe(1n);
    expect(after.reservedBytes).toBe(before.reservedBytes);
    const elsewhere = newId();
    harness.users.join(harness.anna, elsewhere);
    const other = await t.store(bytes, { workspaceId: elsewhere });
    const reference = await attach(other.id, newId(), elsewhere);
    expect(ids).not.toContain(reference.reference?.blobId);
  });
});

describe("what nobody uses", () => {
  it("goes after its grace period and never before, nor while anything refers to it", async () => {
    await using fresh = await startHarness({ BLOB_GRACE: "24h" });
    const f = tools(fresh);
    const bytes = randomBytes(1000);
    const [first, second] = [await f.attach((await f.store(bytes)).id), await f.attach((await f.store(bytes)).id)];
    await fresh.service().tidy();
    // The second arrival of the same bytes is removed once no reader can be in it.
    fresh.clock.now += 2 * hour;
    await fresh.service().tidy();
    expect((await fresh.place.pieces()).length).toBe(1);
    await fresh.blobs.releaseReferences({ versionIds: [first] });
    fresh.clock.now += 100 * hour;
    await fresh.service().tidy();
    expect((await f.read(await f.ticketOf(second))).bytes.equals(bytes)).toBe(true);
    await fresh.blobs.releaseReferences({ versionIds: [second] });
    fresh.clock.now += 23 * hour;
    await fresh.service().tidy();
    expect((await fresh.place.pieces()).length).toBe(1);
    expect((await f.usage()).storedBytes).toBe(1000n);
    // Within the grace period the content may come back, and stays.
    const third = await f.store(bytes);
    fresh.clock.now += 23 * hour;
    await fresh.service().tidy();
    expect((await f.read(await f.ticketOf(await f.attach(third.id)))).bytes.equals(bytes)).toBe(true);
    const reference = await fresh.blobs.listPendingReferences({});
    expect(reference.references).toEqual([]);
  });

  it("leaves neither files nor room behind", async () => {
    await using fresh = await startHarness({ BLOB_GRACE: "1h" });
    const f = tools(fresh);
    const versionId = await f.attach((await f.store(randomBytes(1000))).id);
    await fresh.blobs.releaseReferences({ versionIds: [versionId] });
    const aborted = await f.create({ size: 500n });
    await f.write(aborted.id, randomBytes(100));
    await fresh.uploads.abortUpload({ uploadId: aborted.id }, fresh.anna.as);
    fresh.clock.now += hour + 1;
    await fresh.service().tidy();
    fresh.clock.now += hour + 1;
    await fresh.service().tidy();
    expect(await fresh.place.pieces()).toEqual([]);
    expect(await f.usage()).toMatchObject({ storedBytes: 0n, reservedBytes: 0n, blobCount: 0n });
  });

  it("expires: uploads that nobody goes on with, and stored ones that nobody attaches", async () => {
    const receiving = await t.create({ size: 100n });
    await t.write(receiving.id, randomBytes(10));
    const stored = await t.store(randomBytes(77));
    const pending = await t.store(randomBytes(78));
    await attach(pending.id, newId());
    const idle = await t.get(receiving.id);
    expect(Number(idle.expireTime?.seconds) * 1000).toBeGreaterThan(harness.clock.now + 23 * hour);
    harness.clock.now += 25 * hour;
    await harness.service().tidy();
    for (const { id } of [receiving, stored]) {
      expect(await t.get(id)).toMatchObject({ state: UploadState.FAILED, failure: UploadFailure.EXPIRED, offset: 0n });
    }
    // A pending reference is settled by asking, never by time.
    expect((await t.get(pending.id)).state).toBe(UploadState.STORED);
    expect((await refusal(t.write(receiving.id, randomBytes(1), { offset: 10n }))).reason).toBe(
      "UPLOAD_STATE_CONFLICT",
    );
  });

  it("does not hide damage of what is used: every stored byte is looked at from time to time", async () => {
    await using fresh = await startHarness({ BLOB_SCRUB_AFTER: "30d" });
    const f = tools(fresh);
    await f.attach((await f.store(randomBytes(100_000))).id);
    const [file] = await fresh.place.pieces();
    await fresh.place.flipBit(file as string, 70_000);
    const damaged = () => fresh.log.lines().some(({ msg }) => msg === "stored bytes are damaged");
    await fresh.service().tidy();
    expect(damaged()).toBe(false);
    fresh.clock.now += 31 * 24 * hour;
    await fresh.service().tidy();
    expect(damaged()).toBe(true);
  });

  it("does not fill up with what has no owner", async () => {
    await using fresh = await startHarness();
    const f = tools(fresh);
    const kept = await f.attach((await f.store(randomBytes(100))).id);
    await fresh.place.litter();
    await fresh.restart();
    // A place of many processes is swept later, when nobody can be about to note what lies there.
    await eventually(async () => {
      if (!fresh.place.exclusive) await fresh.service().tidy();
      expect((await fresh.place.pieces()).length).toBe(1);
    });
    expect((await f.read(await f.ticketOf(kept))).bytes.length).toBe(100);
    expect(fresh.log.lines().some(({ msg }) => msg === "files without an owner removed")).toBe(true);
  });
});

describe("concatenation", () => {
  const partial = async (bytes: Uint8Array, by = harness.anna) => {
    const { upload } = await harness.uploads.createPartialUpload({ size: BigInt(bytes.length) }, by.as);
    if (bytes.length > 0) await t.write(upload?.id ?? "", bytes, { append: true }, by);
    return upload?.id ?? "";
  };
  const concatenate = (partIds: string[], fields = {}) =>
    harness.uploads.concatenateUploads(
      { workspaceId: harness.workspaceId, name: "whole", partIds, ...fields },
      harness.anna.as,
    );

  it("makes one upload of several, in order, without another copy", async () => {
    const bytes = randomBytes(600_000);
    const parts = await Promise.all(
      [
        [0, 250_000],
        [250_000, 250_000],
        [250_000, 600_000],
      ].map(([from, to]) => partial(bytes.subarray(from, to))),
    );
    const files = (await harness.place.pieces()).length;
    const requestId = newId();
    const { upload } = await concatenate(parts, { sha256: sha256(bytes), requestId });
    expect(upload).toMatchObject({ state: UploadState.RECEIVING, size: 600_000n, offset: 600_000n, partial: false });
    expect((await harness.place.pieces()).length).toBe(files);
    expect((await concatenate(parts, { sha256: sha256(bytes), requestId })).upload?.id).toBe(upload?.id);
    expect((await t.complete(upload?.id ?? "")).state).toBe(UploadState.STORED);
    for (const id of parts) {
      expect(await t.get(id)).toMatchObject({
        state: UploadState.CONCATENATED,
        concatenatedInto: upload?.id,
        partial: true,
      });
    }
    const got = await t.read(await t.ticketOf(await t.attach(upload?.id ?? "")));
    expect(got.bytes.equals(bytes)).toBe(true);
    expect((await refusal(concatenate(parts))).reason).toBe("UPLOAD_STATE_CONFLICT");
    expect((await refusal(harness.uploads.abortUpload({ uploadId: parts[0] as string }, harness.anna.as))).reason).toBe(
      "UPLOAD_STATE_CONFLICT",
    );
  });

  it("takes only parts that are complete, partial and one's own", async () => {
    const { upload } = await harness.uploads.createPartialUpload({ size: 10n }, harness.anna.as);
    await t.write(upload?.id ?? "", randomBytes(9));
    expect(await refusal(concatenate([upload?.id ?? ""]))).toEqual({
      reason: "UPLOAD_INCOMPLETE",
      metadata: { offset: "9", size: "10" },
    });
    const { upload: open } = await harness.uploads.createPartialUpload({}, harness.anna.as);
    await t.write(open?.id ?? "", randomBytes(9));
    expect((await refusal(concatenate([open?.id ?? ""]))).reason).toBe("UPLOAD_INCOMPLETE");
    const whole = await t.create({ size: 1n });
    await t.write(whole.id, randomBytes(1));
    expect((await refusal(concatenate([whole.id]))).reason).toBe("UPLOAD_STATE_CONFLICT");
    const bens = await partial(randomBytes(3), harness.ben);
    expect((await refusal(concatenate([bens]))).reason).toBe("NOT_FOUND");
    const twice = await partial(randomBytes(3));
    expect((await refusal(concatenate([twice, twice]))).reason).toBe("INVALID_ARGUMENT");
    expect((await refusal(harness.uploads.completeUpload({ uploadId: twice }, harness.anna.as))).reason).toBe(
      "UPLOAD_STATE_CONFLICT",
    );
  });

  it("holds the owner's room until the workspace takes the bytes", async () => {
    const frieda = await somebody();
    harness.users.join(frieda, harness.workspaceId);
    const { upload } = await harness.uploads.createPartialUpload({ size: 900_000n }, frieda.as);
    const more = harness.uploads.createPartialUpload({ size: 200_000n }, frieda.as);
    expect(await refusal(more)).toEqual({ reason: "QUOTA_EXCEEDED", metadata: { limit: "1000000" } });
    await t.write(upload?.id ?? "", randomBytes(900_000), {}, frieda);
    harness.users.quotaBytes = 10n;
    const refused = harness.uploads.concatenateUploads(
      { workspaceId: harness.workspaceId, name: "x", partIds: [upload?.id ?? ""] },
      frieda.as,
    );
    expect((await refusal(refused)).reason).toBe("QUOTA_EXCEEDED");
    harness.users.quotaBytes = 0n;
    expect((await t.get(upload?.id ?? "", frieda)).state).toBe(UploadState.RECEIVING);
    await harness.uploads.concatenateUploads(
      { workspaceId: harness.workspaceId, name: "x", partIds: [upload?.id ?? ""] },
      frieda.as,
    );
    expect((await harness.uploads.createPartialUpload({ size: 200_000n }, frieda.as)).upload?.size).toBe(200_000n);
  });
});
