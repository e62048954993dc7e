import { fromBinary } from "@bufbuild/protobuf";
import { type Change, ChangeKind, ChangeSchema } from "@docket/contracts/gen/docket/document/v1/change_pb.ts";
import { CommentService } from "@docket/contracts/gen/docket/document/v1/comment_service_pb.ts";
import { TaskService } from "@docket/contracts/gen/docket/document/v1/task_service_pb.ts";
import { readChanges } from "@docket/runtime/changelog/read";
import type { Job } from "@docket/runtime/queue/worker";
import { eventually } from "@docket/runtime/testing/eventually";
import { temporaryFolder } from "@docket/runtime/testing/temporary_folder";
import { describe, expect, it } from "@jest/globals";
import { createEvents } from "../events.ts";
import { thinVersions } from "../jobs/thinning.ts";
import { emptyTrash } from "../jobs/trash.ts";
import type { Tables } from "../store/entities.ts";
import { openBeside } from "./beside.ts";
import { reasonOf, startWorld } from "./world.ts";

const day = 86_400_000;
const noSignal = new AbortController().signal;

/** A world with one member, and jobs that are run by hand at a time of the test. */
async function startKeeping() {
  await using parts = new AsyncDisposableStack();
  const folder = parts.use(await temporaryFolder());
  const world = parts.use(await startWorld({ folder: folder.path }));
  const db = parts.use(await openBeside(folder.path));
  const ann = await world.person("member");
  const begun = Date.now();
  const events = createEvents(world.log.logger);
  const after = (days: number) => ({ db, events, clock: () => new Date(begun + days * day) });
  const job = {} as Job<Tables>;
  const running = parts.move();
  return {
    world,
    db,
    ann,
    /** Looks through the trash so many days from now, where things are kept for 30 days. */
    empty: (days: number, keptDays = 30) => emptyTrash(after(days), keptDays * day)(job, db, noSignal),
    /** Thins out so many days from now: daily after 30 days, monthly after 365. */
    thin: (days: number, thinning = { dailyAfterMs: 30 * day, monthlyAfterMs: 365 * day }) =>
      thinVersions(after(days), thinning)(job, db, noSignal),
    async changes(kind: ChangeKind): Promise<Change[]> {
      const all = await readChanges(db, world.workspaceId, 0, 1000);
      return all.map(({ payload }) => fromBinary(ChangeSchema, payload)).filter((change) => change.kind === kind);
    },
    /** Waits until the service's own worker, whose time is the real one, has nothing left to do. */
    async done() {
      const kinds = ["purge", "release_references"];
      await db.query.updateTable("job").set({ run_at: 1 }).where("kind", "in", kinds).execute();
      const jobs = db.query.selectFrom("job").select("kind").where("kind", "in", kinds);
      await eventually(async () => expect(await jobs.execute()).toEqual([]));
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

describe("the trash", () => {
  it("is emptied of what lay there for too long, with its contents, and told as if somebody had", async () => {
    await using it = await startKeeping();
    const { world, ann } = it;
    const folderId = await world.folder(ann, "Old");
    const [inside, alone, kept] = [
      await world.document(ann, "Inside", { folderId }),
      await world.document(ann, "Alone"),
      await world.document(ann, "Kept"),
    ];
    await world.folders.deleteFolder({ folderId }, ann.as);
    await world.documents.deleteDocument({ documentId: alone }, ann.as);
    await it.empty(29);
    expect(await it.db.query.selectFrom("operation").selectAll().execute()).toEqual([]);
    await it.empty(31);
    for (const documentId of [inside, alone]) {
      expect(await reasonOf(world.documents.undeleteDocument({ documentId }, ann.as))).toBe("NOT_FOUND");
    }
    await it.done();
    const purged = await it.changes(ChangeKind.DOCUMENT_PURGED);
    expect(purged.map(({ documentId }) => documentId).sort()).toEqual([inside, alone].sort());
    expect(purged.every(({ actor }) => actor === undefined)).toBe(true);
    expect(await it.changes(ChangeKind.FOLDER_PURGED)).toMatchObject([{ folderId }]);
    expect(world.blobs.references.size).toBe(1);
    await it.empty(31);
    await it.done();
    expect(await it.changes(ChangeKind.DOCUMENT_PURGED)).toHaveLength(2);
    expect(await reasonOf(world.documents.getDocument({ documentId: kept }, ann.as))).toBe("OK");
  });

  it("keeps what was taken back, and counts anew from the next time", async () => {
    await using it = await startKeeping();
    const { world, ann } = it;
    const folderId = await world.folder(ann, "Folder");
    const documentId = await world.document(ann, "Inside", { folderId });
    await world.folders.deleteFolder({ folderId }, ann.as);
    await world.folders.undeleteFolder({ folderId }, ann.as);
    await it.empty(31);
    await it.done();
    expect(await reasonOf(world.documents.getDocument({ documentId }, ann.as))).toBe("OK");
  });

  it("is never emptied where it is kept for ever", async () => {
    await using it = await startKeeping();
    const documentId = await it.world.document(it.ann, "Kept");
    await it.world.documents.deleteDocument({ documentId }, it.ann.as);
    await it.empty(10_000, 0);
    expect(await reasonOf(it.world.documents.undeleteDocument({ documentId }, it.ann.as))).toBe("OK");
  });

  it("is emptied once by replicas that look at the same time", async () => {
    await using it = await startKeeping();
    const ids: string[] = [];
    for (let n = 0; n < 30; n++) ids.push(await it.world.document(it.ann, `Document ${n}`));
    for (const documentId of ids) await it.world.documents.deleteDocument({ documentId }, it.ann.as);
    await Promise.all([it.empty(31), it.empty(31), it.empty(32)]);
    await it.done();
    const purged = await it.changes(ChangeKind.DOCUMENT_PURGED);
    expect(purged.map(({ documentId }) => documentId).sort()).toEqual(ids.sort());
    expect(it.world.blobs.references.size).toBe(0);
  });
});

describe("old versions", () => {
  /** A document whose versions 1 to `count` were all made today. */
  async function versioned(it: Awaited<ReturnType<typeof startKeeping>>, count: number) {
    const folderId = await it.world.folder(it.ann, "Folder");
    const documentId = await it.world.document(it.ann, "Plan", { folderId, content: "1" });
    for (let number = 2; number <= count; number++) {
      const uploadId = it.world.blobs.upload(it.ann, it.world.workspaceId, "plan.pdf", String(number));
      await it.world.versions.createVersion({ documentId, uploadId }, it.ann.as);
    }
    const numbers = async () =>
      (await it.world.versions.listVersions({ documentId }, it.ann.as)).versions.map(({ number }) => number);
    return { documentId, folderId, numbers };
  }

  it("are thinned out, told of, and their contents released", async () => {
    await using it = await startKeeping();
    const { documentId, folderId, numbers } = await versioned(it, 5);
    await it.thin(29);
    expect(await numbers()).toEqual([5, 4, 3, 2, 1]);
    await it.thin(31);
    // The newest of all, and the newest of the day among those before it.
    expect(await numbers()).toEqual([5, 4]);
    await it.done();
    const told = await it.changes(ChangeKind.VERSION_REMOVED);
    expect(told.map(({ version }) => version?.number)).toEqual([1, 2, 3]);
    expect(told[0]).toMatchObject({ documentId, folderId, version: { size: 1n } });
    expect(told[0]?.version?.digest).toHaveLength(32);
    expect(it.world.blobs.references.size).toBe(2);
    await it.thin(31);
    await it.thin(400);
    expect(await numbers()).toEqual([5, 4]);
    expect(await it.changes(ChangeKind.VERSION_REMOVED)).toHaveLength(3);
  });

  it("stay when they are labelled, commented on, or part of a task, now or by a decision", async () => {
    await using it = await startKeeping();
    const { world, ann } = it;
    const { documentId, numbers } = await versioned(it, 2);
    const comments = world.client(CommentService);
    await comments.createComment({ subject: { case: "documentId", value: documentId }, body: "See" }, ann.as);
    for (const content of ["3", "4", "5", "6", "7", "8"]) {
      const uploadId = world.blobs.upload(ann, world.workspaceId, "plan.pdf", content);
      await world.versions.createVersion({ documentId, uploadId }, ann.as);
    }
    const update = { documentId, number: 1, label: "final", updateMask: { paths: ["label"] } };
    await world.versions.updateVersion(update, ann.as);
    const tasks = world.client(TaskService);
    const place = { case: "documentId" as const, value: documentId };
    await tasks.createTask({ place, versionNumber: 4, title: "Pinned" }, ann.as);
    const { task } = await tasks.createTask({ place, versionNumber: 5, title: "Moved on" }, ann.as);
    await tasks.completeTask({ taskId: task?.id ?? "" }, ann.as);
    await tasks.reopenTask({ taskId: task?.id ?? "", newest: true }, ann.as);
    await it.thin(31);
    // 1 has a label, 2 a comment, 4 a task, 5 a decision; 7 is the newest of its day, 8 the newest of all.
    expect(await numbers()).toEqual([8, 7, 5, 4, 2, 1]);
  });

  it("all stay where nothing is set", async () => {
    await using it = await startKeeping();
    const { numbers } = await versioned(it, 3);
    await it.thin(10_000, { dailyAfterMs: 0, monthlyAfterMs: 0 });
    expect(await numbers()).toEqual([3, 2, 1]);
  });

  it("are removed once by replicas that look at the same time", async () => {
    await using it = await startKeeping();
    const { numbers } = await versioned(it, 30);
    await Promise.all([it.thin(31), it.thin(31), it.thin(32)]);
    expect(await numbers()).toEqual([30, 29]);
    await it.done();
    expect(await it.changes(ChangeKind.VERSION_REMOVED)).toHaveLength(28);
    expect(it.world.blobs.references.size).toBe(2);
  });
});
