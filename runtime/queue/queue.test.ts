import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "@jest/globals";
import { openPage } from "../db/page.ts";
import { type NoteDatabase, type NoteTables, openNotes, openNotesIn } from "../db/testing/note.ts";
import { newId } from "../ids.ts";
import { eventually } from "../testing/eventually.ts";
import { discardJob, enqueue, listJobs, type NewJob, queueDepth, rerunJob } from "./queue.ts";
import { jobsOf, startNoteWorker, workerClock } from "./testing/note_worker.ts";
import { JobHopeless, type WorkerOptions } from "./worker.ts";

const add = (notes: NoteDatabase, job: NewJob) => notes.db.transaction((tx) => enqueue(tx, job));
const dead = async (notes: NoteDatabase) =>
  (await listJobs(notes.db, { state: "dead" }, openPage({ pageSize: 0, pageToken: "" }, null))).rows;

/** A promise and the function that resolves it. */
function gate() {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { open, opened };
}

const note = (title: string) => ({ id: newId(), workspace_id: "w", title, created_at: 1 });
const titles = async (notes: NoteDatabase) =>
  (await notes.db.query.selectFrom("note").select("title").execute()).map((row) => row.title).sort();

describe("a job", () => {
  it("runs once with its payload, promptly after the commit, and is gone", async () => {
    await using notes = await openNotes();
    const seen: unknown[] = [];
    await using _ = startNoteWorker(
      notes.db,
      { write: async (job) => void seen.push(job.payload) },
      { pollMs: 60_000 },
    );
    await add(notes, { kind: "write", payload: { text: "hello" } });
    await eventually(async () => expect([seen, await jobsOf(notes)]).toEqual([[{ text: "hello" }], []]));
  });

  it("is not there when its transaction rolled back", async () => {
    await using notes = await openNotes();
    const refused = notes.db.transaction(async (tx) => {
      await enqueue(tx, { kind: "write", payload: null });
      throw new Error("no");
    });
    await expect(refused).rejects.toThrow("no");
    expect(await jobsOf(notes)).toEqual([]);
  });

  it("waits for its time", async () => {
    await using notes = await openNotes();
    const time = workerClock();
    let runs = 0;
    await using _ = startNoteWorker(
      notes.db,
      { write: async () => void runs++, other: async () => void 0 },
      { now: time.now },
    );
    await add(notes, { kind: "write", payload: null, runAt: new Date(Date.now() + 3_600_000) });
    await add(notes, { kind: "other", payload: null });
    await eventually(async () => expect(await jobsOf(notes)).toHaveLength(1));
    expect(runs).toBe(0);
    time.skip(3_600_000);
    await eventually(() => expect(runs).toBe(1));
  });

  it("of a kind that nobody handles here is left to others", async () => {
    await using notes = await openNotes();
    await using _ = startNoteWorker(notes.db, { known: async () => void 0 });
    await add(notes, { kind: "unknown", payload: null });
    await add(notes, { kind: "known", payload: null });
    await eventually(async () =>
      expect((await jobsOf(notes)).map((job) => [job.kind, job.state])).toEqual([["unknown", "pending"]]),
    );
  });

  it("with a key is there once while it waits", async () => {
    await using notes = await openNotes();
    const [first, second] = [
      await add(notes, { kind: "k", key: "a", payload: 1 }),
      await add(notes, { kind: "k", key: "a", payload: 2 }),
    ];
    expect(second).toBe(first);
    await add(notes, { kind: "k", key: "b", payload: 3 });
    await add(notes, { kind: "l", key: "a", payload: 4 });
    expect(await jobsOf(notes)).toHaveLength(3);
  });

  it("with a key that is asked for while it runs runs once more", async () => {
    await using notes = await openNotes();
    const first = gate();
    let runs = 0;
    const handler = async () => {
      if (++runs === 1) await first.opened;
    };
    await using _ = startNoteWorker(notes.db, { k: handler });
    await add(notes, { kind: "k", key: "a", payload: null });
    await eventually(() => expect(runs).toBe(1));
    await add(notes, { kind: "k", key: "a", payload: null });
    await add(notes, { kind: "k", key: "a", payload: null });
    first.open();
    await eventually(async () => expect([runs, await jobsOf(notes)]).toEqual([2, []]));
  });
});

