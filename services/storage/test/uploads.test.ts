import { Permission } from "@docket/contracts/gen/docket/policy/v1/policy_pb.ts";
import { UploadFailure, UploadState } from "@docket/contracts/gen/docket/storage/v1/upload_pb.ts";
import { newId } from "@docket/runtime/ids";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { type Harness, messages, randomBytes, refusal, sha256, somebody, startHarness, tools } from "./harness.ts";

let harness: Harness;
let t: ReturnType<typeof tools>;
beforeAll(async () => {
  harness = await startHarness({ UPLOAD_MAX_BYTES: "100MB", WORKSPACE_QUOTA_BYTES: "1GB", UPLOAD_MAX_OPEN: "60" });
  t = tools(harness);
});
afterAll(async () => {
  await harness[Symbol.asyncDispose]();
});

describe("an upload", () => {
  it("goes from receiving to stored, and its bytes come back", async () => {
    const bytes = randomBytes(1_000_000);
    const upload = await t.create({ size: 1_000_000n, name: "Größe.pdf", mediaType: "application/pdf" });
    expect(upload).toMatchObject({ state: UploadState.RECEIVING, offset: 0n, size: 1_000_000n, ranges: [] });
    const written = await t.write(upload.id, bytes);
    expect(written).toMatchObject({ offset: 1_000_000n, upload: { offset: 1_000_000n, receivedBytes: 1_000_000n } });
    const stored = await t.complete(upload.id);
    expect(stored.state).toBe(UploadState.STORED);
    expect(Buffer.from(stored.sha256).equals(sha256(bytes))).toBe(true);
    const got = await t.read(await t.ticketOf(await t.attach(upload.id)));
    expect(got.bytes.equals(bytes)).toBe(true);
    expect(got.header).toMatchObject({ size: 1_000_000n, name: "Größe.pdf", mediaType: "application/pdf" });
    expect(Buffer.from(got.header.sha256).equals(sha256(bytes))).toBe(true);
  });

  it("may be empty", async () => {
    const stored = await t.store(Buffer.alloc(0), { name: "empty" });
    expect(stored.state).toBe(UploadState.STORED);
    const got = await t.read(await t.ticketOf(await t.attach(stored.id)));
    expect(got.bytes.length).toBe(0);
  });

  it("may be of a size that is said only at the end, or not at all", async () => {
    const bytes = randomBytes(5000);
    const said = await t.create();
    expect(said.size).toBeUndefined();
    await t.write(said.id, bytes);
    const { upload } = await harness.uploads.completeUpload({ uploadId: said.id, size: 5000n }, harness.anna.as);
    expect(upload).toMatchObject({ state: UploadState.STORED, size: 5000n });
    const unsaid = await t.create();
    await t.write(unsaid.id, bytes);
    expect(await t.complete(unsaid.id)).toMatchObject({ state: UploadState.STORED, size: 5000n });
    const early = await t.create();
    expect((await t.write(early.id, bytes, { size: 5000n })).upload?.size).toBe(5000n);
  });

  it("is refused completion while bytes are missing, and told which", async () => {
    const upload = await t.create({ size: 100n });
    await t.write(upload.id, randomBytes(30));
    await t.write(upload.id, randomBytes(30), { offset: 70n });
    expect(await refusal(harness.uploads.completeUpload({ uploadId: upload.id }, harness.anna.as))).toEqual({
      reason: "UPLOAD_INCOMPLETE",
      metadata: { offset: "30", size: "100" },
    });
    expect((await t.get(upload.id)).ranges).toMatchObject([
      { offset: 0n, length: 30n },
      { offset: 70n, length: 30n },
    ]);
  });

  it("refuses another size than was said", async () => {
    const upload = await t.create({ size: 10n });
    await t.write(upload.id, randomBytes(10));
    const other = harness.uploads.completeUpload({ uploadId: upload.id, size: 11n }, harness.anna.as);
    expect(await refusal(other)).toEqual({ reason: "UPLOAD_SIZE_CONFLICT", metadata: { size: "10" } });
    const open = await t.create();
    await t.write(open.id, randomBytes(10));
    const less = harness.uploads.completeUpload({ uploadId: open.id, size: 9n }, harness.anna.as);
    expect(await refusal(less)).toEqual({ reason: "UPLOAD_SIZE_CONFLICT", metadata: { size: "10" } });
    expect((await refusal(t.write(upload.id, randomBytes(1), { size: 12n }))).reason).toBe("UPLOAD_SIZE_CONFLICT");
  });

  it("fails when its bytes do not have the declared digest, and stays failed", async () => {
    const upload = await t.create({ size: 10n, sha256: sha256(Buffer.from("other")) });
    await t.write(upload.id, randomBytes(10));
    expect(await refusal(t.complete(upload.id))).toEqual({
      reason: "UPLOAD_FAILED",
      metadata: { failure: "UPLOAD_FAILURE_DIGEST_MISMATCH" },
    });
    expect(await t.get(upload.id)).toMatchObject({
      state: UploadState.FAILED,
      failure: UploadFailure.DIGEST_MISMATCH,
      offset: 0n,
    });
    expect((await refusal(t.complete(upload.id))).reason).toBe("UPLOAD_FAILED");
    expect((await refusal(t.write(upload.id, randomBytes(1)))).reason).toBe("UPLOAD_STATE_CONFLICT");
    expect((await refusal(t.attach(upload.id))).reason).toBe("UPLOAD_FAILED");
  });

  it("accepts a digest that is declared with the completion", async () => {
    const bytes = randomBytes(100);
    const right = await t.create();
    await t.write(right.id, bytes);
    const { upload } = await harness.uploads.completeUpload(
      { uploadId: right.id, sha256: sha256(bytes) },
      harness.anna.as,
    );
    expect(upload?.state).toBe(UploadState.STORED);
    const wrong = await t.create();
    await t.write(wrong.id, bytes);
    const call = harness.uploads.completeUpload(
      { uploadId: wrong.id, sha256: sha256(randomBytes(1)) },
      harness.anna.as,
    );
    expect((await refusal(call)).reason).toBe("UPLOAD_FAILED");
  });

  it("is completed once, however often and however many ask at once", async () => {
    const bytes = randomBytes(50_000);
    const upload = await t.create({ size: 50_000n });
    await t.write(upload.id, bytes.subarray(25_000), { offset: 25_000n });
    await t.write(upload.id, bytes.subarray(0, 25_000), { length: 25_000n });
    const all = await Promise.all(Array.from({ length: 8 }, () => t.complete(upload.id)));
    for (const one of all) {
      expect(one.state).toBe(UploadState.STORED);
      expect(Buffer.from(one.sha256).equals(sha256(bytes))).toBe(true);
    }
    expect((await t.complete(upload.id)).state).toBe(UploadState.STORED);
    expect((await t.attach(upload.id)).length).toBe(36);
    expect((await t.complete(upload.id)).state).toBe(UploadState.ATTACHED);
  });

  it("answers at once when it is not to wait, and settles by itself", async () => {
    const bytes = randomBytes(3_000_000);
    const upload = await t.create();
    await t.write(upload.id, bytes.subarray(1_000_000), { offset: 1_000_000n });
    await t.write(upload.id, bytes.subarray(0, 1_000_000), { length: 1_000_000n });
    const asked = await harness.uploads.completeUpload({ uploadId: upload.id, wait: { seconds: 0n } }, harness.anna.as);
    expect(asked.upload?.state).toBe(UploadState.VERIFYING);
    expect((await refusal(t.write(upload.id, bytes))).metadata).toEqual({ state: "UPLOAD_STATE_VERIFYING" });
    expect((await t.complete(upload.id)).state).toBe(UploadState.STORED);
  });

  it("may be given up in any state but attached, and again", async () => {
    const receiving = await t.create({ size: 10n });
    const abort = (uploadId: string) => harness.uploads.abortUpload({ uploadId }, harness.anna.as);
    for (let time = 0; time < 2; time += 1) {
      expect((await abort(receiving.id)).upload).toMatchObject({
        state: UploadState.FAILED,
        failure: UploadFailure.ABORTED,
      });
    }
    const stored = await t.store(randomBytes(10));
    expect((await abort(stored.id)).upload?.state).toBe(UploadState.FAILED);
    const attached = await t.store(randomBytes(10));
    await t.attach(attached.id);
    expect(await refusal(abort(attached.id))).toEqual({
      reason: "UPLOAD_STATE_CONFLICT",
      metadata: { state: "UPLOAD_STATE_ATTACHED" },
    });
  });

  it("is made once per request id, and another request under the same id is refused", async () => {
    const requestId = newId();
    const first = await t.create({ requestId, name: "a" });
    expect((await t.create({ requestId, name: "a" })).id).toBe(first.id);
    expect((await refusal(t.create({ requestId, name: "b" }))).reason).toBe("REQUEST_ID_REUSED");
  });

  it("is nobody's business but its owner's", async () => {
    const upload = await t.create({ size: 10n });
    const { ben } = harness;
    for (const call of [
      () => t.get(upload.id, ben),
      () => t.complete(upload.id, ben),
      () => harness.uploads.abortUpload({ uploadId: upload.id }, ben.as),
      () => t.write(upload.id, randomBytes(1), {}, ben),
      () => t.get(newId(), ben),
    ]) {
      expect((await refusal(call())).reason).toBe("NOT_FOUND");
    }
  });

  it("ends for somebody who was put out of the workspace", async () => {
    const carl = await somebody();
    harness.users.join(carl, harness.workspaceId);
    const upload = await t.create({ size: 10n }, carl);
    harness.users.members.delete(`${carl.id} ${harness.workspaceId}`);
    harness.users.tell({ case: "accessChanged", value: { workspaceId: harness.workspaceId, epoch: "2" } } as never);
    harness.clock.now += 2000;
    expect((await refusal(t.get(upload.id, carl))).reason).toBe("NOT_FOUND");
    expect((await refusal(t.create({}, carl))).reason).toBe("NOT_FOUND");
  });

  it("needs the permission to add bytes", async () => {
    const guest = await somebody();
    harness.users.join(guest, harness.workspaceId, [Permission.WORKSPACE_VIEW]);
    expect((await refusal(t.create({}, guest))).reason).toBe("PERMISSION_DENIED");
    const key = await somebody("application", harness.workspaceId, [Permission.UPLOAD_CREATE]);
    harness.users.join(key, harness.workspaceId);
    const upload = await t.create({ size: 3n }, key);
    await t.write(upload.id, Buffer.from("abc"), {}, key);
    expect((await t.complete(upload.id, key)).state).toBe(UploadState.STORED);
    const narrow = await somebody("application", harness.workspaceId, [Permission.DOCUMENT_VIEW]);
    harness.users.join(narrow, harness.workspaceId);
    expect((await refusal(t.create({}, narrow))).reason).toBe("KEY_SCOPE_MISSING");
  });

  it("has a name that can be shown", async () => {
    const bad = [
      "",
      ".",
      "..",
      "../x",
      "a/b",
      "a\\b",
      "a\0b",
      "a\nb",
      "a\u202eb",
      "a\u2066b",
      "a\u200fb",
      "x".repeat(256),
      "x".repeat(4096),
    ];
    for (const name of bad) {
      expect({ name, ...(await refusal(t.create({ name }))) }).toMatchObject({ name, reason: "INVALID_ARGUMENT" });
    }
    for (const name of ["a", "…", "Übersicht (1).pdf", "日本語.txt", "👩‍💻.md", "x".repeat(255)]) {
      expect((await t.create({ name })).name).toBe(name);
    }
    for (const mediaType of ["text", "text/", "text/html\r\nx: y", "/x"]) {
      expect((await refusal(t.create({ mediaType }))).reason).toBe("INVALID_ARGUMENT");
    }
    for (const mediaType of ["", "text/html", 'text/plain; charset=utf-8; x="a b"', "application/vnd.ms-excel+xml"]) {
      expect((await t.create({ mediaType })).mediaType).toBe(mediaType);
    }
  });

  it("is listed for its owner until it is final, page by page, newest first", async () => {
    const dora = await somebody();
    harness.users.join(dora, harness.workspaceId);
    const ids: string[] = [];
    for (let index = 0; index < 5; index += 1) ids.unshift((await t.create({ size: 1n }, dora)).id);
    await harness.uploads.abortUpload({ uploadId: ids[2] as string }, dora.as);
    const seen: string[] = [];
    let pageToken = "";
    do {
      const page = await harness.uploads.listUploads({ pageSize: 2, pageToken }, dora.as);
      seen.push(...page.uploads.map(({ id }) => id));
      pageToken = page.nextPageToken;
    } while (pageToken !== "");
    expect(seen).toEqual(ids.filter((_, index) => index !== 2));
    const elsewhere = await harness.uploads.listUploads({ workspaceId: newId() }, dora.as);
    expect(elsewhere.uploads).toEqual([]);
    expect((await refusal(harness.uploads.listUploads({ pageToken: "nonsense" }, dora.as))).reason).toBe(
      "PAGE_TOKEN_INVALID",
    );
  });

  it("is limited in number for one owner", async () => {
    const emil = await somebody();
    harness.users.join(emil, harness.workspaceId);
    for (let index = 0; index < 60; index += 1) await t.create({}, emil);
    expect(await refusal(t.create({}, emil))).toEqual({ reason: "TOO_MANY_UPLOADS", metadata: { limit: "60" } });
  });

  it("is shown to its watcher in each state", async () => {
    const upload = await t.create({ size: 2_000_000n });
    const states: UploadState[] = [];
    const watched = (async () => {
      for await (const { upload: seen } of harness.uploads.watchUpload({ uploadId: upload.id }, harness.anna.as)) {
        states.push(seen?.state ?? UploadState.UNSPECIFIED);
      }
    })();
    const bytes = randomBytes(2_000_000);
    await t.write(upload.id, bytes.subarray(1_000_000), { offset: 1_000_000n });
    await t.write(upload.id, bytes.subarray(0, 1_000_000), { length: 1_000_000n });
    await t.complete(upload.id);
    await t.attach(upload.id);
    await watched;
    const { RECEIVING, VERIFYING, STORED, ATTACHED } = UploadState;
    expect(states.filter((state, index) => state !== states[index - 1])).toEqual([
      RECEIVING,
      VERIFYING,
      STORED,
      ATTACHED,
    ]);
  });

  it("goes with its workspace", async () => {
    const gone = newId();
    harness.users.join(harness.anna, gone);
    const { upload } = await harness.uploads.createUpload({ workspaceId: gone, name: "x" }, harness.anna.as);
    const watched = (async () => {
      for await (const { upload: seen } of harness.uploads.watchUpload(
        { uploadId: upload?.id ?? "" },
        harness.anna.as,
      )) {
        if (seen?.state === UploadState.FAILED) return seen.failure;
      }
      return undefined;
    })();
    harness.users.tell({ case: "workspaceDeleted", value: { workspaceId: gone } } as never);
    expect(await watched).toBe(UploadFailure.ABORTED);
  });
});

