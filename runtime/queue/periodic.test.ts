import { describe, expect, it } from "@jest/globals";
import { openNotes, openNotesIn } from "../db/testing/note.ts";
import { eventually } from "../testing/eventually.ts";
import { jobsOf, startNoteWorker, workerClock } from "./testing/note_worker.ts";
import { JobHopeless } from "./worker.ts";

describe("periodic jobs", () => {
  it("come back after each run, once over all processes, and survive failures", async () => {
    await using notes = await openNotes();
    await using second = await openNotesIn(notes.folder);
    const time = workerClock();
    let runs = 0;
    const run = async () => {
      if (++runs === 2) throw new Error("this time not");
    };
    const periodic = { sweep: { everyMs: 3_600_000, run } };
    await using _ = startNoteWorker(notes.db, {}, { periodic, now: time.now });
    await using __ = startNoteWorker(second, {}, { periodic, now: time.now });
    for (const expected of [1, 2, 3]) {
      time.skip(3_700_000);
      await eventually(async () =>
        expect([runs, await jobsOf(notes)]).toMatchObject([expected, [{ kind: "sweep", state: "pending" }]]),
      );
    }
  });
});

describe("a periodic job", () => {
  const everyMs = 3_600_000;

  it("is not dead for good when a run says that it is hopeless", async () => {
    await using notes = await openNotes();
    const time = workerClock();
    let runs = 0;
    const run = async () => {
      if (++runs === 1) throw new JobHopeless("this time");
    };
    await using _ = startNoteWorker(notes.db, {}, { periodic: { sweep: { everyMs, run } }, now: time.now });
    for (const expected of [1, 2]) {
      time.skip(2 * everyMs);
      await eventually(async () =>
        expect([runs, await jobsOf(notes)]).toMatchObject([expected, [{ kind: "sweep", state: "pending" }]]),
      );
    }
  });

  it("comes as often as the newest start says, and makes up for missed runs with one", async () => {
    await using notes = await openNotes();
    const time = workerClock();
    let runs = 0;
    const run = async () => void runs++;
    const every = (ms: number) => ({ periodic: { sweep: { everyMs: ms, run } }, now: time.now });
    const rested = async (count: number) => {
      await eventually(async () =>
        expect([runs, await jobsOf(notes)]).toMatchObject([count, [{ kind: "sweep", state: "pending" }]]),
      );
    };
    {
      await using _ = startNoteWorker(notes.db, {}, every(24 * everyMs));
      time.skip(3 * everyMs);
      await rested(1);
    }
    {
      await using _ = startNoteWorker(notes.db, {}, every(everyMs));
      await eventually(async () =>
        expect((await jobsOf(notes))[0]?.run_at).toBeLessThanOrEqual(time.now().getTime() + everyMs),
      );
      time.skip(everyMs);
      await rested(2);
    }
    time.skip(100 * everyMs);
    await using _ = startNoteWorker(notes.db, {}, every(everyMs));
    await rested(3);
  });
});
