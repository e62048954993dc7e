import { describe, expect, it } from "@jest/globals";
import { ChangeKind } from "@docket/contracts/gen/docket/document/v1/change_pb.ts";
import { type ChangeFacts, shardOf, type Wanted, wants } from "./change_filter.ts";

const everything: Wanted = { documentIds: new Set(), kinds: new Set(), shard: undefined };
const change = (values: Partial<ChangeFacts> = {}): ChangeFacts => ({
  workspaceId: "w",
  kind: ChangeKind.DOCUMENT_UPDATED,
  documentId: "d1",
  ...values,
});

describe("a filter", () => {
  it("lets everything through when nothing is set", () => {
    expect(wants(everything, change())).toBe(true);
  });

  it("keeps to the kinds and documents that are named, all at once", () => {
    const filter = { ...everything, kinds: new Set([ChangeKind.TASK_CREATED]), documentIds: new Set(["d1"]) };
    expect(wants(filter, change({ kind: ChangeKind.TASK_CREATED }))).toBe(true);
    expect(wants(filter, change())).toBe(false);
    expect(wants(filter, change({ kind: ChangeKind.TASK_CREATED, documentId: "d2" }))).toBe(false);
    expect(wants(filter, change({ kind: ChangeKind.TASK_CREATED, documentId: undefined, taskId: "t" }))).toBe(false);
  });

  it("tells of access to folders and workspaces although documents are named, since they may lie there", () => {
    const filter = { ...everything, documentIds: new Set(["d1"]) };
    expect(wants(filter, change({ kind: ChangeKind.ACCESS_LOST, documentId: undefined, folderId: "f" }))).toBe(true);
    expect(wants(filter, change({ kind: ChangeKind.ACCESS_LOST, documentId: "d2" }))).toBe(false);
  });
});

describe("shards", () => {
  const changes = Array.from({ length: 500 }, (_, at) => change({ documentId: crypto.randomUUID(), taskId: `t${at}` }));

  it("give each change to exactly one of them", () => {
    for (const count of [1, 3, 64]) {
      for (const one of changes) {
        const told = Array.from({ length: count }, (_, index) =>
          wants({ ...everything, shard: { index, count } }, one),
        );
        expect(told.filter(Boolean)).toHaveLength(1);
      }
    }
  });

  it("keep all that concerns a document together", () => {
    const about = [change(), change({ taskId: "t" }), change({ folderId: "f", kind: ChangeKind.ACCESS_LOST })];
    expect(new Set(about.map((one) => shardOf(one, 64))).size).toBe(1);
  });

  it("share the work about evenly", () => {
    const counts = [...Map.groupBy(changes, (one) => shardOf(one, 4)).values()].map((group) => group.length);
    expect(counts).toHaveLength(4);
    expect(Math.min(...counts)).toBeGreaterThan(80);
  });
});
