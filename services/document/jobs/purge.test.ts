import { fromBinary } from "@bufbuild/protobuf";
import { ChangeKind, ChangeSchema } from "@docket/contracts/gen/docket/document/v1/change_pb.ts";
import { OperationKind, OperationState } from "@docket/contracts/gen/docket/document/v1/operation_pb.ts";
import { ErrorInfoSchema } from "@docket/contracts/gen/docket/error/v1/error_info_pb.ts";
import { Reason } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import { readChanges } from "@docket/runtime/changelog/read";
import { systemClock } from "@docket/runtime/clock";
import { openDatabase } from "@docket/runtime/db/database";
import { newId } from "@docket/runtime/ids";
import type { Job } from "@docket/runtime/queue/worker";
import { captureLog } from "@docket/runtime/testing/log";
import { temporaryFolder } from "@docket/runtime/testing/temporary_folder";
import { testDatabaseUrl } from "@docket/runtime/testing/test_parts";
import { describe, expect, it } from "@jest/globals";
import { state } from "../domain/state.ts";
import { createEvents } from "../events.ts";
import { insertDocument } from "../store/documents.ts";
import { type DocumentDatabase, entities, type Tables } from "../store/entities.ts";
import { type FolderRow, insertFolder, readFolder } from "../store/folders.ts";
import { migrations } from "../store/migrations/index.ts";
import { readOperation } from "../store/operations.ts";
import { trashFolder, undeleteFolder } from "../store/trash.ts";
import { failDeadPurges, purgeHandler, startPurge } from "./purge.ts";

const workspaceId = newId();
const { logger } = captureLog();

async function open(folder: string): Promise<DocumentDatabase> {
  return openDatabase({
    url: await testDatabaseUrl(folder),
    migrate: true,
    name: "document",
    entities,
    migrations,
    logger,
  });
}

/** A folder in the trash with two documents, and the purge of it asked for. */
async function trashedFolder(db: DocumentDatabase): Promise<{ folder: FolderRow; operationId: string }> {
  const folder: FolderRow = {
    workspace_id: workspaceId,
    id: newId(),
    parent_id: "",
    name: "Folder",
    name_key: "folder",
    state: state.live,
    trashed_with: null,
    trashed_at: null,
    revision: 1,
    created_by: "person:ann",
    created_at: 1,
    updated_at: 1,
  };
  const made = { workspaceId, folderId: folder.id, tags: [], createdBy: "person:ann", at: 1, size: 1, kind: 1 };
  await db.transaction(async (tx) => {
    await insertFolder(tx, folder, []);
    for (const title of ["One", "Two"]) await insertDocument(tx, { ...made, id: newId(), title });
    await trashFolder(tx, folder, "person:ann", 2);
  });
  const { id } = await db.transaction((tx) => startPurge(tx, OperationKind.PURGE_FOLDER, folder, "person:ann", 3));
  return { folder, operationId: id };
}

function jobOf(operationId: string, complete: () => Promise<void>): Job<Tables> {
  return { id: newId(), kind: "purge", payload: { operationId }, attempt: 1, fencingToken: 1, complete };
}

async function kindsOf(db: DocumentDatabase): Promise<ChangeKind[]> {
  const changes = await readChanges(db, workspaceId, 0, 100);
  return changes.map(({ payload }) => fromBinary(ChangeSchema, payload).kind);
}

describe("the purge of a folder", () => {
  it("goes on where a crash ended it, and tells of each thing once", async () => {
    await using temporary = await temporaryFolder();
    await using db = await open(temporary.path);
    const { folder, operationId } = await trashedFolder(db);
    const purge = purgeHandler(db, createEvents(logger), systemClock);
    const crash = jobOf(operationId, () => Promise.reject(new Error("the process ended")));
    await expect(purge(crash, db, new AbortController().signal)).rejects.toThrow("the process ended");
    expect((await readOperation(db.query, operationId))?.state).toBe(OperationState.RUNNING);

    await purge(
      jobOf(operationId, () => Promise.resolve()),
      db,
      new AbortController().signal,
    );
    expect(await readOperation(db.query, operationId)).toMatchObject({
      state: OperationState.SUCCEEDED,
      done_count: 2,
      total_count: 2,
    });
    expect(await readFolder(db.query, folder.id)).toBeUndefined();
    const { FOLDER_TRASHED, DOCUMENT_TRASHED, DOCUMENT_PURGED, FOLDER_PURGED } = ChangeKind;
    expect(await kindsOf(db)).toEqual([
      FOLDER_TRASHED,
      DOCUMENT_TRASHED,
      DOCUMENT_TRASHED,
      DOCUMENT_PURGED,
      DOCUMENT_PURGED,
      FOLDER_PURGED,
    ]);
  });

  it("fails when its job is dead, and goes on when that is run again", async () => {
    await using temporary = await temporaryFolder();
    await using db = await open(temporary.path);
    const { operationId, folder } = await trashedFolder(db);
    const purge = purgeHandler(db, createEvents(logger), systemClock);
    const crash = jobOf(operationId, () => Promise.reject(new Error("the disk is full")));
    await expect(purge(crash, db, new AbortController().signal)).rejects.toThrow("the disk is full");
    await failDeadPurges(db, 5);
    expect((await readOperation(db.query, operationId))?.state).toBe(OperationState.RUNNING);

    await db.query.updateTable("job").set({ state: "dead", unique_key: null }).execute();
    await failDeadPurges(db, 6);
    const failed = await readOperation(db.query, operationId);
    expect(failed).toMatchObject({ state: OperationState.FAILED, updated_at: 6 });
    expect(fromBinary(ErrorInfoSchema, failed?.error ?? new Uint8Array()).reason).toBe(Reason.INTERNAL);

    const again = jobOf(operationId, () => Promise.resolve());
    await purge(again, db, new AbortController().signal);
    const ended = await readOperation(db.query, operationId);
    expect(ended).toMatchObject({ state: OperationState.SUCCEEDED, error: null });
    expect(await readFolder(db.query, folder.id)).toBeUndefined();
  });

  it("fails, and removes nothing, when the folder was taken back before it began", async () => {
    await using temporary = await temporaryFolder();
    await using db = await open(temporary.path);
    const { folder, operationId } = await trashedFolder(db);
    await db.transaction(async (tx) => undeleteFolder(tx, { ...folder, revision: 2 }, "person:ann", 4));
    const purge = purgeHandler(db, createEvents(logger), systemClock);
    await purge(
      jobOf(operationId, () => Promise.resolve()),
      db,
      new AbortController().signal,
    );
    const operation = await readOperation(db.query, operationId);
    expect(operation?.state).toBe(OperationState.FAILED);
    expect(fromBinary(ErrorInfoSchema, operation?.error ?? new Uint8Array()).reason).toBe(Reason.NOT_TRASHED);
    expect((await readFolder(db.query, folder.id))?.state).toBe(state.live);
  });

  it("is one operation, however often it is asked for", async () => {
    await using temporary = await temporaryFolder();
    await using db = await open(temporary.path);
    const { folder, operationId } = await trashedFolder(db);
    const again = await db.transaction((tx) => startPurge(tx, OperationKind.PURGE_FOLDER, folder, "person:ben", 5));
    expect(again.id).toBe(operationId);
  });
});