describe("a job that fails", () => {
  it("comes back after a pause and knows which try it is", async () => {
    await using notes = await openNotes();
    const time = workerClock();
    const attempts: number[] = [];
    const handler: WorkerOptions<NoteTables>["handlers"][string] = async (job) => {
      attempts.push(job.attempt);
      if (job.attempt < 3) throw new Error("not yet");
    };
    await using _ = startNoteWorker(notes.db, { k: handler }, { now: time.now });
    await add(notes, { kind: "k", payload: null });
    for (const done of [1, 2]) {
      await eventually(async () =>
        expect([attempts.length, (await jobsOf(notes))[0]]).toMatchObject([
          done,
          { state: "pending", last_error: "not yet" },
        ]),
      );
      time.skip(5_000);
    }
    await eventually(async () => expect([attempts, await jobsOf(notes)]).toEqual([[1, 2, 3], []]));
  });

  it("is a dead letter after its last try, which can be run again or discarded", async () => {
    await using notes = await openNotes();
    let broken = true;
    let runs = 0;
    const handler = async () => {
      runs++;
      if (broken) throw new Error("broken");
    };
    await using _ = startNoteWorker(notes.db, { k: handler });
    const id = await add(notes, { kind: "k", key: "a", payload: { n: 1 }, maxAttempts: 1 });
    await eventually(async () =>
      expect(await dead(notes)).toMatchObject([{ id, kind: "k", lastError: "broken", payload: { n: 1 }, attempts: 1 }]),
    );
    expect(await queueDepth(notes.db)).toMatchObject([{ kind: "k", state: "dead", count: 1 }]);
    broken = false;
    expect(await rerunJob(notes.db, id)).toBe(true);
    await eventually(async () => expect([runs, await jobsOf(notes)]).toEqual([2, []]));
    expect(await rerunJob(notes.db, id)).toBe(false);
    expect(await discardJob(notes.db, id)).toBe(false);
  });

  it("is dead at once when it says that trying again is hopeless, and can be discarded", async () => {
    await using notes = await openNotes();
    const handler = async () => {
      throw new JobHopeless("gone for good");
    };
    await using _ = startNoteWorker(notes.db, { k: handler });
    const id = await add(notes, { kind: "k", payload: null });
    await eventually(async () => expect(await dead(notes)).toMatchObject([{ id, attempts: 1 }]));
    expect(await discardJob(notes.db, id)).toBe(true);
    expect(await jobsOf(notes)).toEqual([]);
  });
});

describe("effect and completion", () => {
  it("are one transaction when the handler completes in its own", async () => {
    await using notes = await openNotes();
    let fail = true;
    const time = workerClock();
    const handler: WorkerOptions<NoteTables>["handlers"][string] = async (job, db) => {
      await db.transaction(async (tx) => {
        await tx.insertInto("note").values(note("effect")).execute();
        await job.complete(tx);
        if (fail) throw new Error("crashed before the commit");
      });
    };
    await using _ = startNoteWorker(notes.db, { k: handler }, { now: time.now });
    await add(notes, { kind: "k", payload: null });
    await eventually(async () =>
      expect(await jobsOf(notes)).toMatchObject([{ state: "pending", last_error: "crashed before the commit" }]),
    );
    expect(await titles(notes)).toEqual([]);
    fail = false;
    time.skip(5_000);
    await eventually(async () => expect([await titles(notes), await jobsOf(notes)]).toEqual([["effect"], []]));
  });

  it("of a holder who lost the job to another are rolled back", async () => {
    await using notes = await openNotes();
    await using second = await openNotesIn(notes.folder);
    const late = workerClock();
    const held = gate();
    const ended = gate();
    const slow: WorkerOptions<NoteTables>["handlers"][string] = async (job, db) => {
      await held.opened;
      try {
        await db.transaction(async (tx) => {
          await tx.insertInto("note").values(note("slow")).execute();
          await job.complete(tx);
        });
      } finally {
        ended.open();
      }
    };
    const quick: WorkerOptions<NoteTables>["handlers"][string] = async (job, db) => {
      await db.transaction(async (tx) => {
        await tx
          .insertInto("note")
          .values(note(`quick ${job.fencingToken}`))
          .execute();
        await job.complete(tx);
      });
    };
    await using _ = startNoteWorker(notes.db, { k: slow });
    await add(notes, { kind: "k", payload: null });
    await eventually(async () => expect(await jobsOf(notes)).toMatchObject([{ state: "running", lease_token: 1 }]));
    late.skip(60_000);
    await using __ = startNoteWorker(second, { k: quick }, { now: late.now });
    await eventually(async () => expect(await titles(notes)).toEqual(["quick 2"]));
    held.open();
    await ended.opened;
    expect(await titles(notes)).toEqual(["quick 2"]);
  });
});

