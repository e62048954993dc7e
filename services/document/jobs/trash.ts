// Removes for good what lay in the trash for too long, as if somebody had purged it. The point of no return is in the
// transaction that finds it, so that whoever takes something back in time has it, and purge.ts goes on from there.
import { OperationKind } from "@docket/contracts/gen/docket/document/v1/operation_pb.ts";
import type { Clock } from "@docket/runtime/clock";
import type { JobHandler } from "@docket/runtime/queue/worker";
import type { Events } from "../events.ts";
import type { DocumentDatabase, Tables } from "../store/entities.ts";
import { isTrashedBefore, trashedBefore } from "../store/trash.ts";
import { purgeForGood } from "./purge.ts";

/** How many are looked for at once; each goes in a transaction of its own. */
const atOnce = 100;

const kinds = { document: OperationKind.PURGE_DOCUMENT, folder: OperationKind.PURGE_FOLDER } as const;

/** `keptMs`: how long things lie in the trash, in milliseconds; 0 for ever. */
export function emptyTrash(
  { db, events, clock }: { readonly db: DocumentDatabase; readonly events: Events; readonly clock: Clock },
  keptMs: number,
): JobHandler<Tables> {
  return async (_job, _db, signal) => {
    if (keptMs === 0) return;
    const before = clock().getTime() - keptMs;
    // Folders first: what went to the trash with them goes with them.
    const folders = await empty("folder", before, signal);
    const documents = await empty("document", before, signal);
    if (folders + documents > 0) events.trashEmptied(documents, folders);
  };

  async function empty(table: "document" | "folder", before: number, signal: AbortSignal): Promise<number> {
    let emptied = 0;
    for (;;) {
      const found = await trashedBefore(db.query, table, before, atOnce);
      for (const row of found) {
        signal.throwIfAborted();
        const lock = row.workspace_id;
        const began = await db.transaction(
          async (tx) => {
            // It may have been taken back meanwhile, alone or with the folder above.
            if (!(await isTrashedBefore(tx, table, row, before))) return false;
            await purgeForGood(tx, kinds[table], row, "", clock().getTime());
            return true;
          },
          { lock },
        );
        if (began) emptied += 1;
      }
      if (found.length < atOnce) return emptied;
    }
  }
}
