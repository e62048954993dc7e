import { BlobReferenceState } from "@docket/contracts/gen/docket/storage/v1/blob_pb.ts";
import { newId } from "@docket/runtime/ids";
import { eventually } from "@docket/runtime/testing/eventually";
import { temporaryFolder } from "@docket/runtime/testing/temporary_folder";
import { describe, expect, it } from "@jest/globals";
import { reasonOf, startWorld } from "./world.ts";

describe("VersionService", () => {
  it("numbers versions without gaps, however many are added at once", async () => {
    await using world = await startWorld();
    const [ann, ben] = [await world.person("member"), await world.person("member")];
    const documentId = await world.document(ann, "Title");
    await Promise.all(
      Array.from({ length: 12 }, (_, index) => {
        const who = index % 2 === 0 ? ann : ben;
        const uploadId = world.blobs.upload(who, world.workspaceId, `${index}.pdf`);
        return world.versions.createVersion({ documentId, uploadId }, who.as);
      }),
    );
    const { versions } = await world.versions.listVersions({ documentId }, ann.as);
    expect(versions.map(({ number }) => number)).toEqual([13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1]);
    const { document } = await world.documents.getDocument({ documentId }, ann.as);
    expect(document?.version?.number).toBe(13);
  });

  it("lists in pages, the newest first, and gives the newest for number 0", async () => {
    await using world = await startWorld();
    const ann = await world.person("member");
    const documentId = await world.document(ann, "Title");
    for (let index = 0; index < 2; index++) {
      const uploadId = world.blobs.upload(ann, world.workspaceId, `${index}.pdf`);
      await world.versions.createVersion({ documentId, uploadId, label: `l${index}`, note: "what\nis new" }, ann.as);
    }
    const first = await world.versions.listVersions({ documentId, pageSize: 2 }, ann.as);
    expect(first.versions.map(({ number }) => number)).toEqual([3, 2]);
    const second = await world.versions.listVersions(
      { documentId, pageSize: 2, pageToken: first.nextPageToken },
      ann.as,
    );
    expect(second.versions.map(({ number }) => number)).toEqual([1]);
    const wrong = world.versions.listVersions({ documentId, pageToken: "bm9uc2Vuc2U" }, ann.as);
    expect(await reasonOf(wrong)).toBe("PAGE_TOKEN_INVALID");
    const newest = await world.versions.getVersion({ documentId }, ann.as);
    expect(newest.version).toMatchObject({ number: 3, label: "l1", note: "what\nis new" });
    expect(await reasonOf(world.versions.getVersion({ documentId, number: 9 }, ann.as))).toBe("NOT_FOUND");
  });

  it("restores an earlier version as a new one with the same contents", async () => {
    await using world = await startWorld();
    const ann = await world.person("member");
    const documentId = await world.document(ann, "Title", { content: "first" });
    const uploadId = world.blobs.upload(ann, world.workspaceId, "second.pdf", "second");
    await world.versions.createVersion({ documentId, uploadId }, ann.as);
    const request = { documentId, number: 1, note: "back", requestId: newId() };
    const { version } = await world.versions.restoreVersion(request, ann.as);
    const { version: first } = await world.versions.getVersion({ documentId, number: 1 }, ann.as);
    expect(version).toMatchObject({
      number: 3,
      restoredFrom: 1,
      note: "back",
      fileName: first?.fileName,
      digest: first?.digest,
    });
    const again = await world.versions.restoreVersion(request, ann.as);
    expect(again.version?.id).toBe(version?.id);
    expect(await reasonOf(world.versions.restoreVersion({ ...request, number: 2 }, ann.as))).toBe("REQUEST_ID_REUSED");
    expect(await reasonOf(world.versions.restoreVersion({ documentId, number: 7 }, ann.as))).toBe("NOT_FOUND");
  });

  it("adds a version only to what was read, when an etag is given", async () => {
    await using world = await startWorld();
    const ann = await world.person("member");
    const documentId = await world.document(ann, "Title");
    const { document } = await world.documents.getDocument({ documentId }, ann.as);
    const documentEtag = document?.etag ?? "";
    const add = () => {
      const uploadId = world.blobs.upload(ann, world.workspaceId);
      return reasonOf(world.versions.createVersion({ documentId, uploadId, documentEtag }, ann.as));
    };
    expect(await add()).toBe("OK");
    expect(await add()).toBe("ETAG_MISMATCH");
    expect(await reasonOf(world.versions.restoreVersion({ documentId, number: 1, documentEtag }, ann.as))).toBe(
      "ETAG_MISMATCH",
    );
  });

  it("takes an upload once", async () => {
    await using world = await startWorld();
    const ann = await world.person("member");
    const documentId = await world.document(ann, "Title");
    const uploadId = world.blobs.upload(ann, world.workspaceId);
    const reasons = await Promise.all(
      [1, 2, 3].map(() => reasonOf(world.versions.createVersion({ documentId, uploadId }, ann.as))),
    );
    expect(reasons.sort()).toEqual(["OK", "UPLOAD_CONSUMED", "UPLOAD_CONSUMED"]);
  });

  it("changes label and note, and nothing while the document lies in the trash", async () => {
    await using world = await startWorld();
    const ann = await world.person("member");
    const documentId = await world.document(ann, "Title");
    const { version } = await world.versions.getVersion({ documentId }, ann.as);
    const etag = version?.etag ?? "";
    const change = { documentId, number: 1, label: "signed", etag, updateMask: { paths: ["label"] } };
    expect((await world.versions.updateVersion(change, ann.as)).version).toMatchObject({ label: "signed", note: "" });
    expect(await reasonOf(world.versions.updateVersion({ ...change, label: "x" }, ann.as))).toBe("ETAG_MISMATCH");
    await world.documents.deleteDocument({ documentId }, ann.as);
    expect(await reasonOf(world.versions.updateVersion({ ...change, etag: undefined }, ann.as))).toBe("TRASHED");
    const uploadId = world.blobs.upload(ann, world.workspaceId);
    expect(await reasonOf(world.versions.createVersion({ documentId, uploadId }, ann.as))).toBe("TRASHED");
    expect(await reasonOf(world.versions.restoreVersion({ documentId, number: 1 }, ann.as))).toBe("TRASHED");
  });

  it("gives a ticket to those who may see the document, and to nobody else", async () => {
    await using world = await startWorld();
    const [ann, stranger] = [await world.person("member"), await world.person()];
    const documentId = await world.document(ann, "Title");
    const { ticket, version, expireTime } = await world.versions.createDownloadTicket({ documentId }, ann.as);
    expect(ticket).toBe(`ticket of ${version?.id}`);
    expect(expireTime).toBeDefined();
    expect(await reasonOf(world.versions.createDownloadTicket({ documentId }, stranger.as))).toBe("NOT_FOUND");
  });

  it("settles what a crash left pending: keeps what was committed, releases what was not", async () => {
    await using folder = await temporaryFolder();
    await using world = await startWorld({ folder: folder.path });
    const ann = await world.person("member");
    world.blobs.failNext = "confirmReferences";
    const documentId = await world.document(ann, "Title");
    await eventually(() => world.blobs.failNext === undefined);
    // What a crash between the reference and the commit leaves behind.
    const [committed] = world.blobs.references.values();
    if (committed === undefined) throw new Error("no reference");
    const orphan = { ...committed, versionId: newId(), uploadId: newId() };
    world.blobs.references.set(orphan.versionId, orphan);
    world.blobs.madeAt.clear();
    await world.service.settleReferences();
    expect([...world.blobs.references.values()]).toHaveLength(1);
    expect(committed.state).toBe(BlobReferenceState.CONFIRMED);
    expect(await reasonOf(world.versions.createDownloadTicket({ documentId }, ann.as))).toBe("OK");
  });
});
