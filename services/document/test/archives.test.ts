import { ArchiveService } from "@docket/contracts/gen/docket/document/v1/archive_service_pb.ts";
import { newId } from "@docket/runtime/ids";
import { describe, expect, it } from "@jest/globals";
import { reasonOf, type Somebody, signIn, startWorld, type World } from "./world.ts";

async function startArchives() {
  const time = { now: Date.now() };
  const world = await startWorld({ clock: () => new Date(time.now) });
  return { world, time, ann: await world.person("member"), [Symbol.asyncDispose]: () => world[Symbol.asyncDispose]() };
}

async function make(
  world: World,
  who: Somebody,
  wish: { documentIds?: string[]; folderIds?: string[]; name?: string },
) {
  const { archive } = await world
    .client(ArchiveService)
    .createArchive({ workspaceId: world.workspaceId, ...wish }, who.as);
  return archive?.id ?? "";
}

async function list(world: World, who: Somebody, archiveId: string) {
  const [names, entries] = [[] as string[], []] as [string[], { path: string; documentId: string; number: number }[]];
  for await (const part of world.client(ArchiveService).listArchiveEntries({ archiveId }, who.as)) {
    names.push(part.name);
    entries.push(...part.entries);
  }
  return { name: names[0] ?? "", entries, paths: entries.map(({ path }) => path).sort() };
}

describe("ArchiveService", () => {
  it("lists folders with everything in them, empty ones too, and documents by their newest versions", async () => {
    await using it = await startArchives();
    const { world, ann } = it;
    const outer = await world.folder(ann, "Outer");
    const inner = await world.folder(ann, "Inner", outer);
    await world.folder(ann, "Empty", inner);
    const twice = await world.document(ann, "Same", { folderId: inner });
    await world.document(ann, "same", { folderId: inner });
    const trashed = await world.document(ann, "Trashed", { folderId: inner });
    await world.documents.deleteDocument({ documentId: trashed }, ann.as);
    const top = await world.document(ann, "Top: secret?");
    const uploadId = world.blobs.upload(ann, world.workspaceId, "next.txt", "next");
    await world.versions.createVersion({ documentId: twice, uploadId }, ann.as);

    const archiveId = await make(world, ann, { documentIds: [top, trashed, newId()], folderIds: [outer] });
    const { name, entries, paths } = await list(world, ann, archiveId);
    expect(paths).toEqual([
      "Outer/",
      "Outer/Inner/",
      "Outer/Inner/Empty/",
      "Outer/Inner/Same.txt",
      "Outer/Inner/same.pdf",
      "Top_ secret_.pdf",
    ]);
    expect(entries.find(({ documentId }) => documentId === twice)).toMatchObject({ number: 2, size: 4n });
    expect(name).toMatch(/^.+ \d{4}-\d{2}-\d{2}\.zip$/);
    for (const [at, { path }] of entries.entries()) {
      const above = path.replace(/[^/]+\/?$/, "");
      if (above !== "") expect(entries.slice(0, at).map((entry) => entry.path)).toContain(above);
    }
  });

  it("gives no two entries the same path where case makes no difference", async () => {
    await using it = await startArchives();
    const { world, ann } = it;
    const folderId = await world.folder(ann, "Folder");
    for (const title of ["Plan", "PLAN", "plan.pdf", "Plan (2).pdf"]) await world.document(ann, title, { folderId });
    await world.folder(ann, "plan.pdf", folderId);
    const { paths } = await list(world, ann, await make(world, ann, { folderIds: [folderId] }));
    expect(new Set(paths.map((path) => path.toLowerCase().replace(/\/$/, ""))).size).toBe(6);
  });

  it("is called as was wished, after the one folder, or after the folder around it, and the workspace otherwise", async () => {
    await using it = await startArchives();
    const { world, ann } = it;
    const folderId = await world.folder(ann, "Tenders");
    const documentIds = [await world.document(ann, "A", { folderId }), await world.document(ann, "B", { folderId })];
    const date = /^Tenders \d{4}-\d{2}-\d{2}\.zip$/;
    expect((await list(world, ann, await make(world, ann, { folderIds: [folderId] }))).name).toMatch(date);
    expect((await list(world, ann, await make(world, ann, { documentIds }))).name).toMatch(date);
    expect((await list(world, ann, await make(world, ann, { documentIds, name: "For Ben" }))).name).toBe("For Ben.zip");
    documentIds.push(await world.document(ann, "C"));
    expect((await list(world, ann, await make(world, ann, { documentIds }))).name).not.toMatch(/^Tenders/);
  });

  it("judges access when it is read, and belongs to whoever made it", async () => {
    await using it = await startArchives();
    const { world, ann } = it;
    const guest = await world.person("guest");
    const folderId = await world.folder(ann, "Shared");
    const shared = await world.document(ann, "Shared", { folderId });
    const hidden = await world.document(ann, "Hidden");
    const archiveId = await make(world, guest, { documentIds: [shared, hidden], folderIds: [folderId] });
    expect(await reasonOf(list(world, guest, archiveId))).toBe("NOT_FOUND");
    const principal = { principal: { case: "personId" as const, value: guest.id } };
    await world.grants.setGrant({ resource: { case: "documentId", value: shared }, principal, level: 1 }, ann.as);
    const seen = await list(world, guest, archiveId);
    expect(seen.paths).toEqual(["Shared.pdf"]);
    expect(seen.name).not.toContain("Shared");
    await world.grants.revokeGrant({ resource: { case: "documentId", value: shared }, principal }, ann.as);
    expect(await reasonOf(list(world, guest, archiveId))).toBe("NOT_FOUND");
    expect(await reasonOf(list(world, ann, archiveId))).toBe("NOT_FOUND");
    expect(await reasonOf(make(world, await world.person(), { documentIds: [shared] }))).toBe("NOT_FOUND");
    expect(await reasonOf(make(world, ann, {}))).toBe("INVALID_ARGUMENT");
  });

  it("is forgotten after an hour", async () => {
    await using it = await startArchives();
    const { world, time, ann } = it;
    const archiveId = await make(world, ann, { documentIds: [await world.document(ann, "A")] });
    expect((await list(world, ann, archiveId)).paths).toEqual(["A.pdf"]);
    time.now += 3_600_001;
    expect(await reasonOf(list(world, await signIn(ann.id, time.now), archiveId))).toBe("NOT_FOUND");
  });
});