describe("several workers", () => {
  it("share the jobs, each of which runs once", async () => {
    await using notes = await openNotes();
    await using second = await openNotesIn(notes.folder);
    const handler: WorkerOptions<NoteTables>["handlers"][string] = async (job, db) => {
      await db.transaction(async (tx) => {
        await tx
          .insertInto("note")
          .values(note(String(job.payload)))
          .execute();
        await job.complete(tx);
      });
    };
    const count = 60;
    await notes.db.transaction(async (tx) => {
      for (let n = 0; n < count; n++) await enqueue(tx, { kind: "k", payload: `${n}` });
    });
    await using _ = startNoteWorker(notes.db, { k: handler });
    await using __ = startNoteWorker(second, { k: handler });
    await eventually(async () => expect(await jobsOf(notes)).toEqual([]));
    // The title is unique: a job that ran twice would have failed.
    expect(await titles(notes)).toHaveLength(count);
  });

  it("take over what a killed process held", async () => {
    await using notes = await openNotes();
    await add(notes, { kind: "write", payload: null });
    const leaseMs = 400;
    const doomed = spawn(
      process.execPath,
      ["--no-warnings", fileURLToPath(new URL("./testing/doomed.ts", import.meta.url)), notes.folder, String(leaseMs)],
      {
        stdio: ["ignore", "pipe", "inherit"],
      },
    );
    await once(doomed.stdout, "data");
    const attempts: number[] = [];
    await using _ = startNoteWorker(notes.db, { write: async (job) => void attempts.push(job.attempt) }, { leaseMs });
    doomed.kill("SIGKILL");
    await eventually(async () => expect([attempts, await jobsOf(notes)]).toEqual([[2], []]));
  });

  it("do not take what its holder keeps alive", async () => {
    await using notes = await openNotes();
    await using second = await openNotesIn(notes.folder);
    const held = gate();
    let taken = 0;
    await using holder = startNoteWorker(notes.db, { k: () => held.opened }, { leaseMs: 900 });
    await add(notes, { kind: "k", payload: null });
    await eventually(async () => expect(await jobsOf(notes)).toMatchObject([{ state: "running" }]));
    const first = (await jobsOf(notes))[0]?.lease_until ?? 0;
    await using _ = startNoteWorker(second, { k: async () => void taken++ }, { leaseMs: 900 });
    await eventually(async () => expect((await jobsOf(notes))[0]?.lease_until).toBeGreaterThan(first + 600));
    expect(taken).toBe(0);
    held.open();
    await holder[Symbol.asyncDispose]();
  });
});

describe("disposal", () => {
  it("waits for the jobs that run and starts no others", async () => {
    await using notes = await openNotes();
    const held = gate();
    let finished = 0;
    const handler = async () => {
      await held.opened;
      finished++;
    };
    const worker = startNoteWorker(notes.db, { k: handler }, { concurrency: 1 });
    await add(notes, { kind: "k", payload: null });
    await add(notes, { kind: "k", payload: null });
    await eventually(async () =>
      expect((await jobsOf(notes)).filter((job) => job.state === "running")).toHaveLength(1),
    );
    const disposed = worker[Symbol.asyncDispose]();
    held.open();
    await disposed;
    expect(finished).toBe(1);
    expect(await jobsOf(notes)).toMatchObject([{ state: "pending", attempts: 0 }]);
  });

  it("aborts those that take too long, and gives them back without counting the try", async () => {
    await using notes = await openNotes();
    const worker = startNoteWorker(
      notes.db,
      {
        k: (_job, _db, signal) =>
          new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason as Error))),
      },
      { drainMs: 50 },
    );
    await add(notes, { kind: "k", payload: null });
    await eventually(async () => expect(await jobsOf(notes)).toMatchObject([{ state: "running" }]));
    await worker[Symbol.asyncDispose]();
    expect(await jobsOf(notes)).toMatchObject([{ state: "pending", attempts: 0, lease_until: null }]);
  });
});
