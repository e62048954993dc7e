// What is told of the database, its queue and its log of changes, by the real ones.

import { setTimeout as pause } from "node:timers/promises";
import { describe, expect, it } from "@jest/globals";
import { appendChanges } from "../changelog/append.ts";
import { Tailer } from "../changelog/tailer.ts";
import { type NoteTables, openNotes, silentLogger } from "../db/testing/note.ts";
import { newId } from "../ids.ts";
import { enqueue } from "../queue/queue.ts";
import { JobHopeless, startWorker, type WorkerOptions } from "../queue/worker.ts";
import { eventually } from "../testing/eventually.ts";
import { iterateWithin, within } from "./span.ts";
import { openRecorder } from "./testing/recorder.ts";

async function watched() {
  const recorder = await openRecorder("notes");
  const notes = await openNotes(recorder.telemetry);
  return {
    ...recorder,
    db: notes.db,
    async [Symbol.asyncDispose]() {
      await notes[Symbol.asyncDispose]();
      await recorder[Symbol.asyncDispose]();
    },
  };
}

const note = (title: string) => ({ id: newId(), workspace_id: "w", title, created_at: 1 });

describe("statements", () => {
  it("are spans of the request that they serve, with their text and never a value", async () => {
    await using world = await watched();
    const { db, ended, begin } = world;
    const span = begin("request");
    await within(span, async () => {
      await db.transaction(async (tx) => {
        await tx.insertInto("note").values(note("Quay 4 at dawn")).execute();
      });
      await db.query.selectFrom("note").selectAll().where("title", "=", "Quay 4 at dawn").execute();
    });
    span.end();
    const told = ended.filter(({ traceId }) => traceId === span.traceId);
    expect(told.map(({ name }) => name)).toEqual(["BEGIN", "INSERT note", "COMMIT", "SELECT note", "request"]);
    for (const { name, parentSpanId } of told.slice(0, 4)) expect([name, parentSpanId]).toEqual([name, span.spanId]);
    expect(told[3]?.attributes).toMatchObject({
      "db.system.name": expect.stringMatching(/^(sqlite|mysql|mariadb)$/),
      "db.namespace": "notes",
      "db.operation.name": "SELECT",
      "db.collection.name": "note",
      "db.query.text": expect.stringMatching(/^select \* from .note. where .title. = \?$/),
      "db.response.returned_rows": 1,
    });
    expect(JSON.stringify(ended)).not.toContain("Quay");
  });

  it("are counted also where nobody asked for them", async () => {
    await using world = await watched();
    await world.db.query.selectFrom("note").selectAll().execute();
    const [line] = await world.lines('db_client_operation_duration_seconds_count{db_system_name="');
    expect(line).toMatch(/db_operation_name="\w+".*\} [1-9]/);
    expect(world.ended).toEqual([]);
  });
});

