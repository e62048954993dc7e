// How far this service is in the logs of others.
import { isUniqueViolation } from "@docket/runtime/db/database";
import type { Query, Tx } from "./entities.ts";

/** The saved cursor; empty when none was saved. */
export async function readPosition(query: Query, name: string): Promise<string> {
  const row = await query.selectFrom("follower").select("position").where("name", "=", name).executeTakeFirst();
  return row?.position ?? "";
}

/**
 * Moves the cursor on, in the transaction that applies what lies between; false when it is no longer where the changes
 * begin, because another process was faster.
 */
export async function movePosition(tx: Tx, name: string, from: string, position: string): Promise<boolean> {
  const moved = await tx
    .updateTable("follower")
    .set({ position })
    .where("name", "=", name)
    .where("position", "=", from)
    .executeTakeFirst();
  if (moved.numUpdatedRows > 0n) return true;
  if (from !== "") return false;
  try {
    await tx.insertInto("follower").values({ name, position }).execute();
    return true;
  } catch (error) {
    if (isUniqueViolation(error)) return false;
    throw error;
  }
}