describe("limits", () => {
  it("are told to anybody", async () => {
    const limits = await harness.usage.getLimits({});
    expect(limits).toMatchObject({ maxFileBytes: 100_000_000n, maxChunkBytes: 1_048_576, maxParts: 10_000 });
  });

  it("of the file hold when it begins, while it grows and when its size is said", async () => {
    const tooLarge = { reason: "FILE_TOO_LARGE", metadata: { limit: "100000000" } };
    expect(await refusal(t.create({ size: 100_000_001n }))).toEqual(tooLarge);
    const open = await t.create();
    expect(await refusal(t.write(open.id, randomBytes(1), { offset: 100_000_000n }))).toEqual(tooLarge);
    expect(await refusal(t.write(open.id, randomBytes(1), { offset: 100_000_001n }))).toEqual(tooLarge);
    expect(await refusal(t.write(open.id, randomBytes(1), { size: 100_000_001n }))).toEqual(tooLarge);
    harness.users.maxFileBytes = 1000n;
    expect((await refusal(t.create({ size: 1001n }))).metadata).toEqual({ limit: "1000" });
    const small = await t.create();
    expect((await refusal(t.write(small.id, randomBytes(1001)))).metadata).toEqual({ limit: "1000" });
    expect((await refusal(t.write(small.id, randomBytes(1), { size: 1001n }))).metadata).toEqual({ limit: "1000" });
    harness.users.maxFileBytes = 0n;
  });

  it("of the workspace hold for what is reserved and what is stored, and free what is given up", async () => {
    const small = newId();
    const { anna } = harness;
    harness.users.join(anna, small);
    harness.users.quotaBytes = 1000n;
    const create = async (size?: bigint) =>
      (
        await harness.uploads.createUpload(
          { workspaceId: small, name: "x", ...(size === undefined ? {} : { size }) },
          anna.as,
        )
      ).upload?.id ?? "";
    const usage = async () => await harness.usage.getUsage({ workspaceId: small }, anna.as);
    const first = await create(600n);
    expect(await refusal(create(401n))).toEqual({ reason: "QUOTA_EXCEEDED", metadata: { limit: "1000" } });
    const second = await create(400n);
    expect(await usage()).toMatchObject({ storedBytes: 0n, reservedBytes: 1000n, quotaBytes: 1000n });
    const open = await create();
    expect((await refusal(t.write(open, randomBytes(1)))).reason).toBe("QUOTA_EXCEEDED");
    await harness.uploads.abortUpload({ uploadId: second }, anna.as);
    await t.write(open, randomBytes(400));
    expect((await refusal(t.write(open, randomBytes(1), { offset: 400n }))).reason).toBe("QUOTA_EXCEEDED");
    expect((await t.get(open)).offset).toBe(400n);
    await t.complete(open);
    await t.write(first, randomBytes(600));
    await t.complete(first);
    expect(await usage()).toMatchObject({ storedBytes: 1000n, reservedBytes: 0n, blobCount: 2n });
    harness.users.quotaBytes = 0n;
  });

  it("of the disk refuse what would not leave the floor free", async () => {
    await using other = await startHarness({ DISK_FLOOR_BYTES: "1000TB" });
    const o = tools(other);
    // Nobody can say how much room a bucket has.
    if (other.place.exclusive) expect((await refusal(o.create({ size: 1n }))).reason).toBe("DISK_FULL");
    else expect((await o.store(randomBytes(1))).state).toBe(UploadState.STORED);
  });
});

