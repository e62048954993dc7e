// How far each workspace that has webhooks is in the document service's log.
import { isUniqueViolation } from "@docket/runtime/db/database";
import { signalAfterCommit } from "@docket/runtime/db/transaction";
import type { Query, Tx } from "./entities.ts";

/** The signal that is raised when a workspace got its first webhook or lost its last. */
export const FEEDS_SIGNAL = "feeds";

/** The places of all followed workspaces. */
export async function readFeeds(query: Query): Promise<Map<string, number>> {
  const rows = await query.selectFrom("feed").select(["workspace_id", "place"]).execute();
  return new Map(rows.map((row) => [row.workspace_id, row.place]));
}

/** The place of one workspace; undefined when it is not followed. */
export async function readFeed(query: Query, workspaceId: string): Promise<number | undefined> {
  const row = await query.selectFrom("feed").select("place").where("workspace_id", "=", workspaceId).executeTakeFirst();
  return row?.place;
}

/** Follows a workspace from a place on; one that is followed already stays where it is. */
export async function beginFeed(tx: Tx, workspaceId: string, place: number): Promise<void> {
  if ((await readFeed(tx, workspaceId)) !== undefined) return;
  try {
    await tx.insertInto("feed").values({ workspace_id: workspaceId, place }).execute();
  } catch (error) {
    // Another transaction began it meanwhile.
    if (!isUniqueViolation(error)) throw error;
  }
  signalAfterCommit(tx, FEEDS_SIGNAL, workspaceId);
}

/** Moves a place on; false when somebody else has moved it. */
export async function moveFeed(tx: Tx, workspaceId: string, from: number, to: number): Promise<boolean> {
  const moved = await tx
    .updateTable("feed")
    .set({ place: to })
    .where("workspace_id", "=", workspaceId)
    .where("place", "=", from)
    .executeTakeFirst();
  return moved.numUpdatedRows === 1n;
}

/** Follows a workspace no longer. */
export async function endFeed(tx: Tx, workspaceId: string): Promise<void> {
  await tx.deleteFrom("feed").where("workspace_id", "=", workspaceId).execute();
  signalAfterCommit(tx, FEEDS_SIGNAL, workspaceId);
}
