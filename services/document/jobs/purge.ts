// Removes documents and folders for good. What was purged is out of reach in one transaction; the bytes follow through a
// job of their own, since they are another service's.
import { create, toBinary } from "@bufbuild/protobuf";
import { ChangeKind } from "@docket/contracts/gen/docket/document/v1/change_pb.ts";
import { OperationKind, OperationState } from "@docket/contracts/gen/docket/document/v1/operation_pb.ts";
import { ErrorInfoSchema } from "@docket/contracts/gen/docket/error/v1/error_info_pb.ts";
import { Reason } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import type { Clock } from "@docket/runtime/clock";
import { afterCommit } from "@docket/runtime/db/database";
import { newId } from "@docket/runtime/ids";
import { enqueue } from "@docket/runtime/queue/queue";
import type { JobHandler } from "@docket/runtime/queue/worker";
import { isTrashed, state } from "../domain/state.ts";
import type { Events } from "../events.ts";
import { grantMessage } from "../handlers/messages.ts";
import { type ChangeFacts, recordChanges } from "../store/changes.ts";
import { documentsIn, removeDocuments, setDocumentState } from "../store/documents.ts";
import type { DocumentDatabase, Tables, Tx } from "../store/entities.ts";
import { removeFolders, setFolderState, subtreeOf } from "../store/folders.ts";
import {
  activeOperation,
  failOperations,
  insertOperation,
  type OperationRow,
  readOperation,
  updateOperation,
} from "../store/operations.ts";
import { chunks } from "../store/statements.ts";
import { removeTasksAndComments } from "../store/task_hooks.ts";
import { removeVersions } from "../store/versions.ts";

/** The job that carries out an operation. */
export const purgeJob = "purge";
/** The job that gives up the contents of versions that are gone. */
export const releaseJob = "release_references";

/** How many documents go in one transaction. */
const atOnce = 100;

/** Begins to purge, or answers with the operation that does so already. */
export async function startPurge(
  tx: Tx,
  kind: OperationKind,
  target: { readonly workspace_id: string; readonly id: string },
  actor: string,
  at: number,
): Promise<OperationRow> {
  const active = await activeOperation(tx, target.workspace_id, target.id, kind);
  if (active !== undefined) return active;
  const operation = await insertOperation(tx, {
    workspace_id: target.workspace_id,
    id: newId(),
    kind,
    target_kind: kind === OperationKind.PURGE_FOLDER ? "folder" : "document",
    target_id: target.id,
    created_by: actor,
    created_at: at,
  });
  await enqueue(tx, { kind: purgeJob, key: operation.id, payload: { operationId: operation.id } }, () => new Date(at));
  return operation;
}

/** Begins to purge in such a way that nobody can take back what is purged, not even until the job runs. */
export async function purgeForGood(...of: Parameters<typeof startPurge>): Promise<void> {
  const [tx, , , , at] = of;
  const operation = await startPurge(...of);
  await begin(tx, operation.id, at);
}

/** Carries out a purge. Every step bears a repetition: what is gone already is passed over. */
export function purgeHandler(db: DocumentDatabase, events: Events, clock: Clock): JobHandler<Tables> {
  return async (job) => {
    const { operationId } = job.payload as { operationId: string };
    const operation = await db.transaction(async (tx) => begin(tx, operationId, clock().getTime()));
    if (operation === undefined) return;
    const { workspace_id: workspaceId, target_id: targetId } = operation;
    const isFolder = operation.kind === OperationKind.PURGE_FOLDER;
    const folders = isFolder ? await subtreeOf(db.query, workspaceId, targetId) : [];
    const ids = isFolder ? (await documentsIn(db.query, workspaceId, folders)).map(({ id }) => id) : [targetId];
    let versions = 0;
    for (const part of chunks(ids, atOnce)) {
      versions += await db.transaction((tx) => removePart(tx, operation, part, clock().getTime()));
    }
    await db.transaction(async (tx) => {
      const at = clock().getTime();
      const target = isFolder ? await placeOf(tx, "folder", workspaceId, [targetId]) : [];
      const lost = await lostAccess(tx, workspaceId, folders);
      await removeFolders(tx, workspaceId, folders);
      await updateOperation(tx, operation, { state: OperationState.SUCCEEDED, updated_at: at });
      await job.complete(tx);
      const gone = target.map(({ id, above }) => ({
        kind: ChangeKind.FOLDER_PURGED,
        folderId: id,
        ...fromFolder(above),
      }));
      await recordChanges(tx, workspaceId, at, operation.created_by, [...gone, ...lost]);
      afterCommit(tx, () => events.purged(isFolder ? "folder" : "document", targetId, ids.length, versions));
    });
  };
}

