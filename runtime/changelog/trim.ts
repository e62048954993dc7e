/** Removing old changes. */
import type { Transaction } from "kysely";
import type { Database } from "../db/database.ts";
import type { RuntimeTables } from "../db/entities.ts";
import { heads, reading, trimmedUpTo } from "./read.ts";

const TRIM_ROWS = 5_000;

/** Removes the changes made before `before`, in order, a few at a time; answers how many. A periodic job calls it. */
export async function trimChanges<Tables extends RuntimeTables>(db: Database<Tables>, before: Date): Promise<number> {
  let removed = 0;
  for (const [partition, head] of await heads(db)) {
    const kept = await reading(db)
      .selectFrom("change")
      .select((eb) => eb.fn.min("sequence").as("sequence"))
      .where("partition", "=", partition)
      .where("occurred_at", ">=", before.getTime())
      .executeTakeFirst();
    // The first row that stays decides, so that clocks that jump make no hole.
    const upTo = (kept?.sequence ?? head + 1) - 1;
    removed += await trimPartition(db, partition, upTo);
  }
  return removed;
}

async function trimPartition<Tables extends RuntimeTables>(
  db: Database<Tables>,
  partition: string,
  upTo: number,
): Promise<number> {
  const from = (await trimmedUpTo(db, [partition])).get(partition) ?? 0;
  let removed = 0;
  for (let at = from; at < upTo; at += TRIM_ROWS) {
    const end = Math.min(upTo, at + TRIM_ROWS);
    removed += await db.transaction(async (transaction) => {
      const tx = transaction as unknown as Transaction<RuntimeTables>;
      const deleted = await tx
        .deleteFrom("change")
        .where("partition", "=", partition)
        .where("sequence", "<=", end)
        .executeTakeFirst();
      await tx
        .updateTable("change_sequence")
        .set({ trimmed: end })
        .where("partition", "=", partition)
        .where("trimmed", "<", end)
        .execute();
      return Number(deleted.numDeletedRows);
    });
  }
  return removed;
}
