// What happens to tasks and comments when their document changes. Called inside the transaction of the change.
import { ChangeKind } from "@docket/contracts/gen/docket/document/v1/change_pb.ts";
import { etagOf } from "../domain/revision.ts";
import { onNewVersion } from "../domain/task_rules.ts";
import type { ChangeFacts } from "./changes.ts";
import type { DocumentRow } from "./documents.ts";
import type { Tx } from "./entities.ts";
import { removeTasksOfDocuments, stateColumns, taskState, tasksOfDocument, updateTask } from "./tasks.ts";
import type { VersionRow } from "./versions.ts";

/** Applies each task's rule to a new version; answers what to tell, for the change log. */
export async function applyTaskRules(
  tx: Tx,
  document: DocumentRow,
  version: VersionRow,
  at: number,
): Promise<ChangeFacts[]> {
  const pin = { versionId: version.id, versionNumber: version.number, digest: version.digest };
  const facts: ChangeFacts[] = [];
  for (const row of await tasksOfDocument(tx, document.workspace_id, document.id)) {
    const moved = onNewVersion(taskState(row), pin);
    if (moved === undefined) continue;
    const next = await updateTask(tx, row, stateColumns(moved.task), at);
    facts.push({
      kind: moved.reopened ? ChangeKind.TASK_REOPENED : ChangeKind.TASK_UPDATED,
      documentId: document.id,
      taskId: row.id,
      etag: etagOf(next.revision),
      ...(document.folder_id === "" ? {} : { folderId: document.folder_id }),
    });
  }
  return facts;
}

/** Removes the tasks and comments of documents that are purged. */
export function removeTasksAndComments(tx: Tx, workspaceId: string, documentIds: readonly string[]): Promise<void> {
  return removeTasksOfDocuments(tx, workspaceId, documentIds);
}
