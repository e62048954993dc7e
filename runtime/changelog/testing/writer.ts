/** A second process that writes changes: `node writer.ts <folder> <partition> <transactions> <name>`. */
import { setTimeout as pause } from "node:timers/promises";
import type { Database } from "../../db/database.ts";
import { type NoteTables, openNotesIn } from "../../db/testing/note.ts";
import { newId } from "../../ids.ts";
import { appendChanges } from "../append.ts";

/** Interleaved transactions of 1 to 3 changes each, every fifth rolled back; answers how many changes were committed. */
export async function writeChanges(
  db: Database<NoteTables>,
  partition: string,
  transactions: number,
  name: string,
): Promise<number> {
  let committed = 0;
  const one = async (index: number): Promise<void> => {
    const rows = Array.from({ length: 1 + (index % 3) }, (_, i) => ({
      kind: name,
      subjectId: newId(),
      payload: Buffer.from(`${name} ${index} ${i}`),
    }));
    try {
      await db.transaction(async (tx) => {
        await tx.insertInto("note").values({ id: newId(), workspace_id: "w", title: newId(), created_at: 1 }).execute();
        await appendChanges(tx, partition, rows);
        if (index % 4 === 0) await pause(1);
        if (index % 5 === 0) throw new Error("rolled back on purpose");
      });
      committed += rows.length;
    } catch (error) {
      if ((error as Error).message !== "rolled back on purpose") throw error;
    }
  };
  const lanes = 8;
  await Promise.all(
    Array.from({ length: lanes }, async (_, lane) => {
      for (let index = lane; index < transactions; index += lanes) await one(index);
    }),
  );
  return committed;
}

if (import.meta.main) {
  const [folder = "", partition = "", transactions = "0", name = ""] = process.argv.slice(2);
  await using db = await openNotesIn(folder);
  console.log(await writeChanges(db, partition, Number(transactions), name));
}
