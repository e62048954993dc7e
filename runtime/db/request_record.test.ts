import { create } from "@bufbuild/protobuf";
import { Reason } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import {
  Health,
  HealthCheckRequestSchema,
  HealthCheckResponseSchema,
  HealthCheckResponse_ServingStatus as Status,
} from "@docket/contracts/gen/grpc/health/v1/health_pb.ts";
import { describe, expect, it } from "@jest/globals";
import { AppError } from "../errors.ts";
import { newId } from "../ids.ts";
import { forgetRequests, idempotent, REQUEST_RECORD_LIFE_MS } from "./request_record.ts";
import { type NoteDatabase, openNotes } from "./testing/note.ts";

const answer = (status: Status) => create(HealthCheckResponseSchema, { status });

function callOf(requestId: string | undefined, service = "a", person = "p") {
  return {
    subject: { kind: "person", id: person },
    method: Health.method.check,
    requestId,
    request: create(HealthCheckRequestSchema, { service }),
  };
}

function insertNote(notes: NoteDatabase, call: ReturnType<typeof callOf>, status: Status = Status.SERVING) {
  return idempotent(notes.db, call, async (tx) => {
    await tx.insertInto("note").values({ id: newId(), workspace_id: "w", title: newId(), created_at: 1 }).execute();
    return answer(status);
  });
}

const count = async (notes: NoteDatabase) => (await notes.db.query.selectFrom("note").select("id").execute()).length;

describe("a request_id", () => {
  it("gives a replay the first answer and no second effect", async () => {
    await using notes = await openNotes();
    const call = callOf(newId());
    await insertNote(notes, call);
    expect((await insertNote(notes, call, Status.NOT_SERVING)).status).toBe(Status.SERVING);
    expect(await count(notes)).toBe(1);
  });

  it("lets one of many at once run, and gives all of them its answer", async () => {
    await using notes = await openNotes();
    const call = callOf(newId());
    const answers = await Promise.all(
      [Status.SERVING, Status.NOT_SERVING, Status.SERVICE_UNKNOWN].map((status) => insertNote(notes, call, status)),
    );
    expect(new Set(answers.map((each) => each.status)).size).toBe(1);
    expect(await count(notes)).toBe(1);
  });

  it("is refused with another request", async () => {
    await using notes = await openNotes();
    const requestId = newId();
    await insertNote(notes, callOf(requestId, "a"));
    await expect(insertNote(notes, callOf(requestId, "b"))).rejects.toMatchObject({ reason: Reason.REQUEST_ID_REUSED });
  });

  it("of another subject is another request", async () => {
    await using notes = await openNotes();
    const requestId = newId();
    await insertNote(notes, callOf(requestId, "a", "p"));
    await insertNote(notes, callOf(requestId, "a", "q"));
    expect(await count(notes)).toBe(2);
  });

  it("may be used again after a failure, which left nothing", async () => {
    await using notes = await openNotes();
    const call = callOf(newId());
    await expect(
      idempotent(notes.db, call, async () => {
        throw new AppError(Reason.CONFLICT);
      }),
    ).rejects.toMatchObject({ reason: Reason.CONFLICT });
    await insertNote(notes, call);
    expect(await count(notes)).toBe(1);
  });

  it("is forgotten after a day, by reading and by cleaning up", async () => {
    await using notes = await openNotes();
    const call = callOf(newId());
    await insertNote(notes, call);
    const tomorrow = new Date(Date.now() + REQUEST_RECORD_LIFE_MS + 1000);
    await insertNote(notes, { ...call, now: () => tomorrow } as typeof call);
    expect(await count(notes)).toBe(2);
    expect(await forgetRequests(notes.db, tomorrow)).toBe(0);
    expect(await forgetRequests(notes.db, new Date(tomorrow.getTime() + 1))).toBe(1);
  });

  it("when absent runs every time", async () => {
    await using notes = await openNotes();
    await insertNote(notes, callOf(undefined));
    await insertNote(notes, callOf(""));
    expect(await count(notes)).toBe(2);
  });

  it("keeps what it is told to keep, and asks again before it gives it", async () => {
    await using notes = await openNotes();
    const call = { ...callOf(newId()), keep: () => answer(Status.UNKNOWN) };
    const run = async () => answer(Status.SERVING);
    expect((await idempotent(notes.db, call, run)).status).toBe(Status.SERVING);
    expect((await idempotent(notes.db, call, run)).status).toBe(Status.UNKNOWN);
    const refuse = () => {
      throw new AppError(Reason.SECRET_ALREADY_SHOWN);
    };
    await expect(idempotent(notes.db, { ...call, recheck: refuse }, run)).rejects.toMatchObject({
      reason: Reason.SECRET_ALREADY_SHOWN,
    });
  });
});
