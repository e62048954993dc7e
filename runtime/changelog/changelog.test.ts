import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, it } from "@jest/globals";
import { type NoteDatabase, openNotes, silentLogger } from "../db/testing/note.ts";
import { newId } from "../ids.ts";
import { eventually } from "../testing/eventually.ts";
import { appendChanges } from "./append.ts";
import { decodeCursor, encodeCursor } from "./cursor.ts";
import { type Change, heads, lagOf, readChanges, readChangesBack, trimmedUpTo } from "./read.ts";
import { Tailer } from "./tailer.ts";
import { writeChanges } from "./testing/writer.ts";
import { trimChanges } from "./trim.ts";

const workspace = "01890000-0000-7000-8000-000000000001";
const writerFile = fileURLToPath(new URL("./testing/writer.ts", import.meta.url));

const append = (notes: NoteDatabase, partition: string, texts: readonly string[], at?: number) =>
  notes.db.transaction((tx) =>
    appendChanges(
      tx,
      partition,
      texts.map((text) => ({
        kind: "said",
        subjectId: text,
        payload: Buffer.from(text),
        ...(at && { occurredAt: at }),
      })),
    ),
  );

const textOf = (change: Change) => Buffer.from(change.payload).toString();

function collect(tailer: Tailer, positions: [string, number][], signal: AbortSignal, batch = 200) {
  const seen: Change[] = [];
  const follower = tailer.follow(positions, { signal, batch });
  const done = (async () => {
    for await (const changes of follower) seen.push(...changes);
  })();
  return { seen, follower, done };
}

describe("the log", () => {
  it("numbers the changes of each partition from 1 without holes", async () => {
    await using notes = await openNotes();
    expect(await append(notes, workspace, ["a", "b"])).toBe(2);
    expect(await append(notes, "", ["x"])).toBe(1);
    expect(await append(notes, workspace, ["c"])).toBe(3);
    const changes = await readChanges(notes.db, workspace, 1, 10);
    expect(changes.map((change) => [change.sequence, textOf(change)])).toEqual([
      [2, "b"],
      [3, "c"],
    ]);
    expect(await heads(notes.db)).toEqual(
      new Map([
        ["", 1],
        [workspace, 3],
      ]),
    );
    expect(await heads(notes.db, [workspace, "unknown"])).toEqual(new Map([[workspace, 3]]));
  });

  it("gives the numbers of a transaction that rolled back to the next", async () => {
    await using notes = await openNotes();
    await append(notes, workspace, ["a"]);
    await expect(
      notes.db.transaction(async (tx) => {
        await appendChanges(tx, workspace, [{ kind: "k", payload: new Uint8Array() }]);
        throw new Error("no");
      }),
    ).rejects.toThrow("no");
    expect(await append(notes, workspace, ["b"])).toBe(2);
  });

  it("is read by kind and by subject", async () => {
    await using notes = await openNotes();
    await append(notes, workspace, ["a", "b", "c"]);
    expect((await readChanges(notes.db, workspace, 0, 10, { subjectIds: ["b"] })).map(textOf)).toEqual(["b"]);
    expect(await readChanges(notes.db, workspace, 0, 10, { kinds: ["other"] })).toEqual([]);
  });

  it("is read backwards, of one subject", async () => {
    await using notes = await openNotes();
    await append(notes, workspace, ["a", "b", "a", "a"]);
    const back = async (before: number | undefined, limit: number) =>
      (await readChangesBack(notes.db, workspace, "a", before, limit)).map(({ sequence }) => sequence);
    expect(await back(undefined, 2)).toEqual([4, 3]);
    expect(await back(3, 2)).toEqual([1]);
  });

  it("refuses a position from which changes were trimmed, and goes on counting", async () => {
    await using notes = await openNotes();
    await append(notes, workspace, ["a", "b"], 1_000);
    await append(notes, workspace, ["c"], 2_000);
    await append(notes, "", ["x"], 1_000);
    expect(await trimChanges(notes.db, new Date(1_500))).toBe(3);
    expect(await trimmedUpTo(notes.db)).toEqual(
      new Map([
        [workspace, 2],
        ["", 1],
      ]),
    );
    await expect(readChanges(notes.db, workspace, 1, 10)).rejects.toMatchObject({ name: "ChangesTrimmed" });
    expect((await readChanges(notes.db, workspace, 2, 10)).map(textOf)).toEqual(["c"]);
    expect(await readChanges(notes.db, "", 1, 10)).toEqual([]);
    expect(await append(notes, "", ["y"])).toBe(2);
  });

  it("tells how far a position is behind, in changes and in time", async () => {
    await using notes = await openNotes();
    await append(notes, workspace, ["a"], 1_000);
    await append(notes, workspace, ["b", "c"], 2_000);
    const now = () => new Date(5_000);
    expect(await lagOf(notes.db, new Map([[workspace, 1]]), now)).toEqual({ changes: 2, ageMs: 3_000 });
    expect(await lagOf(notes.db, new Map([[workspace, 3]]), now)).toEqual({ changes: 0, ageMs: 0 });
  });
});