describe("jobs", () => {
  type Options = WorkerOptions<NoteTables>;
  const start = (world: Awaited<ReturnType<typeof watched>>, handlers: Options["handlers"]) =>
    startWorker<NoteTables>({ db: world.db, handlers, logger: silentLogger, telemetry: world.telemetry, drainMs: 50 });

  it("are traces of their own, linked to the one that asked for them", async () => {
    await using world = await watched();
    const span = world.begin("request");
    await using _ = start(world, {
      write: async (job, db) =>
        db.transaction(async (tx) => {
          await tx.insertInto("note").values(note("x")).execute();
          await job.complete(tx);
        }),
    });
    await within(span, () => world.db.transaction((tx) => enqueue(tx, { kind: "write", payload: null })));
    const job = await eventually(() => world.ended.find(({ name }) => name === "job write") ?? false);
    expect(job).toMatchObject({ kind: "consumer", parentSpanId: undefined, links: [span.traceId] });
    expect(job.attributes).toMatchObject({ "docket.queue": "write", "docket.attempt": 1, "docket.outcome": "done" });
    const inside = world.ended.filter(({ traceId }) => traceId === job.traceId).map(({ name }) => name);
    expect(inside).toEqual(["BEGIN", "INSERT note", "DELETE job", "COMMIT", "job write"]);
    // What the worker looks for by itself is in no trace, and least of all in the one that woke it.
    const asking = world.ended.filter(({ traceId }) => traceId === span.traceId).map(({ name }) => name);
    expect(asking).toEqual(["BEGIN", "INSERT job", "COMMIT"]);
  });

  it("are counted by queue and state, also when there are none, and by how they ended", async () => {
    await using world = await watched();
    await using _ = start(world, {
      fail: () => Promise.reject(new JobHopeless("no")),
      wait: (_job, _db, signal) => pause(60_000, undefined, { signal }).catch(() => undefined),
    });
    expect(await world.lines("docket_queue_jobs{")).toEqual(
      ["fail", "wait"].flatMap((queue) =>
        ["pending", "running", "dead"].map((state) => `docket_queue_jobs{queue="${queue}",state="${state}"} 0`),
      ),
    );
    await world.db.transaction(async (tx) => {
      await enqueue(tx, { kind: "fail", payload: null });
      await enqueue(tx, { kind: "wait", payload: null });
      await enqueue(tx, { kind: "nobody", payload: null, runAt: new Date(Date.now() - 90_000) });
    });
    await eventually(
      async () => {
        const told = await world.lines("docket_queue_jobs{");
        expect(told).toEqual(
          expect.arrayContaining([
            'docket_queue_jobs{queue="fail",state="dead"} 1',
            'docket_queue_jobs{queue="wait",state="running"} 1',
            'docket_queue_jobs{queue="nobody",state="pending"} 1',
          ]),
        );
      },
      { intervalMs: 200 },
    );
    const [overdue] = await world.lines('docket_queue_oldest_seconds{queue="nobody"}');
    expect(Number(overdue?.split(" ").at(-1))).toBeGreaterThanOrEqual(90);
    expect(await world.lines('docket_queue_oldest_seconds{queue="wait"}')).toEqual([
      'docket_queue_oldest_seconds{queue="wait"} 0',
    ]);
    expect(await world.lines('docket_job_duration_seconds_count{queue="fail",outcome="dead"}')).toEqual([
      'docket_job_duration_seconds_count{queue="fail",outcome="dead"} 1',
    ]);
  });
});

describe("the log of changes", () => {
  const append = (world: Awaited<ReturnType<typeof watched>>, occurredAt = Date.now()) =>
    world.db.transaction((tx) => appendChanges(tx, "w", [{ kind: "said", payload: Buffer.from("x"), occurredAt }]));

  it("links the stream that tells a change to the trace that made it", async () => {
    await using world = await watched();
    await using tailer = new Tailer({ db: world.db as never, logger: silentLogger });
    const stream = world.begin("stream");
    const end = new AbortController();
    const rows = iterateWithin(stream, tailer.follow([["w", 0]], { signal: end.signal }))[Symbol.asyncIterator]();
    const first = rows.next();
    const writing = world.begin("writing");
    await within(writing, () => append(world));
    await first;
    end.abort();
    await rows.next();
    stream.end();
    expect(world.ended.find(({ name }) => name === "stream")?.links).toEqual([writing.traceId]);
  });

  it("tells how far the slowest reader is behind", async () => {
    await using world = await watched();
    const metrics = { of: world.telemetry.metrics, consumer: "streams" };
    await using tailer = new Tailer({ db: world.db as never, logger: silentLogger, metrics });
    const lag = async () => {
      const [line] = await world.lines('docket_change_lag_seconds{consumer="streams"}');
      return Number(line?.split(" ").at(-1));
    };
    expect(await lag()).toBe(0);
    await append(world);
    const end = new AbortController();
    const rows = tailer.follow([["w", 0]], { signal: end.signal })[Symbol.asyncIterator]();
    await rows.next();
    // A reader that takes nothing, while a change waits that is a minute old.
    await append(world, Date.now() - 60_000);
    await eventually(async () => expect(await lag()).toBeGreaterThanOrEqual(60));
    await rows.next();
    expect(await lag()).toBe(0);
    end.abort();
  });
});
