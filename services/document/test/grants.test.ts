import { AccessLayerKind, GrantLevel } from "@docket/contracts/gen/docket/document/v1/grant_pb.ts";
import { Permission } from "@docket/contracts/gen/docket/policy/v1/policy_pb.ts";
import { openDatabase } from "@docket/runtime/db/database";
import { newId } from "@docket/runtime/ids";
import { eventually } from "@docket/runtime/testing/eventually";
import { temporaryFolder } from "@docket/runtime/testing/temporary_folder";
import { testDatabaseUrl } from "@docket/runtime/testing/test_parts";
import { describe, expect, it } from "@jest/globals";
import { entities } from "../store/entities.ts";
import { migrations } from "../store/migrations/index.ts";
import { at, reasonOf, type Somebody, startWorld } from "./world.ts";

const person = (who: Somebody) => ({ principal: { case: "personId" as const, value: who.id } });
const group = (id: string) => ({ principal: { case: "groupId" as const, value: id } });
const everybody = { principal: { case: "members" as const, value: true } };
const onFolder = (value: string) => ({ case: "folderId" as const, value });
const onDocument = (value: string) => ({ case: "documentId" as const, value });
const onRoot = (value: string) => ({ case: "workspaceId" as const, value });
const { VIEWER, COMMENTER, EDITOR, OWNER } = GrantLevel;

