import { OperationState } from "@docket/contracts/gen/docket/document/v1/operation_pb.ts";
import { OperationService } from "@docket/contracts/gen/docket/document/v1/operation_service_pb.ts";
import { newId } from "@docket/runtime/ids";
import { eventually } from "@docket/runtime/testing/eventually";
import { describe, expect, it } from "@jest/globals";
import { at, metadataOf, reasonOf, startWorld, within } from "./world.ts";

const into = (folderId: string) => ({ case: "targetFolderId" as const, value: folderId });
const toRoot = (workspaceId: string) => ({ case: "targetWorkspaceId" as const, value: workspaceId });

describe("FolderService", () => {
  it("keeps a tree, and shows the way to each folder and what one may do there", async () => {
    await using world = await startWorld();
    const ann = await world.person("member");
    const top = await world.folder(ann, "Contracts");
    const below = await world.folder(ann, "2026", top);
    const { folder } = await world.folders.getFolder({ folderId: below }, ann.as);
    expect(folder).toMatchObject({ name: "2026", parentId: top, access: 4 });
    expect(folder?.path.map(({ name }) => name)).toEqual(["Contracts"]);
  });

  it("lists children by name in pages", async () => {
    await using world = await startWorld();
    const ann = await world.person("member");
    for (const name of ["b", "C", "a", "d"]) await world.folder(ann, name);
    const first = await world.folders.listFolders({ parent: at(world.workspaceId), pageSize: 3 }, ann.as);
    expect(first.folders.map(({ name }) => name)).toEqual(["a", "b", "C"]);
    const second = await world.folders.listFolders(
      { parent: at(world.workspaceId), pageSize: 3, pageToken: first.nextPageToken },
      ann.as,
    );
    expect(second.folders.map(({ name }) => name)).toEqual(["d"]);
    expect(second.nextPageToken).toBe("");
    const wrong = world.folders.listFolders({ parent: at(world.workspaceId), pageToken: "bm9uc2Vuc2U" }, ann.as);
    expect(await reasonOf(wrong)).toBe("PAGE_TOKEN_INVALID");
  });

  it("renames with an etag, and refuses one that is out of date", async () => {
    await using world = await startWorld();
    const ann = await world.person("member");
    const folderId = await world.folder(ann, "Old");
    const { folder } = await world.folders.getFolder({ folderId }, ann.as);
    const etag = folder?.etag ?? "";
    const change = { folderId, name: "New", updateMask: { paths: ["name"] }, etag };
    expect((await world.folders.updateFolder(change, ann.as)).folder?.name).toBe("New");
    expect(await reasonOf(world.folders.updateFolder({ ...change, name: "Newer" }, ann.as))).toBe("ETAG_MISMATCH");
    expect(
      await reasonOf(world.folders.updateFolder({ folderId, name: "a/b", updateMask: { paths: ["name"] } }, ann.as)),
    ).toBe("INVALID_ARGUMENT");
    expect(
      await reasonOf(world.folders.updateFolder({ folderId, name: "", updateMask: { paths: ["name"] } }, ann.as)),
    ).toBe("INVALID_ARGUMENT");
  });

  it("gives the first answer to a repeated request_id, and refuses it for another request", async () => {
    await using world = await startWorld();
    const ann = await world.person("member");
    const request = { parent: at(world.workspaceId), name: "Once", requestId: newId() };
    const first = await world.folders.createFolder(request, ann.as);
    const again = await world.folders.createFolder(request, ann.as);
    expect(again.folder?.id).toBe(first.folder?.id);
    const other = world.folders.createFolder({ ...request, name: "Twice" }, ann.as);
    expect(await reasonOf(other)).toBe("REQUEST_ID_REUSED");
    const { folders } = await world.folders.listFolders({ parent: at(world.workspaceId) }, ann.as);
    expect(folders).toHaveLength(1);
  });

  it("moves a folder with everything below it", async () => {
    await using world = await startWorld();
    const ann = await world.person("member");
    const a = await world.folder(ann, "a");
    const b = await world.folder(ann, "b", a);
    const c = await world.folder(ann, "c", b);
    const d = await world.folder(ann, "d");
    await world.folders.moveFolder({ folderId: b, target: into(d) }, ann.as);
    const { folder } = await world.folders.getFolder({ folderId: c }, ann.as);
    expect(folder?.path.map(({ name }) => name)).toEqual(["d", "b"]);
    await world.folders.moveFolder({ folderId: b, target: toRoot(world.workspaceId) }, ann.as);
    const moved = await world.folders.getFolder({ folderId: c }, ann.as);
    expect(moved.folder?.path.map(({ name }) => name)).toEqual(["b"]);
  });

  it("refuses a move into itself, below itself, too deep, or to another workspace", async () => {
    await using world = await startWorld();
    const ann = await world.person("member");
    const a = await world.folder(ann, "a");
    const b = await world.folder(ann, "b", a);
    expect(await reasonOf(world.folders.moveFolder({ folderId: a, target: into(a) }, ann.as))).toBe("FOLDER_CYCLE");
    expect(await metadataOf(world.folders.moveFolder({ folderId: a, target: into(b) }, ann.as))).toEqual({
      folder_id: a,
    });

    let deep = b;
    for (let depth = 3; depth <= 32; depth++) deep = await world.folder(ann, `level ${depth}`, deep);
    const tooDeep = world.folders.createFolder({ parent: within(deep), name: "33" }, ann.as);
    expect(await reasonOf(tooDeep)).toBe("FOLDER_TOO_DEEP");
    const lone = await world.folder(ann, "lone");
    expect(await reasonOf(world.folders.moveFolder({ folderId: lone, target: into(deep) }, ann.as))).toBe(
      "FOLDER_TOO_DEEP",
    );

    const elsewhere = newId();
    world.users.join(ann, elsewhere);
    const away = world.folders.moveFolder({ folderId: a, target: toRoot(elsewhere) }, ann.as);
    expect(await reasonOf(away)).toBe("OTHER_WORKSPACE");
  });

  it("makes no cycle when two folders move into each other at once", async () => {
    await using world = await startWorld();
    const ann = await world.person("member");
    for (let round = 0; round < 5; round++) {
      const a = await world.folder(ann, `a${round}`);
      const b = await world.folder(ann, `b${round}`);
      const reasons = await Promise.all([
        reasonOf(world.folders.moveFolder({ folderId: a, target: into(b) }, ann.as)),
        reasonOf(world.folders.moveFolder({ folderId: b, target: into(a) }, ann.as)),
      ]);
      expect(reasons.sort()).toEqual(["FOLDER_CYCLE", "OK"]);
    }
  });

  it("takes to the trash what lies in a folder, and brings back that and no more", async () => {
    await using world = await startWorld();
    const ann = await world.person("member");
    const folderId = await world.folder(ann, "Project");
    const below = await world.folder(ann, "Drafts", folderId);
    const stays = await world.document(ann, "Kept", { folderId: below });
    const goneBefore = await world.document(ann, "Gone before", { folderId });
    await world.documents.deleteDocument({ documentId: goneBefore }, ann.as);

    await world.folders.deleteFolder({ folderId }, ann.as);
    const trashed = await world.documents.getDocument({ documentId: stays }, ann.as);
    expect(trashed.document?.trashTime).toBeDefined();
    const listed = await world.folders.listFolders({ parent: at(world.workspaceId), trashed: true }, ann.as);
    expect(listed.folders.map(({ name }) => name)).toEqual(["Project"]);
    expect((await world.folders.listFolders({ parent: within(folderId) }, ann.as)).folders).toHaveLength(1);
    expect((await world.documents.listDocuments({ parent: within(below) }, ann.as)).documents).toHaveLength(1);
    expect(await reasonOf(world.folders.createFolder({ parent: within(folderId), name: "x" }, ann.as))).toBe("TRASHED");
    expect(await reasonOf(world.folders.undeleteFolder({ folderId: below }, ann.as))).toBe("TRASHED");

    await world.folders.undeleteFolder({ folderId }, ann.as);
    const { documents } = await world.documents.listDocuments(
      { parent: at(world.workspaceId), anywhere: true },
      ann.as,
    );
    expect(documents.map(({ title }) => title)).toEqual(["Kept"]);
  });

  it("purges a folder with everything in it, and gives up the contents", async () => {
    await using world = await startWorld();
    const ann = await world.person("member");
    const folderId = await world.folder(ann, "Project");
    const documentId = await world.document(ann, "Plan", { folderId });
    expect(await reasonOf(world.folders.purgeFolder({ folderId }, ann.as))).toBe("NOT_TRASHED");
    await world.folders.deleteFolder({ folderId }, ann.as);
    const { operation } = await world.folders.purgeFolder({ folderId }, ann.as);
    const operations = world.client(OperationService);
    await eventually(async () => {
      const { operation: now } = await operations.getOperation({ operationId: operation?.id ?? "" }, ann.as);
      expect(now).toMatchObject({ state: OperationState.SUCCEEDED, doneCount: 1n, totalCount: 1n });
    });
    expect(await reasonOf(world.folders.getFolder({ folderId }, ann.as))).toBe("NOT_FOUND");
    expect(await reasonOf(world.documents.getDocument({ documentId }, ann.as))).toBe("NOT_FOUND");
    await eventually(() => world.blobs.references.size === 0);
  });

  it("hides folders from strangers, and from guests without a grant", async () => {
    await using world = await startWorld();
    const [ann, guest, stranger] = [await world.person("member"), await world.person("guest"), await world.person()];
    const folderId = await world.folder(ann, "Secret");
    expect(await reasonOf(world.folders.getFolder({ folderId }, guest.as))).toBe("NOT_FOUND");
    expect(await reasonOf(world.folders.getFolder({ folderId }, stranger.as))).toBe("NOT_FOUND");
    expect(await reasonOf(world.folders.listFolders({ parent: at(world.workspaceId) }, stranger.as))).toBe("NOT_FOUND");
    expect((await world.folders.listFolders({ parent: at(world.workspaceId) }, guest.as)).folders).toEqual([]);
    const made = world.folders.createFolder({ parent: at(world.workspaceId), name: "x" }, guest.as);
    expect(await reasonOf(made)).toBe("PERMISSION_DENIED");
  });
});
