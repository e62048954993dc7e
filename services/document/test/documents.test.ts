import { DocumentKind, DocumentOrder } from "@docket/contracts/gen/docket/document/v1/document_pb.ts";
import { Permission } from "@docket/contracts/gen/docket/policy/v1/policy_pb.ts";
import { BlobReferenceState } from "@docket/contracts/gen/docket/storage/v1/blob_pb.ts";
import { newId } from "@docket/runtime/ids";
import { eventually } from "@docket/runtime/testing/eventually";
import { describe, expect, it } from "@jest/globals";
import { at, reasonOf, type Somebody, startWorld, type World, within } from "./world.ts";

const titles = async (list: Promise<{ documents: { title: string }[] }>) =>
  (await list).documents.map(({ title }) => title);
const anywhere = (world: World) => ({ parent: at(world.workspaceId), anywhere: true });

describe("DocumentService", () => {
  it("makes a document of an upload, named after its file unless told otherwise", async () => {
    await using world = await startWorld();
    const ann = await world.person("member");
    const uploadId = world.blobs.upload(ann, world.workspaceId, "Q3/report.pdf", "hello");
    const request = { parent: at(world.workspaceId), uploadId, tags: ["Finance", " finance ", "2026"], label: "draft" };
    const { document } = await world.documents.createDocument(request, ann.as);
    expect(document).toMatchObject({
      title: "Q3-report.pdf",
      tags: ["Finance", "2026"],
      createdBy: { actor: { case: "personId", value: ann.id } },
      version: { number: 1, label: "draft", size: 5n, mediaType: "application/pdf", fileName: "Q3/report.pdf" },
    });
    const got = await world.documents.getDocument({ documentId: document?.id ?? "" }, ann.as);
    expect(got.document).toMatchObject({ id: document?.id, access: 4, version: { number: 1 } });
    await eventually(() => {
      expect([...world.blobs.references.values()].map(({ state }) => state)).toEqual([BlobReferenceState.CONFIRMED]);
    });
  });

  it("says why an upload cannot become a document", async () => {
    await using world = await startWorld();
    const [ann, ben] = [await world.person("member"), await world.person("member")];
    const make = (uploadId: string, who: Somebody) =>
      reasonOf(world.documents.createDocument({ parent: at(world.workspaceId), uploadId }, who.as));
    const uploadId = world.blobs.upload(ann, world.workspaceId);
    expect(await make(uploadId, ben)).toBe("NOT_FOUND");
    expect(await make(newId(), ann)).toBe("NOT_FOUND");
    expect(await make(world.blobs.upload(ann, newId()), ann)).toBe("UPLOAD_NOT_READY");
    const upload = world.blobs.uploads.get(uploadId);
    if (upload !== undefined) upload.stored = false;
    expect(await make(uploadId, ann)).toBe("UPLOAD_NOT_READY");
    if (upload !== undefined) upload.stored = true;
    expect(await make(uploadId, ann)).toBe("OK");
    expect(await make(uploadId, ann)).toBe("UPLOAD_CONSUMED");
  });

  it("makes one document of an upload, however many ask at once", async () => {
    await using world = await startWorld();
    const ann = await world.person("member");
    const uploadId = world.blobs.upload(ann, world.workspaceId);
    const make = () => world.documents.createDocument({ parent: at(world.workspaceId), uploadId, title: "A" }, ann.as);
    const reasons = await Promise.all([1, 2, 3].map(() => reasonOf(make())));
    expect(reasons.sort()).toEqual(["OK", "UPLOAD_CONSUMED", "UPLOAD_CONSUMED"]);
    expect(await titles(world.documents.listDocuments(anywhere(world), ann.as))).toEqual(["A"]);
  });

  it("gives the first answer to a repeated request_id, although the upload is consumed by then", async () => {
    await using world = await startWorld();
    const ann = await world.person("member");
    const uploadId = world.blobs.upload(ann, world.workspaceId);
    const request = { parent: at(world.workspaceId), uploadId, title: "Once", requestId: newId() };
    const [first, second] = await Promise.all([
      world.documents.createDocument(request, ann.as),
      world.documents.createDocument(request, ann.as),
    ]);
    expect(second.document?.id).toBe(first.document?.id);
    await eventually(() =>
      [...world.blobs.references.values()].some((known) => known.state === BlobReferenceState.CONFIRMED),
    );
    const third = await world.documents.createDocument(request, ann.as);
    expect(third.document?.id).toBe(first.document?.id);
    const other = world.documents.createDocument({ ...request, title: "Twice" }, ann.as);
    expect(await reasonOf(other)).toBe("REQUEST_ID_REUSED");
    expect(await titles(world.documents.listDocuments(anywhere(world), ann.as))).toEqual(["Once"]);
  });

  it("makes nothing in a folder that lies in the trash, but gives a replay its first answer", async () => {
    await using world = await startWorld();
    const ann = await world.person("member");
    const parent = within(await world.folder(ann, "Folder"));
    const request = { parent, uploadId: world.blobs.upload(ann, world.workspaceId), requestId: newId() };
    const first = await world.documents.createDocument(request, ann.as);
    await world.folders.deleteFolder({ folderId: parent.value }, ann.as);
    const again = await world.documents.createDocument(request, ann.as);
    expect(again.document?.id).toBe(first.document?.id);
    const uploadId = world.blobs.upload(ann, world.workspaceId);
    expect(await reasonOf(world.documents.createDocument({ parent, uploadId }, ann.as))).toBe("TRASHED");
    const documentId = await world.document(ann, "Elsewhere");
    const target = { case: "targetFolderId" as const, value: parent.value };
    expect(await reasonOf(world.documents.moveDocument({ documentId, target }, ann.as))).toBe("TRASHED");
  });

  it("lists a folder, the root, and everywhere, by title or by the last change, page by page", async () => {
    await using world = await startWorld();
    const ann = await world.person("member");
    const folderId = await world.folder(ann, "Folder");
    const c = await world.document(ann, "c");
    await world.document(ann, "A");
    await world.document(ann, "b", { folderId });
    await world.documents.updateDocument({ documentId: c, tags: ["x"], updateMask: { paths: ["tags"] } }, ann.as);

    expect(await titles(world.documents.listDocuments({ parent: at(world.workspaceId) }, ann.as))).toEqual(["A", "c"]);
    expect(await titles(world.documents.listDocuments({ parent: within(folderId) }, ann.as))).toEqual(["b"]);
    expect(
      await titles(world.documents.listDocuments({ ...anywhere(world), order: DocumentOrder.NEWEST }, ann.as)),
    ).toEqual(["c", "b", "A"]);

    const seen: string[] = [];
    let pageToken = "";
    do {
      const page = await world.documents.listDocuments({ ...anywhere(world), pageSize: 1, pageToken }, ann.as);
      seen.push(...page.documents.map(({ title }) => title));
      pageToken = page.nextPageToken;
    } while (pageToken !== "");
    expect(seen).toEqual(["A", "b", "c"]);
    expect(await reasonOf(world.documents.listDocuments({ parent: within(folderId), anywhere: true }, ann.as))).toBe(
      "INVALID_ARGUMENT",
    );
  });

  it("lists in every order, of one kind or of all, and follows new versions", async () => {
    await using world = await startWorld();
    const [ann, guest] = [await world.person("member"), await world.person("guest")];
    const folderId = await world.folder(ann, "Folder");
    const a = await world.document(ann, "a", { content: "four", tags: ["x"] });
    await world.document(ann, "B", { content: "seventh", folderId, tags: ["x"] });
    const c = await world.document(ann, "c", { content: "1" });
    const principal = { principal: { case: "personId" as const, value: guest.id } };
    await world.grants.setGrant({ resource: { case: "folderId", value: folderId }, principal, level: 1 }, ann.as);
    for (const id of [a, c]) {
      await world.grants.setGrant({ resource: { case: "documentId", value: id }, principal, level: 1 }, ann.as);
    }
    const list = async (who: Somebody, order: DocumentOrder, more: object = {}) => {
      const seen: string[] = [];
      let pageToken = "";
      do {
        const request = { ...anywhere(world), order, ...more, pageSize: 1, pageToken };
        const page = await world.documents.listDocuments(request, who.as);
        seen.push(...page.documents.map(({ title }) => title));
        pageToken = page.nextPageToken;
      } while (pageToken !== "");
      return seen.join(" ");
    };
    for (const who of [ann, guest]) {
      expect(await list(who, DocumentOrder.TITLE_DESCENDING)).toBe("c B a");
      expect(await list(who, DocumentOrder.OLDEST)).toBe("a B c");
      expect(await list(who, DocumentOrder.NEWEST)).toBe("c B a");
      expect(await list(who, DocumentOrder.LARGEST)).toBe("B a c");
      expect(await list(who, DocumentOrder.SMALLEST)).toBe("c a B");
      expect(await list(who, DocumentOrder.LARGEST, { tag: "x" })).toBe("B a");
      expect(await list(who, DocumentOrder.LARGEST, { kind: DocumentKind.PDF })).toBe("B a c");
      expect(await list(who, DocumentOrder.TITLE, { kind: DocumentKind.IMAGE })).toBe("");
    }
    const uploadId = world.blobs.upload(ann, world.workspaceId, "photo.png", "more than seven", "image/png");
    await world.versions.createVersion({ documentId: a, uploadId }, ann.as);
    for (const who of [ann, guest]) {
      expect(await list(who, DocumentOrder.LARGEST)).toBe("a B c");
      expect(await list(who, DocumentOrder.TITLE, { kind: DocumentKind.IMAGE })).toBe("a");
      expect(await list(who, DocumentOrder.TITLE, { kind: DocumentKind.PDF, tag: "x" })).toBe("B");
      expect(
        await list(who, DocumentOrder.TITLE, { kind: DocumentKind.PDF, parent: within(folderId), anywhere: false }),
      ).toBe("B");
    }
    const { document } = await world.documents.getDocument({ documentId: a }, ann.as);
    expect(document?.kind).toBe(DocumentKind.IMAGE);
    await world.versions.restoreVersion({ documentId: a, number: 1 }, ann.as);
    expect(await list(ann, DocumentOrder.SMALLEST, { kind: DocumentKind.PDF })).toBe("c a B");
  });

  it("lists by tag whatever the case, and follows renames, moves and new tags", async () => {
    await using world = await startWorld();
    const ann = await world.person("member");
    const documentId = await world.document(ann, "One", { tags: ["Legal"] });
    await world.document(ann, "Two", { tags: ["legal", "old"] });
    const tagged = (tag: string) =>
      titles(world.documents.listDocuments({ parent: at(world.workspaceId), tag }, ann.as));
    expect(await tagged("LEGAL")).toEqual(["One", "Two"]);
    const folderId = await world.folder(ann, "Folder");
    await world.documents.moveDocument({ documentId, target: { case: "targetFolderId", value: folderId } }, ann.as);
    await world.documents.updateDocument({ documentId, title: "Zwei", updateMask: { paths: ["title"] } }, ann.as);
    expect(await tagged("legal")).toEqual(["Two", "Zwei"]);
    await world.documents.updateDocument({ documentId, tags: [], updateMask: { paths: ["tags"] } }, ann.as);
    expect(await tagged("legal")).toEqual(["Two"]);
  });

  it("lists tags with their documents, page by page, to each what they may see", async () => {
    await using world = await startWorld();
    const [ann, guest] = [await world.person("member"), await world.person("guest")];
    const shared = await world.folder(ann, "Shared");
    const below = await world.folder(ann, "Below", shared);
    const list = async (who: Somebody, prefix?: string) => {
      const seen: string[] = [];
      let pageToken = "";
      do {
        const request = { workspaceId: world.workspaceId, pageSize: 1, pageToken, ...(prefix && { prefix }) };
        const page = await world.documents.listTags(request, who.as);
        seen.push(...page.tags.map(({ name, documentCount }) => `${name} ${documentCount}`));
        pageToken = page.nextPageToken;
      } while (pageToken !== "");
      return seen.join(", ");
    };
    const hidden = await world.document(ann, "Hidden", { tags: ["Secret", "legal"] });
    const single = await world.document(ann, "Single", { tags: ["LEGAL"] });
    const inside = await world.document(ann, "Inside", { folderId: below, tags: ["legal", "Übersee", "lead"] });
    const principal = { principal: { case: "personId" as const, value: guest.id } };
    await world.grants.setGrant({ resource: { case: "folderId", value: shared }, principal, level: 1 }, ann.as);
    for (const id of [single, inside]) {
      await world.grants.setGrant({ resource: { case: "documentId", value: id }, principal, level: 1 }, ann.as);
    }
    expect(await list(ann)).toBe("lead 1, legal 3, Secret 1, Übersee 1");
    expect(await list(guest)).toBe("lead 1, legal 2, Übersee 1");
    expect(await list(guest, "LE")).toBe("lead 1, legal 2");
    expect(await list(ann, "s")).toBe("Secret 1");
    expect(await list(await world.person("guest"))).toBe("");
    expect(
      await reasonOf(world.documents.listTags({ workspaceId: world.workspaceId }, (await world.person()).as)),
    ).toBe("NOT_FOUND");

    await world.folders.deleteFolder({ folderId: shared }, ann.as);
    for (const who of [ann, guest]) expect(await list(who, "le")).toBe(who === ann ? "legal 2" : "legal 1");
    await world.folders.undeleteFolder({ folderId: shared }, ann.as);
    expect(await list(guest)).toBe("lead 1, legal 2, Übersee 1");
    const updateMask = { paths: ["tags"] };
    await world.documents.updateDocument({ documentId: inside, tags: ["new"], updateMask }, ann.as);
    expect(await list(ann)).toBe("legal 2, new 1, Secret 1");
    await world.documents.deleteDocument({ documentId: hidden }, ann.as);
    await world.documents.purgeDocument({ documentId: hidden }, ann.as);
    await eventually(
      async () => (await reasonOf(world.documents.getDocument({ documentId: hidden }, ann.as))) === "NOT_FOUND",
    );
    expect(await list(ann)).toBe("legal 1, new 1");
  });

  it("refuses changes with an etag that is out of date", async () => {
    await using world = await startWorld();
    const ann = await world.person("member");
    const documentId = await world.document(ann, "Title");
    const { document } = await world.documents.getDocument({ documentId }, ann.as);
    const etag = document?.etag ?? "";
    const rename = (title: string) =>
      world.documents.updateDocument({ documentId, title, etag, updateMask: { paths: ["title"] } }, ann.as);
    await rename("Other");
    expect(await reasonOf(rename("Third"))).toBe("ETAG_MISMATCH");
    expect(await reasonOf(world.documents.deleteDocument({ documentId, etag }, ann.as))).toBe("ETAG_MISMATCH");
    const folderId = await world.folder(ann, "Folder");
    const target = { case: "targetFolderId" as const, value: folderId };
    expect(await reasonOf(world.documents.moveDocument({ documentId, etag, target }, ann.as))).toBe("ETAG_MISMATCH");
  });

  it("refuses titles that would deceive, and tags that are too many", async () => {
    await using world = await startWorld();
    const ann = await world.person("member");
    const documentId = await world.document(ann, "Title");
    const rename = (title: string) =>
      reasonOf(world.documents.updateDocument({ documentId, title, updateMask: { paths: ["title"] } }, ann.as));
    for (const title of ["", " ", "..", "../x", "a\\b", "a\u0000b", "a\u202eb", "x".repeat(256)]) {
      expect(await rename(title)).toBe("INVALID_ARGUMENT");
    }
    const tags = Array.from({ length: 21 }, (_, index) => `t${index}`);
    const tagged = world.documents.updateDocument({ documentId, tags, updateMask: { paths: ["tags"] } }, ann.as);
    expect(await reasonOf(tagged)).toBe("INVALID_ARGUMENT");
  });

  it("puts into the trash, takes back, and changes nothing meanwhile", async () => {
    await using world = await startWorld();
    const ann = await world.person("member");
    const documentId = await world.document(ann, "Title", { tags: ["t"] });
    await world.documents.deleteDocument({ documentId }, ann.as);
    expect((await world.documents.deleteDocument({ documentId }, ann.as)).document?.trashTime).toBeDefined();
    expect(await titles(world.documents.listDocuments(anywhere(world), ann.as))).toEqual([]);
    expect(await titles(world.documents.listDocuments({ parent: at(world.workspaceId), tag: "t" }, ann.as))).toEqual(
      [],
    );
    expect(
      await titles(world.documents.searchDocuments({ workspaceId: world.workspaceId, query: "title" }, ann.as)),
    ).toEqual([]);
    expect(
      await titles(world.documents.listDocuments({ parent: at(world.workspaceId), trashed: true }, ann.as)),
    ).toEqual(["Title"]);
    const rename = world.documents.updateDocument({ documentId, title: "x", updateMask: { paths: ["title"] } }, ann.as);
    expect(await reasonOf(rename)).toBe("TRASHED");
    await world.documents.undeleteDocument({ documentId }, ann.as);
    expect(await titles(world.documents.listDocuments({ parent: at(world.workspaceId), tag: "t" }, ann.as))).toEqual([
      "Title",
    ]);
  });

  it("purges what lies in the trash, and gives up its contents even if storage is away at first", async () => {
    await using world = await startWorld();
    const ann = await world.person("member");
    const documentId = await world.document(ann, "Title");
    expect(await reasonOf(world.documents.purgeDocument({ documentId }, ann.as))).toBe("NOT_TRASHED");
    await world.documents.deleteDocument({ documentId }, ann.as);
    world.blobs.failNext = "releaseReferences";
    await world.documents.purgeDocument({ documentId }, ann.as);
    await eventually(async () => (await reasonOf(world.documents.getDocument({ documentId }, ann.as))) === "NOT_FOUND");
    await eventually(() => world.blobs.references.size === 0);
  });

  it("lets only owners purge", async () => {
    await using world = await startWorld();
    const [ann, ben, admin] = [await world.person("member"), await world.person("member"), await world.person("admin")];
    const documentId = await world.document(ann, "Title");
    await world.documents.deleteDocument({ documentId }, ben.as);
    expect(await reasonOf(world.documents.purgeDocument({ documentId }, ben.as))).toBe("PERMISSION_DENIED");
    expect(await reasonOf(world.documents.purgeDocument({ documentId }, admin.as))).toBe("OK");
  });

  it("finds by beginnings of words of title and tags, without regard to case, accents and width", async () => {
    await using world = await startWorld();
    const ann = await world.person("member");
    await world.document(ann, "Übersicht Quartal_3", { tags: ["Finanzen"] });
    await world.document(ann, "年度报告", {});
    const find = (query: string) =>
      titles(world.documents.searchDocuments({ workspaceId: world.workspaceId, query }, ann.as));
    for (const query of ["uber", "ÜBERSICHT", "quar fin", "3 übers", "ｑｕａｒｔａｌ"]) {
      expect(await find(query)).toEqual(["Übersicht Quartal_3"]);
    }
    expect(await find("报告")).toEqual(["年度报告"]);
    expect(await find("sicht")).toEqual([]);
    expect(await find("quartal 4")).toEqual([]);
    expect(await find("!?")).toEqual([]);
  });

  it("shows a guest only what is granted, in lists, in the trash and in searches, and pages through it", async () => {
    await using world = await startWorld();
    const [ann, guest] = [await world.person("member"), await world.person("guest")];
    const shared = await world.folder(ann, "Shared");
    const below = await world.folder(ann, "Below", shared);
    await world.document(ann, "Plan hidden");
    const single = await world.document(ann, "Plan single", { tags: ["t"] });
    await world.document(ann, "Plan below", { folderId: below, tags: ["t"] });
    await world.document(ann, "Plan shared", { folderId: shared });
    const principal = { principal: { case: "personId" as const, value: guest.id } };
    await world.grants.setGrant({ resource: { case: "folderId", value: shared }, principal, level: 1 }, ann.as);
    await world.grants.setGrant({ resource: { case: "documentId", value: single }, principal, level: 1 }, ann.as);

    const seen: string[] = [];
    let pageToken = "";
    do {
      const page = await world.documents.listDocuments({ ...anywhere(world), pageSize: 2, pageToken }, guest.as);
      seen.push(...page.documents.map(({ title }) => title));
      pageToken = page.nextPageToken;
    } while (pageToken !== "");
    expect(seen).toEqual(["Plan below", "Plan shared", "Plan single"]);
    expect(await titles(world.documents.listDocuments({ parent: at(world.workspaceId) }, guest.as))).toEqual([
      "Plan single",
    ]);
    expect(await titles(world.documents.listDocuments({ parent: at(world.workspaceId), tag: "t" }, guest.as))).toEqual([
      "Plan below",
      "Plan single",
    ]);
    const found = world.documents.searchDocuments({ workspaceId: world.workspaceId, query: "plan" }, guest.as);
    expect((await titles(found)).sort()).toEqual(["Plan below", "Plan shared", "Plan single"]);
    const { folders } = await world.folders.listFolders({ parent: at(world.workspaceId) }, guest.as);
    expect(folders.map(({ name }) => name)).toEqual(["Shared"]);

    await world.documents.deleteDocument({ documentId: single }, ann.as);
    expect(
      await titles(world.documents.listDocuments({ parent: at(world.workspaceId), trashed: true }, guest.as)),
    ).toEqual(["Plan single"]);
    expect(await reasonOf(world.documents.listDocuments({ parent: within(newId()) }, guest.as))).toBe("NOT_FOUND");
  });

  it("limits a key to its scopes", async () => {
    await using world = await startWorld();
    const ann = await world.person("member");
    const documentId = await world.document(ann, "Title");
    const reader = await world.application("member", [Permission.DOCUMENT_VIEW]);
    expect(await reasonOf(world.documents.getDocument({ documentId }, reader.as))).toBe("OK");
    expect(await reasonOf(world.documents.listDocuments(anywhere(world), reader.as))).toBe("OK");
    expect(await reasonOf(world.documents.deleteDocument({ documentId }, reader.as))).toBe("KEY_SCOPE_MISSING");
  });
});
