// How far this service is in logs that are followed as a whole.
import type { Query, Tx } from "./entities.ts";

/** The saved cursor; empty when none was saved. */
export async function readPosition(query: Query, name: string): Promise<string> {
  const row = await query.selectFrom("follower").select("position").where("name", "=", name).executeTakeFirst();
  return row?.position ?? "";
}

export async function writePosition(tx: Tx, name: string, position: string): Promise<void> {
  const changed = await tx.updateTable("follower").set({ position }).where("name", "=", name).executeTakeFirst();
  if (changed.numUpdatedRows === 0n) await tx.insertInto("follower").values({ name, position }).execute();
}