/** The point of no return: from here on nobody sees what is purged. Undefined when there is nothing to do (any more). */
async function begin(tx: Tx, operationId: string, at: number): Promise<OperationRow | undefined> {
  const operation = await readOperation(tx, operationId);
  if (operation === undefined) return undefined;
  if (operation.state === OperationState.RUNNING) return operation;
  const failed = operation.state === OperationState.FAILED;
  if (operation.state !== OperationState.PENDING && !failed) return undefined;
  const { workspace_id: workspaceId, target_id: targetId } = operation;
  const table = operation.kind === OperationKind.PURGE_FOLDER ? "folder" : "document";
  const target = await tx
    .selectFrom(table)
    .select("state")
    .where("workspace_id", "=", workspaceId)
    .where("id", "=", targetId)
    .executeTakeFirst();
  if (failed) {
    if (target?.state !== state.purging) return undefined;
    await updateOperation(tx, operation, { state: OperationState.RUNNING, error: null, updated_at: at });
    return operation;
  }
  if (target !== undefined && !isTrashed(target.state) && target.state !== state.purging) {
    const info = create(ErrorInfoSchema, { reason: Reason.NOT_TRASHED, metadata: { kind: table, id: targetId } });
    const error = toBinary(ErrorInfoSchema, info);
    await updateOperation(tx, operation, { state: OperationState.FAILED, error, updated_at: at });
    return undefined;
  }
  const purging = { state: state.purging, trashed_with: null, trashed_at: null };
  let ids = [targetId];
  if (table === "folder") {
    const folders = await subtreeOf(tx, workspaceId, targetId);
    ids = (await documentsIn(tx, workspaceId, folders)).map(({ id }) => id);
    await setFolderState(tx, workspaceId, folders, purging);
  }
  await setDocumentState(tx, workspaceId, ids, purging);
  await updateOperation(tx, operation, { state: OperationState.RUNNING, total_count: ids.length, updated_at: at });
  return operation;
}

/**
 * Ends the operations whose jobs are dead: nobody works on them any more. What has passed the point of no return stays out
 * of sight, and the purge goes on when an operator runs the job again.
 */
export async function failDeadPurges(db: DocumentDatabase, at: number): Promise<void> {
  const dead = await db.query
    .selectFrom("job")
    .select("payload")
    .where("state", "=", "dead")
    .where("kind", "=", purgeJob)
    .execute();
  const ids = dead.map(({ payload }) => (JSON.parse(payload) as { operationId: string }).operationId);
  const error = toBinary(ErrorInfoSchema, create(ErrorInfoSchema, { reason: Reason.INTERNAL }));
  await failOperations(db.query, ids, error, at);
}

async function removePart(tx: Tx, operation: OperationRow, ids: readonly string[], at: number): Promise<number> {
  const { workspace_id: workspaceId } = operation;
  const documents = await placeOf(tx, "document", workspaceId, ids);
  const lost = await lostAccess(tx, workspaceId, ids);
  await removeTasksAndComments(tx, workspaceId, ids);
  const versionIds = await removeVersions(tx, workspaceId, ids);
  await removeDocuments(tx, workspaceId, ids);
  if (versionIds.length > 0) await enqueue(tx, { kind: releaseJob, payload: { versionIds } });
  const present = await readOperation(tx, operation.id);
  const done = (present?.done_count ?? 0) + documents.length;
  await updateOperation(tx, operation, { done_count: done, updated_at: at });
  const gone = documents.map(({ id, above }) => ({
    kind: ChangeKind.DOCUMENT_PURGED,
    documentId: id,
    ...fromFolder(above),
  }));
  await recordChanges(tx, workspaceId, at, operation.created_by, [...gone, ...lost]);
  return versionIds.length;
}

/** Where things lie that are about to go: who sees the folder above is told of it. */
async function placeOf(tx: Tx, kind: "document" | "folder", workspaceId: string, ids: readonly string[]) {
  const rows =
    kind === "document"
      ? await tx
          .selectFrom("document")
          .select(["id", "folder_id as above"])
          .where("workspace_id", "=", workspaceId)
          .where("id", "in", ids)
          .execute()
      : await tx
          .selectFrom("folder")
          .select(["id", "parent_id as above"])
          .where("workspace_id", "=", workspaceId)
          .where("id", "in", ids)
          .execute();
  return rows;
}

function fromFolder(above: string): { fromFolderId?: string } {
  return above === "" ? {} : { fromFolderId: above };
}

/** Tells everybody with a grant of their own on what goes that they see it no more. */
async function lostAccess(tx: Tx, workspaceId: string, ids: readonly string[]): Promise<ChangeFacts[]> {
  const facts: ChangeFacts[] = [];
  for (const part of chunks(ids, 400)) {
    const rows = await tx
      .selectFrom("access_grant")
      .selectAll()
      .where("workspace_id", "=", workspaceId)
      .where("resource_id", "in", part)
      .execute();
    for (const row of rows) {
      const where = row.resource_kind === "document" ? { documentId: row.resource_id } : { folderId: row.resource_id };
      facts.push({ ...where, kind: ChangeKind.ACCESS_LOST, grant: grantMessage(row) });
    }
  }
  return facts;
}