describe("GrantService", () => {
  it("lets access to a folder hold for everything below, until it is revoked or moved away", async () => {
    await using world = await startWorld();
    const [ann, guest] = [await world.person("member"), await world.person("guest")];
    const shared = await world.folder(ann, "Shared");
    const below = await world.folder(ann, "Below", shared);
    const documentId = await world.document(ann, "Title", { folderId: below });
    const get = () => reasonOf(world.documents.getDocument({ documentId }, guest.as));
    expect(await get()).toBe("NOT_FOUND");
    await world.grants.setGrant({ resource: onFolder(shared), principal: person(guest), level: VIEWER }, ann.as);
    expect(await get()).toBe("OK");
    expect(await reasonOf(world.documents.deleteDocument({ documentId }, guest.as))).toBe("PERMISSION_DENIED");
    await world.grants.setGrant({ resource: onFolder(shared), principal: person(guest), level: EDITOR }, ann.as);
    const rename = { documentId, title: "Guest's", updateMask: { paths: ["title"] } };
    expect(await reasonOf(world.documents.updateDocument(rename, guest.as))).toBe("OK");
    const target = { case: "targetWorkspaceId" as const, value: world.workspaceId };
    await world.folders.moveFolder({ folderId: below, target }, ann.as);
    expect(await get()).toBe("NOT_FOUND");
    await world.folders.moveFolder({ folderId: below, target: { case: "targetFolderId", value: shared } }, ann.as);
    expect(await get()).toBe("OK");
    await world.grants.revokeGrant({ resource: onFolder(shared), principal: person(guest) }, ann.as);
    expect(await get()).toBe("NOT_FOUND");
    expect(
      await reasonOf(world.grants.revokeGrant({ resource: onFolder(shared), principal: person(guest) }, ann.as)),
    ).toBe("OK");
  });

  it("lets nobody become an owner by a move into a folder of their own", async () => {
    await using world = await startWorld();
    const [ann, ben] = [await world.person("member"), await world.person("member")];
    const documentId = await world.document(ann, "Ann's");
    const folderId = await world.folder(ann, "Ann's");
    const own = { case: "targetFolderId" as const, value: await world.folder(ben, "Ben's") };
    expect(await reasonOf(world.documents.moveDocument({ documentId, target: own }, ben.as))).toBe("PERMISSION_DENIED");
    expect(await reasonOf(world.folders.moveFolder({ folderId, target: own }, ben.as))).toBe("PERMISSION_DENIED");
    expect(await reasonOf(world.documents.moveDocument({ documentId, target: own }, ann.as))).toBe("OK");
    const { document } = await world.documents.getDocument({ documentId }, ben.as);
    expect(document?.access).toBe(OWNER);
  });

  it("reaches people through groups", async () => {
    await using world = await startWorld();
    const [ann, guest] = [await world.person("member"), await world.person("guest")];
    const groupId = world.users.group(world.workspaceId, guest);
    const documentId = await world.document(ann, "Title");
    await world.grants.setGrant(
      { resource: onDocument(documentId), principal: group(groupId), level: COMMENTER },
      ann.as,
    );
    const { document } = await world.documents.getDocument({ documentId }, guest.as);
    expect(document?.access).toBe(COMMENTER);
    const { documents } = await world.documents.listDocuments({ parent: at(world.workspaceId) }, guest.as);
    expect(documents.map(({ id }) => id)).toEqual([documentId]);
    world.users.tell({ case: "groupDeleted", value: { workspaceId: world.workspaceId, groupId } });
    await eventually(
      async () => (await world.grants.listGrants({ resource: onDocument(documentId) }, ann.as)).grants.length === 1,
    );
    expect(await reasonOf(world.documents.getDocument({ documentId }, guest.as))).toBe("NOT_FOUND");
  });

  it("begins with members as editors of everything, which owners can lower, take away and give back", async () => {
    await using world = await startWorld();
    const [owner, ben] = [await world.person("owner"), await world.person("member")];
    const documentId = await world.document(owner, "Title");
    const resource = onRoot(world.workspaceId);
    const accessOfBen = async () => (await world.documents.getDocument({ documentId }, ben.as)).document?.access;
    const begun = await world.grants.listGrants({ resource }, owner.as);
    expect(begun.grants).toMatchObject([{ level: EDITOR, principal: everybody, resource }]);
    expect(begun.grants[0]?.updateTime).toBeUndefined();
    expect(await accessOfBen()).toBe(EDITOR);

    await world.grants.setGrant({ resource, principal: everybody, level: VIEWER }, owner.as);
    expect(await accessOfBen()).toBe(VIEWER);
    await world.grants.revokeGrant({ resource, principal: everybody }, owner.as);
    expect(await reasonOf(world.documents.getDocument({ documentId }, ben.as))).toBe("NOT_FOUND");
    expect((await world.grants.listGrants({ resource }, owner.as)).grants).toMatchObject([{ level: 0 }]);
    expect(await reasonOf(world.documents.getDocument({ documentId }, owner.as))).toBe("OK");
    await world.grants.setGrant({ resource, principal: everybody, level: EDITOR }, owner.as);
    expect(await accessOfBen()).toBe(EDITOR);
    expect(await reasonOf(world.grants.setGrant({ resource, principal: everybody, level: OWNER }, ben.as))).toBe(
      "PERMISSION_DENIED",
    );
  });

  it("refuses principals that are not of the workspace, and changes in the trash", async () => {
    await using world = await startWorld();
    const [ann, stranger] = [await world.person("member"), await world.person()];
    const documentId = await world.document(ann, "Title");
    const resource = onDocument(documentId);
    const set = { resource, principal: person(stranger), level: VIEWER };
    expect(await reasonOf(world.grants.setGrant(set, ann.as))).toBe("PRINCIPAL_UNKNOWN");
    expect(await reasonOf(world.grants.setGrant({ ...set, principal: group(newId()) }, ann.as))).toBe(
      "PRINCIPAL_UNKNOWN",
    );
    expect(await reasonOf(world.grants.setGrant({ resource, level: VIEWER }, ann.as))).toBe("INVALID_ARGUMENT");
    expect(await reasonOf(world.grants.setGrant({ ...set, level: 0 }, ann.as))).toBe("INVALID_ARGUMENT");
    await world.documents.deleteDocument({ documentId }, ann.as);
    const trashed = world.grants.setGrant({ resource, principal: everybody, level: VIEWER }, ann.as);
    expect(await reasonOf(trashed)).toBe("TRASHED");
  });

  it("pages through grants", async () => {
    await using world = await startWorld();
    const ann = await world.person("member");
    const documentId = await world.document(ann, "Title");
    for (let index = 0; index < 3; index++) {
      const other = await world.person("guest");
      await world.grants.setGrant(
        { resource: onDocument(documentId), principal: person(other), level: VIEWER },
        ann.as,
      );
    }
    const first = await world.grants.listGrants({ resource: onDocument(documentId), pageSize: 3 }, ann.as);
    const rest = { resource: onDocument(documentId), pageSize: 3, pageToken: first.nextPageToken };
    const second = await world.grants.listGrants(rest, ann.as);
    expect([first.grants.length, second.grants.length]).toEqual([3, 1]);
    const wrong = world.grants.listGrants(
      { resource: onRoot(world.workspaceId), pageToken: first.nextPageToken },
      ann.as,
    );
    expect(await reasonOf(wrong)).toBe("PAGE_TOKEN_INVALID");
  });

  it("takes at most 500 grants on one resource", async () => {
    await using folder = await temporaryFolder();
    await using world = await startWorld({ folder: folder.path });
    const ann = await world.person("member");
    const resource = onDocument(await world.document(ann, "Title"));
    await using database = await openDatabase({
      url: await testDatabaseUrl(folder.path),
      migrate: true,
      name: "document",
      entities,
      migrations,
      logger: world.log.logger,
    });
    // Ann's own is the first.
    const others = Array.from({ length: 499 }, () => `group:${newId()}`);
    const row = { workspace_id: world.workspaceId, resource_id: resource.value, resource_kind: "document", level: 1 };
    const rows = others.map((principal) => ({ ...row, principal, created_by: "", updated_at: 0 }));
    await database.query.insertInto("access_grant").values(rows).execute();

    const groupId = world.users.group(world.workspaceId);
    const set = { resource, principal: group(groupId), level: VIEWER };
    expect(await reasonOf(world.grants.setGrant(set, ann.as))).toBe("LIMIT_REACHED");
    await database.query
      .deleteFrom("access_grant")
      .where("principal", "=", others[0] ?? "")
      .execute();
    expect(await reasonOf(world.grants.setGrant(set, ann.as))).toBe("OK");
    expect(await reasonOf(world.grants.setGrant({ ...set, level: EDITOR }, ann.as))).toBe("OK");
  });

  it("explains each layer: who may call, session, role, and the grant with its way", async () => {
    await using world = await startWorld();
    const [ann, guest] = [await world.person("member"), await world.person("guest")];
    const groupId = world.users.group(world.workspaceId, guest);
    const shared = await world.folder(ann, "Shared");
    const below = await world.folder(ann, "Below", shared);
    const documentId = await world.document(ann, "Title", { folderId: below });
    await world.grants.setGrant({ resource: onFolder(shared), principal: group(groupId), level: COMMENTER }, ann.as);

    const explained = await world.grants.explainAccess(
      { resource: onDocument(documentId), permission: Permission.DOCUMENT_EDIT },
      guest.as,
    );
    expect(explained).toMatchObject({ allowed: false, level: COMMENTER });
    expect(explained.layers.map(({ kind, passes }) => [kind, passes])).toEqual([
      [AccessLayerKind.MESH, true],
      [AccessLayerKind.SESSION, true],
      [AccessLayerKind.ROLE, false],
      [AccessLayerKind.GRANT, true],
    ]);
    expect(explained.layers[3]).toMatchObject({
      level: COMMENTER,
      path: { groupId, folderIds: [shared, below] },
      grant: { resource: onFolder(shared) },
    });

    const about = await world.grants.explainAccess({ resource: onDocument(documentId), personId: guest.id }, ann.as);
    expect(about).toMatchObject({ allowed: true, level: COMMENTER });
    expect(
      await reasonOf(world.grants.explainAccess({ resource: onDocument(documentId), personId: ann.id }, guest.as)),
    ).toBe("PERMISSION_DENIED");
    const mine = await world.grants.explainAccess({ resource: onRoot(world.workspaceId) }, ann.as);
    expect(mine).toMatchObject({ allowed: true, level: EDITOR });
    expect(mine.layers.at(-1)?.rule).toContain("as every workspace begins");
  });

  it("explains to a key which of its scopes are missing, and of strangers that they are no members", async () => {
    await using world = await startWorld();
    const [ann, stranger] = [await world.person("owner"), await world.person()];
    const documentId = await world.document(ann, "Title");
    const reader = await world.application("member", [Permission.DOCUMENT_VIEW]);
    const resource = onDocument(documentId);
    const edit = await world.grants.explainAccess({ resource, permission: Permission.DOCUMENT_EDIT }, reader.as);
    expect(edit).toMatchObject({ allowed: false, level: EDITOR });
    expect(edit.layers[1]).toMatchObject({ passes: false, rule: "The key lacks the scope DOCUMENT_EDIT." });
    const view = await world.grants.explainAccess({ resource }, reader.as);
    expect(view.allowed).toBe(true);
    const about = await world.grants.explainAccess({ resource, personId: stranger.id }, ann.as);
    expect(about).toMatchObject({ allowed: false, level: 0 });
    expect(about.layers[2]).toMatchObject({ passes: false, rule: "Not a member of the workspace." });
    expect(about.layers[3]?.passes).toBe(false);
  });

  it("forgets the grants of an application that is removed", async () => {
    await using world = await startWorld();
    const ann = await world.person("member");
    const application = await world.application("guest", [Permission.DOCUMENT_VIEW]);
    const resource = onDocument(await world.document(ann, "Title"));
    const principal = { principal: { case: "applicationId" as const, value: application.id } };
    await world.grants.setGrant({ resource, principal, level: VIEWER }, ann.as);
    const get = () => reasonOf(world.documents.getDocument({ documentId: resource.value }, application.as));
    expect(await get()).toBe("OK");
    const value = { applicationId: application.id, workspaceId: world.workspaceId };
    world.users.tell({ case: "applicationRemoved", value });
    await eventually(async () => (await get()) === "NOT_FOUND");
  });

  it("forgets the grants of a person who leaves, and keeps what they made", async () => {
    await using world = await startWorld();
    const [ann, ben] = [await world.person("member"), await world.person("member")];
    const documentId = await world.document(ben, "Ben's");
    world.users.leave(ben, world.workspaceId);
    await eventually(async () => (await reasonOf(world.documents.getDocument({ documentId }, ben.as))) === "NOT_FOUND");
    expect(await reasonOf(world.documents.getDocument({ documentId }, ann.as))).toBe("OK");
    await eventually(
      async () => (await world.grants.listGrants({ resource: onDocument(documentId) }, ann.as)).grants.length === 0,
    );
  });

  it("removes everything of a workspace that was deleted", async () => {
    await using world = await startWorld();
    const ann = await world.person("owner");
    const documentId = await world.document(ann, "Title", { tags: ["t"] });
    await eventually(() => world.blobs.references.size === 1);
    world.users.tell({ case: "workspaceDeleted", value: { workspaceId: world.workspaceId } });
    world.users.tell({ case: "workspaceDeleted", value: { workspaceId: world.workspaceId } });
    await eventually(() => world.blobs.references.size === 0);
    await eventually(async () => (await reasonOf(world.documents.getDocument({ documentId }, ann.as))) === "NOT_FOUND");
  });
});