describe("a write", () => {
  it("begins with start, once", async () => {
    const upload = await t.create();
    const { transfers, anna } = harness;
    const start = { part: { case: "start" as const, value: { uploadId: upload.id, offset: 0n } } };
    const chunk = { part: { case: "chunk" as const, value: randomBytes(3) } };
    const send = (...parts: unknown[]) =>
      transfers.writeBlob(
        (async function* () {
          yield* parts as never[];
        })(),
        anna.as,
      );
    expect((await refusal(send())).reason).toBe("MALFORMED");
    expect(["INVALID_ARGUMENT", "PERMISSION_DENIED"]).toContain((await refusal(send(chunk))).reason);
    expect((await refusal(send(start, chunk, start))).reason).toBe("INVALID_ARGUMENT");
    start.part.value.offset = 3n;
    expect((await refusal(send(start, { part: { case: undefined } }))).reason).toBe("INVALID_ARGUMENT");
    expect((await refusal(send(start, { part: { case: "chunk", value: new Uint8Array() } }))).reason).toBe(
      "INVALID_ARGUMENT",
    );
  });

  it("takes chunks of a mebibyte and none that are larger", async () => {
    const upload = await t.create();
    const bytes = randomBytes(1_048_577);
    await harness.transfers.writeBlob(messages({ uploadId: upload.id }, bytes, { chunk: 1_048_576 }), harness.anna.as);
    const large = harness.transfers.writeBlob(
      messages({ uploadId: upload.id, offset: 1_048_577n }, bytes, { chunk: 1_048_577 }),
      harness.anna.as,
    );
    expect(["INVALID_ARGUMENT", "MESSAGE_TOO_LARGE"]).toContain((await refusal(large)).reason);
  });
});
