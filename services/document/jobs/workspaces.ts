// Removes everything of a workspace that the user service has deleted. Nobody sees it from the moment of the deletion,
// since nobody is a member of it any more; this takes away the rows and gives up the contents.
import { ChangeKind } from "@docket/contracts/gen/docket/document/v1/change_pb.ts";
import type { Clock } from "@docket/runtime/clock";
import { enqueue } from "@docket/runtime/queue/queue";
import type { JobHandler } from "@docket/runtime/queue/worker";
import type { Events } from "../events.ts";
import { recordChanges } from "../store/changes.ts";
import type { DocumentDatabase, Tables } from "../store/entities.ts";
import { releaseJob } from "./purge.ts";

/** The job that removes a workspace. */
export const removeWorkspaceJob = "remove_workspace";

/** How many versions go in one transaction. */
const atOnce = 200;

/** The tables that go as they are; the log stays until it is trimmed, so that watchers learn of the end. */
const tables = [
  "term",
  "listing",
  "tag",
  "access_grant",
  "task",
  "comment",
  "subscription",
  "subscription_shard",
  "operation",
  "archive",
  "folder_closure",
  "folder",
  "document",
] as const satisfies readonly (keyof Tables)[];

export function removeWorkspaceHandler(db: DocumentDatabase, events: Events, clock: Clock): JobHandler<Tables> {
  return async (job) => {
    const { workspaceId } = job.payload as { workspaceId: string };
    while (await removeVersions(db, workspaceId));
    for (const table of tables) {
      await db.transaction((tx) => tx.deleteFrom(table).where("workspace_id", "=", workspaceId).execute());
    }
    await db.transaction(async (tx) => {
      await job.complete(tx);
      await recordChanges(tx, workspaceId, clock().getTime(), "", [{ kind: ChangeKind.WORKSPACE_DELETED }]);
    });
    events.workspaceRemoved(workspaceId);
  };
}

/** Removes some versions and asks for the release of their contents; false when none are left. */
async function removeVersions(db: DocumentDatabase, workspaceId: string): Promise<boolean> {
  return db.transaction(async (tx) => {
    const rows = await tx
      .selectFrom("version")
      .select("id")
      .where("workspace_id", "=", workspaceId)
      .limit(atOnce)
      .execute();
    if (rows.length === 0) return false;
    const versionIds = rows.map((row) => row.id);
    await tx.deleteFrom("version").where("id", "in", versionIds).execute();
    await enqueue(tx, { kind: releaseJob, payload: { versionIds } });
    return true;
  });
}
