/** Writes notes until it is killed and prints each title after its commit: `node committer.ts <folder>`. */
import { writeSync } from "node:fs";
import { newId } from "../../ids.ts";
import { openNotesIn } from "./note.ts";

const db = await openNotesIn(process.argv[2] ?? "");
for (;;) {
  const title = newId();
  await db.transaction(async (tx) => {
    await tx.insertInto("note").values({ id: newId(), workspace_id: "w", title, created_at: Date.now() }).execute();
  });
  writeSync(1, `${title}\n`);
}
