import { describe, expect, it } from "@jest/globals";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { ChangeKind, ChangeSchema } from "@docket/contracts/gen/docket/document/v1/change_pb.ts";
import { WatchChangesResponseSchema } from "@docket/contracts/gen/docket/document/v1/change_service_pb.ts";
import { encodedChanges, entryOf, toldOf } from "./entry.ts";

const change = create(ChangeSchema, {
  id: "0190a000-0000-7000-8000-000000000001",
  workspaceId: "0190a000-0000-7000-8000-000000000002",
  kind: ChangeKind.DOCUMENT_UPDATED,
  documentId: "0190a000-0000-7000-8000-000000000003",
  etag: "r2",
});
const row = {
  partition: change.workspaceId,
  sequence: 7,
  kind: "DOCUMENT_UPDATED",
  subjectId: change.documentId,
  payload: toBinary(ChangeSchema, change),
  occurredAt: new Date(),
};

describe("a row of the log", () => {
  it("is decoded once for all of its watchers, with its sequence", () => {
    expect(entryOf(row)).toBe(entryOf(row));
    expect(entryOf(row).change).toMatchObject({ ...change, sequence: 7n });
  });

  it("reaches each watcher as it was written, with that watcher's cursor", () => {
    const response = create(WatchChangesResponseSchema, { cursor: "here" });
    const made = toldOf({ id: "1", kind: ChangeKind.ACCESS_LOST });
    response.$unknown = encodedChanges(WatchChangesResponseSchema.field.changes.number, [
      { told: entryOf(row), cursor: "a" },
      { told: made, cursor: "b".repeat(300) },
    ]);
    const received = fromBinary(WatchChangesResponseSchema, toBinary(WatchChangesResponseSchema, response));
    expect(received.cursor).toBe("here");
    expect(received.changes).toMatchObject([
      { ...change, sequence: 7n, cursor: "a" },
      { id: "1", kind: ChangeKind.ACCESS_LOST, cursor: "b".repeat(300) },
    ]);
    expect(received.$unknown).toBeUndefined();
  });
});
