/** A worker on a note database, for the tests of runtime/queue: it looks for jobs often and logs nothing. */
import type { Database } from "../../db/database.ts";
import { type NoteDatabase, type NoteTables, silentLogger } from "../../db/testing/note.ts";
import { startWorker, type WorkerOptions } from "../worker.ts";

export function startNoteWorker(
  db: Database<NoteTables>,
  handlers: WorkerOptions<NoteTables>["handlers"],
  more: Partial<WorkerOptions<NoteTables>> = {},
) {
  return startWorker({ db, handlers, logger: silentLogger, pollMs: 20, ...more });
}

/** Every job that is there, in whatever state. */
export const jobsOf = (notes: NoteDatabase) => notes.db.query.selectFrom("job").selectAll().execute();

/** The clock of a worker that is ahead of the real one by as much as the test says. */
export function workerClock() {
  let ahead = 0;
  const skip = (ms: number) => {
    ahead += ms;
  };
  return { now: () => new Date(Date.now() + ahead), skip };
}