describe("a cursor", () => {
  it("carries a number per partition there and back", () => {
    const positions = new Map([
      ["", 7],
      [workspace, 2 ** 40],
      ["partition with a name", 1],
    ]);
    expect(decodeCursor(encodeCursor(positions))).toEqual(positions);
    expect(decodeCursor(encodeCursor(new Map()))).toEqual(new Map());
  });

  it("is refused when nobody gave it", () => {
    const good = encodeCursor(new Map([[workspace, 5]]));
    for (const bad of [
      "",
      "AAAA",
      "garbage!",
      good.slice(0, -1),
      `A${good}`,
      good.replace(/.$/, (c) => (c === "A" ? "Q" : "A")),
    ]) {
      expect(decodeCursor(bad)).toBeUndefined();
    }
  });
});

describe("the tailer", () => {
  it("hands out what is there and then what comes, to several followers", async () => {
    await using notes = await openNotes();
    await using tailer = new Tailer({ db: notes.db, logger: silentLogger, pollMs: 60_000 });
    const stop = new AbortController();
    await append(notes, workspace, ["a", "b"]);
    const all = collect(tailer, [[workspace, 0]], stop.signal, 1);
    const rest = collect(
      tailer,
      [
        [workspace, 1],
        ["", 0],
      ],
      stop.signal,
    );
    await append(notes, "", ["x"]);
    await append(notes, workspace, ["c"]);
    await eventually(() =>
      expect([all.seen.map(textOf), rest.seen.map(textOf).sort()]).toEqual([
        ["a", "b", "c"],
        ["b", "c", "x"],
      ]),
    );
    expect(await tailer.lag()).toEqual({ followers: 2, changes: 0, ageMs: 0 });
    stop.abort();
    await Promise.all([all.done, rest.done]);
    expect((await tailer.lag()).followers).toBe(0);
  });

  it("reads for a follower who is slower than its memory, and loses nothing", async () => {
    await using notes = await openNotes();
    await using tailer = new Tailer({ db: notes.db, logger: silentLogger, pollMs: 60_000, keep: 3 });
    const stop = new AbortController();
    const slow = tailer.follow([[workspace, 0]], { signal: stop.signal, batch: 2 })[Symbol.asyncIterator]();
    await append(notes, workspace, ["1"]);
    const texts: string[] = ((await slow.next()).value ?? []).map(textOf);
    for (let i = 2; i <= 40; i++) await append(notes, workspace, [String(i)]);
    while (texts.length < 40) texts.push(...((await slow.next()).value ?? []).map(textOf));
    expect(texts).toEqual(Array.from({ length: 40 }, (_, i) => String(i + 1)));
  });

  it("tells a follower that its position is older than the log", async () => {
    await using notes = await openNotes();
    await using tailer = new Tailer({ db: notes.db, logger: silentLogger });
    await append(notes, workspace, ["a", "b"], 1_000);
    await trimChanges(notes.db, new Date(1_500));
    await append(notes, workspace, ["c"]);
    const old = collect(tailer, [[workspace, 0]], new AbortController().signal);
    await expect(old.done).rejects.toMatchObject({ name: "ChangesTrimmed", partition: workspace });
  });

  it("ends every iteration when it is disposed", async () => {
    await using notes = await openNotes();
    const tailer = new Tailer({ db: notes.db, logger: silentLogger });
    const follower = collect(tailer, [[workspace, 0]], new AbortController().signal);
    await tailer[Symbol.asyncDispose]();
    await follower.done;
    expect(follower.seen).toEqual([]);
  });

  it("lets a follower take up and give up partitions on the way", async () => {
    await using notes = await openNotes();
    await using tailer = new Tailer({ db: notes.db, logger: silentLogger, pollMs: 60_000 });
    const { seen, follower } = collect(tailer, [[workspace, 0]], new AbortController().signal);
    const other = newId();
    await append(notes, other, ["early"]);
    follower.add(other, 0);
    await eventually(() => expect(seen.map(textOf)).toEqual(["early"]));
    follower.remove(other);
    await append(notes, other, ["late"]);
    await append(notes, workspace, ["mine"]);
    await eventually(() => expect(seen.map(textOf)).toEqual(["early", "mine"]));
  });

  it("skips nothing and keeps the order while many transactions of two processes interleave", async () => {
    await using notes = await openNotes();
    await using tailer = new Tailer({ db: notes.db, logger: silentLogger, pollMs: 20 });
    const stop = new AbortController();
    const followed = collect(tailer, [[workspace, 0]], stop.signal, 7);
    const polled: Change[] = [];
    let writing = true;
    const polling = (async () => {
      while (writing || polled.length < ((await heads(notes.db)).get(workspace) ?? 0)) {
        polled.push(...(await readChanges(notes.db, workspace, polled.at(-1)?.sequence ?? 0, 13)));
      }
    })();

    const transactions = 200;
    const [here, there] = await Promise.all([
      writeChanges(notes.db, workspace, transactions, "here"),
      promisify(execFile)(process.execPath, [writerFile, notes.folder, workspace, String(transactions), "there"]),
    ]);
    writing = false;
    await polling;
    const total = here + Number(there.stdout);
    await eventually(() => expect(followed.seen).toHaveLength(total));
    stop.abort();
    await followed.done;

    const expected = Array.from({ length: total }, (_, i) => i + 1);
    expect(followed.seen.map((change) => change.sequence)).toEqual(expected);
    expect(polled.map((change) => change.sequence)).toEqual(expected);
    expect(new Set(followed.seen.map((change) => change.kind))).toEqual(new Set(["here", "there"]));
  });
});
